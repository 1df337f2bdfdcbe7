-- What comes of a challenge after it was admitted: put, replaced, won or lost.

CREATE FUNCTION otp_ended_at_1(
    state text, consumed_at timestamptz, expires_at timestamptz, now_ms bigint)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE state WHEN 'live' THEN expires_at WHEN 'consumed' THEN consumed_at
        ELSE least(expires_at, otp_at_1(now_ms)) END
$$;

-- Puts a challenge; a live one of the same kind is superseded in the same step. One that is live by
-- name and over by time is left as it is: it expired, nothing took its place. A decoy, which has no
-- destination, takes the place of decoys alone.
CREATE FUNCTION otp_insert_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    f jsonb := q -> 'fields';
    now_ms bigint;
    era bigint;
    tried jsonb;
BEGIN
    PERFORM otp_lock_1(q, ARRAY[otp_whose_1(f ->> 'tenant', f ->> 'subject')]);
    SELECT * INTO now_ms, era FROM otp_time_1(q, true);
    UPDATE auth_challenges SET state = 'superseded', ended_at = otp_at_1(now_ms)
        WHERE subject_key = f ->> 'subject' AND tenant = f ->> 'tenant'
            AND purpose = f ->> 'purpose' AND lane = f ->> 'lane'
            AND state = 'live' AND expires_at > otp_at_1(now_ms)
            AND (destination IS NULL OR coalesce(f ->> 'destination', '') <> '');
    INSERT INTO auth_challenges (id, tenant, user_id, subject_key, purpose, channel, lane,
            factor_class, code_alphabet, code_length, code_separators, destination,
            destination_key, destination_masked, digest, key_id, sealed_code, binding, ip_address,
            created_at, expires_at, attempts, wrong, attempt_limit, sends, next_send_at, state,
            consumed_at, consumed_by, ended_at)
        VALUES (f ->> 'id', f ->> 'tenant', otp_user_1(f ->> 'subject'), f ->> 'subject',
            f ->> 'purpose', f ->> 'channel', f ->> 'lane', f ->> 'class', f ->> 'alphabet',
            (f ->> 'length')::integer, f ->> 'separators',
            decode(nullif(f ->> 'destination', ''), 'hex'), f ->> 'destination_key',
            f ->> 'destination_masked', f ->> 'digest', f ->> 'key_id',
            decode(nullif(f ->> 'sealed_code', ''), 'hex'),
            decode(nullif(f ->> 'binding', ''), 'hex'), nullif(f ->> 'address', ''),
            otp_at_1((f ->> 'created_at')::bigint), otp_at_1((f ->> 'expires_at')::bigint),
            (f ->> 'attempts')::bigint, (f ->> 'wrong')::bigint, (f ->> 'attempt_limit')::bigint,
            (f ->> 'sends')::bigint, otp_at_1((f ->> 'next_send_at')::bigint), f ->> 'state',
            otp_at_1(nullif(f ->> 'consumed_at', '')::bigint), nullif(f ->> 'consumed_by', ''),
            otp_ended_at_1(f ->> 'state', otp_at_1(nullif(f ->> 'consumed_at', '')::bigint),
                otp_at_1((f ->> 'expires_at')::bigint), now_ms));
    tried := (f ->> 'log')::jsonb;
    IF tried <> '[]' THEN
        INSERT INTO challenge_attempt_log
                (challenge_id, place, attempt_id, fingerprint, answer, tried_at)
            SELECT f ->> 'id', nth - 1, entry ->> 0, decode(entry ->> 1, 'hex'), entry ->> 2,
                otp_at_1(now_ms)
            FROM jsonb_array_elements(tried) WITH ORDINALITY AS t (entry, nth);
    END IF;
    PERFORM otp_intend_1(q -> 'delivery', now_ms);
    PERFORM otp_audit_1(q -> 'event', now_ms, NULL, NULL);
    RETURN otp_answer_1(q, now_ms, era, '[]');
END
$$;

