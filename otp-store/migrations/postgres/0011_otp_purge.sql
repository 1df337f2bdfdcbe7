-- Upkeep: what is over goes, a batch a call. Rows that somebody works on are left for the next one.
-- What goes is picked into an array, once: a plan may run a subquery anew for each row, and every
-- run would pick a batch of its own.

-- Challenges that ended long ago, with what belongs to them, which is not counted.
CREATE FUNCTION otp_purge_challenges_1(before timestamptz, most bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    ids text[] := ARRAY(SELECT id FROM auth_challenges WHERE ended_at <= before
        ORDER BY ended_at LIMIT most FOR UPDATE SKIP LOCKED);
BEGIN
    DELETE FROM challenge_attempt_log WHERE challenge_id = ANY (ids);
    DELETE FROM challenge_validation_attempts WHERE challenge_id = ANY (ids);
    DELETE FROM auth_challenges WHERE id = ANY (ids);
    -- What a challenge that was deleted by hand has left behind.
    DELETE FROM challenge_attempt_log WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM challenge_attempt_log AS kept
        WHERE tried_at <= before AND NOT EXISTS
            (SELECT FROM auth_challenges WHERE id = kept.challenge_id)
        LIMIT most FOR UPDATE OF kept SKIP LOCKED));
    DELETE FROM challenge_validation_attempts WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM challenge_validation_attempts AS kept
        WHERE last_attempt_at <= before AND NOT EXISTS
            (SELECT FROM auth_challenges WHERE id = kept.challenge_id)
        LIMIT most FOR UPDATE OF kept SKIP LOCKED));
    RETURN cardinality(ids);
END
$$;

-- What lapses: a table, what names a row of it, which rows are over, and which of them are picked.
-- `$1` is the time, `$2` the time in microseconds, `$3` the time before which records may go, `$4`
-- the most.
CREATE FUNCTION otp_lapsing_1(q jsonb, OUT lapsing text, OUT named text, OUT is_over text,
    OUT picked text)
RETURNS SETOF record LANGUAGE sql IMMUTABLE AS $$
    SELECT t.*, 'LIMIT $4 FOR UPDATE SKIP LOCKED'
    FROM (VALUES ('rate_limit_attempts', 'sequence', 'expires_at <= $1'),
        ('idempotency_keys', 'ctid', 'expires_at <= $1'),
        ('seen_keys', 'seen_key', 'expires_at <= $1'),
        ('blocklist', 'ctid', 'expires_at <= $1'),
        ('otp_deliveries', 'id', 'kept_until <= $1'),
        ('otp_delivery_reports', 'ctid', 'kept_until <= $1'),
        ('rate_limit_cells', 'bucket', 'tat <= $2')) AS t
    UNION ALL
    -- Only what was taken over elsewhere may go, and nothing that is still to be sealed; oldest
    -- places first, none left between: a hole in the chain is what tampering looks like.
    SELECT 'audit_logs', 'sequence', 'sequence < (SELECT coalesce(min(sequence), 9223372036854775807)
                FROM audit_logs WHERE created_at > $3)
            AND sequence <= (SELECT acknowledged FROM audit_outbox WHERE id = 1)
            AND (SELECT place = 0 OR audit_logs.sequence <= c.sequence FROM audit_chain AS c WHERE id = 1)',
            'ORDER BY sequence LIMIT $4 FOR UPDATE'
        WHERE q ? 'keep_audit'
    UNION ALL
    SELECT 'audit_links', 'sequence', 'sequence < (SELECT min(sequence) FROM audit_logs)',
            'LIMIT $4 FOR UPDATE SKIP LOCKED'
        WHERE q ? 'keep_audit'
$$;

CREATE FUNCTION otp_purge_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    most bigint := (q ->> 'limit')::bigint;
    now_ms bigint;
    era bigint;
    gone bigint;
    n bigint;
    o record;
BEGIN
    PERFORM otp_lock_1(q, '{}');
    SELECT * INTO now_ms, era FROM otp_time_1(q, true);
    gone := otp_purge_challenges_1(otp_at_1(now_ms - (q ->> 'keep')::bigint), most);
    FOR o IN SELECT * FROM otp_lapsing_1(q) LOOP
        EXECUTE format('DELETE FROM %I WHERE %I = ANY (ARRAY(
                SELECT %2$I FROM %1$I WHERE %3$s %4$s))',
            o.lapsing, o.named, o.is_over, o.picked)
            USING otp_at_1(now_ms), now_ms * 1000,
                otp_at_1(now_ms - (q ->> 'keep_audit')::bigint), greatest(most - gone, 0);
        GET DIAGNOSTICS n = ROW_COUNT;
        gone := gone + n;
    END LOOP;
    RETURN otp_answer_1(q, now_ms, era, jsonb_build_array(gone));
END
$$;
