-- Operators' steps, quotas by themselves, what was seen, the outbox's mark.

CREATE FUNCTION otp_is_first_1(key text, life bigint, now_ms bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    -- A key that has lapsed is taken anew; one that holds keeps its time.
    INSERT INTO seen_keys AS kept (seen_key, expires_at) VALUES (key, otp_at_1(now_ms + life))
        ON CONFLICT (seen_key) DO UPDATE SET expires_at = excluded.expires_at
            WHERE kept.expires_at <= otp_at_1(now_ms);
    RETURN FOUND;
END
$$;

CREATE FUNCTION otp_block_1(entry jsonb, life bigint, now_ms bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO blocklist (kind, value, note, author, added_at, expires_at)
        VALUES (entry ->> 'kind', entry ->> 'value', entry ->> 'note', entry ->> 'author',
            otp_at_1(now_ms), otp_at_1(now_ms + life))
        ON CONFLICT (kind, value) DO UPDATE SET note = excluded.note, author = excluded.author,
            added_at = excluded.added_at, expires_at = excluded.expires_at
$$;

-- Opens a budget by forgetting it.
CREATE FUNCTION otp_unlock_1(whose text, subject text, class text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM guess_budgets
        WHERE tenant = whose AND subject_key = subject AND factor_class = class;
    DELETE FROM guess_log
        WHERE tenant = whose AND subject_key = subject AND factor_class = class;
END
$$;

CREATE FUNCTION otp_disable_1(whose text, subject text, class text) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO guess_budgets (tenant, subject_key, factor_class, user_id, consecutive,
            strikes_public, strikes_known, disabled)
        VALUES (whose, subject, class, otp_user_1(subject), 0, 0, 0, true)
        ON CONFLICT (tenant, subject_key, factor_class) DO UPDATE SET disabled = true
$$;

-- Counts guesses that were reserved elsewhere as made now; it refuses nothing.
CREATE FUNCTION otp_carry_over_1(b jsonb, door text, guesses bigint, now_ms bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO guess_log (tenant, subject_key, factor_class, lane, guessed_at)
        SELECT b ->> 'tenant', b ->> 'subject', b ->> 'class', door, otp_at_1(now_ms)
        FROM generate_series(1, guesses);
    INSERT INTO guess_budgets AS kept (tenant, subject_key, factor_class, user_id, consecutive,
            strikes_public, strikes_known, disabled)
        VALUES (b ->> 'tenant', b ->> 'subject', b ->> 'class', otp_user_1(b ->> 'subject'),
            guesses, 0, 0, false)
        ON CONFLICT (tenant, subject_key, factor_class) DO UPDATE SET
            consecutive = least(kept.consecutive + guesses, 4294967295);
END
$$;

-- Ends live challenges, so many at the most where that is said; answers how many it ended and how
-- many it found. Rows are locked in one order, so that two revocations do not wait in a circle; one
-- that was won or ended while this waited for it is looked at again, and stays as it is.
CREATE FUNCTION otp_revoke_1(
    query jsonb, most bigint, now_ms bigint, OUT ended bigint, OUT found_live bigint)
LANGUAGE plpgsql AS $$
DECLARE
    ids text[] := ARRAY(SELECT id FROM auth_challenges
        WHERE id IN (SELECT id FROM otp_meant_1(query, most, now_ms)) ORDER BY id FOR UPDATE);
BEGIN
    UPDATE auth_challenges SET state = 'revoked', ended_at = otp_at_1(now_ms)
        WHERE id = ANY (ids) AND state = 'live' AND expires_at > otp_at_1(now_ms);
    GET DIAGNOSTICS ended = ROW_COUNT;
    found_live := cardinality(ids);
END
$$;

-- Accepts the engine's clock. Nobody can say which of the live ones had expired, so all end.
CREATE FUNCTION otp_forgive_1(q jsonb, OUT now_ms bigint, OUT era bigint, OUT ended bigint)
LANGUAGE plpgsql AS $$
BEGIN
    -- The mark before the challenges, as everybody else.
    PERFORM FROM otp_clock WHERE id = 1 FOR UPDATE;
    now_ms := otp_engine_1(q);
    UPDATE otp_clock SET seen_ms = now_ms, pardons = pardons + 1 WHERE id = 1
        RETURNING pardons INTO STRICT era;
    PERFORM FROM auth_challenges WHERE state = 'live' ORDER BY id FOR UPDATE;
    UPDATE auth_challenges SET state = 'revoked', ended_at = least(ended_at, otp_at_1(now_ms))
        WHERE state = 'live';
    GET DIAGNOSTICS ended = ROW_COUNT;
END
$$;

-- Fails where the engine takes no writes, and writes to see that it does.
CREATE FUNCTION otp_ping_1(now_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' THEN
        PERFORM otp_fail_1('takes no writes', '25006');
    END IF;
    PERFORM FROM otp_clock WHERE id = 1 FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        UPDATE otp_clock SET seen_ms = greatest(seen_ms, now_ms) WHERE id = 1;
    END IF;
END
$$;

-- A place beyond what has settled would swallow records that are still to come.
CREATE FUNCTION otp_acknowledge_1(up_to bigint) RETURNS void LANGUAGE sql VOLATILE AS $$
    UPDATE audit_outbox SET acknowledged = greatest(acknowledged, least(up_to, otp_settled_1()))
        WHERE id = 1
$$;

CREATE FUNCTION otp_desk_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    step text := q ->> 'step';
    whose text := q -> 'budget' ->> 'tenant';
    whom text := q -> 'budget' ->> 'subject';
    now_ms bigint;
    era bigint;
    ended bigint;
    found_live bigint;
    buckets otp_bucket_1[];
    event jsonb := q -> 'event';
    parts jsonb := '[]';
BEGIN
    PERFORM otp_lock_1(q,
        otp_quota_locks_1(coalesce(q -> 'quotas', '[]')) || otp_whose_1(whose, whom));
    IF step = 'acknowledge' THEN
        PERFORM otp_acknowledge_1((q ->> 'up_to')::bigint);
        RETURN otp_answer_1(q, 0, -1, '[]');
    END IF;
    IF step = 'forgive' THEN
        SELECT * INTO now_ms, era, ended FROM otp_forgive_1(q);
    ELSE
        SELECT * INTO now_ms, era FROM otp_time_1(q, step <> 'ping');
    END IF;
    CASE step
    WHEN 'ping' THEN
        PERFORM otp_ping_1(now_ms);
        parts := jsonb_build_array(now_ms);
    WHEN 'charge' THEN
        buckets := otp_look_quotas_1(q -> 'quotas', false, now_ms);
        IF otp_refused_1(buckets) IS NULL THEN
            buckets := otp_charge_quotas_1(buckets, NULL, now_ms);
        END IF;
        parts := jsonb_build_array(otp_readings_1(buckets));
    WHEN 'clear' THEN
        DELETE FROM rate_limit_attempts
            WHERE bucket IN (SELECT claim ->> 'key' FROM jsonb_array_elements(q -> 'quotas') AS claim);
        DELETE FROM rate_limit_cells
            WHERE bucket IN (SELECT claim ->> 'key' FROM jsonb_array_elements(q -> 'quotas') AS claim);
    WHEN 'release' THEN
        DELETE FROM idempotency_keys
            WHERE tenant = q ->> 'tenant' AND idempotency_key = q ->> 'key';
    WHEN 'seen' THEN
        parts := jsonb_build_array(CASE WHEN otp_is_first_1(q ->> 'key', (q ->> 'life')::bigint, now_ms)
            THEN 'first' ELSE 'again' END);
    WHEN 'unlock' THEN
        PERFORM otp_unlock_1(whose, whom, q -> 'budget' ->> 'class');
    WHEN 'disable' THEN
        PERFORM otp_disable_1(whose, whom, q -> 'budget' ->> 'class');
    WHEN 'carry_over' THEN
        PERFORM otp_carry_over_1(
            q -> 'budget', q ->> 'lane', (q ->> 'guesses')::bigint, now_ms);
    WHEN 'block' THEN
        PERFORM otp_block_1(q -> 'entry', (q ->> 'life')::bigint, now_ms);
    WHEN 'unblock' THEN
        DELETE FROM blocklist
            WHERE kind = q -> 'entry' ->> 'kind' AND value = q -> 'entry' ->> 'value';
    WHEN 'revoke' THEN
        SELECT * INTO ended, found_live
            FROM otp_revoke_1(q -> 'query', (q ->> 'limit')::bigint, now_ms);
    WHEN 'append_all' THEN
        FOR event IN SELECT value FROM jsonb_array_elements(q -> 'events') LOOP
            PERFORM otp_audit_1(event, now_ms, NULL, NULL);
        END LOOP;
        RETURN otp_answer_1(q, now_ms, era, parts);
    WHEN 'append', 'forgive' THEN
        NULL;
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;
    IF ended IS NOT NULL THEN
        parts := jsonb_build_array(ended, coalesce(found_live, ended));
    END IF;
    IF event IS NOT NULL THEN
        -- Room for the number, which matters more than the end of a long reason.
        PERFORM otp_audit_1(event, now_ms, NULL,
            left(coalesce(event ->> 'reason', 'revoked'), 1000) || ':' || ended);
    END IF;
    RETURN otp_answer_1(q, now_ms, era, parts);
END
$$;
