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

CREATE FUNCTION otp_purge_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    most bigint := (q ->> 'limit')::bigint;
    now_ms bigint;
    era bigint;
    at timestamptz;
    gone bigint;
    n bigint;
BEGIN
    PERFORM otp_lock_1(q, '{}');
    SELECT * INTO now_ms, era FROM otp_time_1(q, true);
    at := otp_at_1(now_ms);
    gone := otp_purge_challenges_1(otp_at_1(now_ms - (q ->> 'keep')::bigint), most);
    DELETE FROM rate_limit_attempts WHERE sequence = ANY (ARRAY(
        SELECT sequence FROM rate_limit_attempts WHERE expires_at <= at
        LIMIT greatest(most - gone, 0) FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    gone := gone + n;
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE expires_at <= at
        LIMIT greatest(most - gone, 0) FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    gone := gone + n;
    DELETE FROM seen_keys WHERE seen_key = ANY (ARRAY(
        SELECT seen_key FROM seen_keys WHERE expires_at <= at
        LIMIT greatest(most - gone, 0) FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    gone := gone + n;
    DELETE FROM blocklist WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM blocklist WHERE expires_at <= at
        LIMIT greatest(most - gone, 0) FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    gone := gone + n;
    DELETE FROM otp_deliveries WHERE id = ANY (ARRAY(
        SELECT id FROM otp_deliveries WHERE kept_until <= at
        LIMIT greatest(most - gone, 0) FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    gone := gone + n;
    DELETE FROM otp_delivery_reports WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM otp_delivery_reports WHERE kept_until <= at
        LIMIT greatest(most - gone, 0) FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    gone := gone + n;
    DELETE FROM rate_limit_cells WHERE bucket = ANY (ARRAY(
        SELECT bucket FROM rate_limit_cells WHERE tat <= now_ms * 1000
        LIMIT greatest(most - gone, 0) FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    gone := gone + n;
    IF q ? 'keep_audit' THEN
        -- Only what was taken over elsewhere may go.
        DELETE FROM audit_logs WHERE sequence = ANY (ARRAY(
            SELECT sequence FROM audit_logs
            WHERE created_at <= otp_at_1(now_ms - (q ->> 'keep_audit')::bigint)
                AND sequence <= (SELECT acknowledged FROM audit_outbox WHERE id = 1)
            LIMIT greatest(most - gone, 0) FOR UPDATE SKIP LOCKED));
        GET DIAGNOSTICS n = ROW_COUNT;
        gone := gone + n;
    END IF;
    RETURN otp_answer_1(q, now_ms, era, jsonb_build_array(gone));
END
$$;