-- Puts a fresh code into a challenge; what has ended stays ended.
CREATE FUNCTION otp_reissue_1(c auth_challenges, f jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF c.id IS NULL THEN
        PERFORM otp_fail_1('challenge', 'OTP02');
    END IF;
    UPDATE auth_challenges SET channel = f ->> 'channel', key_id = f ->> 'key_id',
            digest = f ->> 'digest', sealed_code = decode(nullif(f ->> 'sealed_code', ''), 'hex')
        WHERE id = c.id;
END
$$;

-- Takes the one success of a challenge.
CREATE FUNCTION otp_consume_1(c auth_challenges, compared text, by_try text, now_ms bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    refusal text;
BEGIN
    IF c.id IS NULL THEN
        RETURN 'unknown_challenge';
    END IF;
    IF c.state = 'consumed' AND c.consumed_by = by_try THEN
        RETURN 'won_before';
    END IF;
    refusal := otp_closed_1(c, now_ms);
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    IF compared IS DISTINCT FROM c.digest THEN
        RETURN 'superseded';
    END IF;
    UPDATE auth_challenges SET state = 'consumed', consumed_at = otp_at_1(now_ms),
            consumed_by = by_try, ended_at = otp_at_1(now_ms)
        WHERE id = c.id;
    UPDATE challenge_attempt_log SET answer = 'right'
        WHERE challenge_id = c.id AND attempt_id = by_try;
    PERFORM otp_succeed_1(c);
    RETURN 'won';
END
$$;

-- Counts a wrong try; the last one ends the challenge and pauses its lane.
CREATE FUNCTION otp_refuse_1(c auth_challenges, by_try text, rules jsonb, now_ms bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM challenge_attempt_log
        WHERE challenge_id = c.id AND attempt_id = by_try AND answer <> 'pending') THEN
        RETURN;
    END IF;
    UPDATE challenge_attempt_log SET answer = 'wrong'
        WHERE challenge_id = c.id AND attempt_id = by_try;
    UPDATE auth_challenges SET wrong = least(wrong + 1, 4294967295) WHERE id = c.id;
    IF c.wrong + 1 >= c.attempt_limit AND c.state = 'live' THEN
        UPDATE auth_challenges
            SET state = 'exhausted', ended_at = least(expires_at, otp_at_1(now_ms))
            WHERE id = c.id;
        PERFORM otp_strike_1(c, rules, now_ms);
    END IF;
END
$$;

CREATE FUNCTION otp_settle_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    whose text;
    whom text;
    now_ms bigint;
    era bigint;
    c auth_challenges;
    outcome text;
    parts jsonb := '[]';
BEGIN
    SELECT tenant, subject_key INTO whose, whom FROM auth_challenges WHERE id = q ->> 'id';
    PERFORM otp_lock_1(q, ARRAY[otp_whose_1(whose, whom)]);
    SELECT * INTO now_ms, era FROM otp_time_1(q, true);
    c := otp_take_1(q ->> 'id', whom);
    CASE q ->> 'step'
    WHEN 'reissue' THEN
        PERFORM otp_reissue_1(c, q -> 'fields');
        PERFORM otp_intend_1(q -> 'delivery', now_ms);
        PERFORM otp_audit_1(q -> 'event', now_ms, NULL, NULL);
    WHEN 'consume' THEN
        outcome := otp_consume_1(c, q ->> 'digest', q ->> 'by', now_ms);
        PERFORM otp_audit_1(q -> 'event', now_ms,
            CASE outcome WHEN 'won' THEN NULL WHEN 'won_before' THEN 'success' ELSE 'refused' END,
            CASE outcome WHEN 'won' THEN NULL WHEN 'won_before' THEN 'repeated' ELSE outcome END);
        parts := jsonb_build_array(outcome);
    WHEN 'reject' THEN
        IF c.id IS NOT NULL THEN
            PERFORM otp_refuse_1(c, q ->> 'by', q -> 'rules', now_ms);
        END IF;
        PERFORM otp_audit_1(q -> 'event', now_ms, NULL, NULL);
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;
    RETURN otp_answer_1(q, now_ms, era, parts);
END
$$;
