-- The state machine of a challenge, as `otp_core::challenge` has it.

-- A challenge as names and values. Stable: its tries are read as of the same moment as its row.
CREATE FUNCTION otp_fields_1(c auth_challenges) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('id', c.id, 'tenant', c.tenant, 'subject', c.subject_key,
        'purpose', c.purpose, 'channel', c.channel, 'lane', c.lane, 'class', c.factor_class,
        'alphabet', c.code_alphabet, 'length', c.code_length, 'separators', c.code_separators,
        'destination', encode(c.destination, 'hex'), 'destination_key', c.destination_key,
        'destination_masked', c.destination_masked, 'digest', c.digest,
        'sealed_code', encode(c.sealed_code, 'hex'), 'key_id', c.key_id,
        'address', c.ip_address, 'binding', encode(c.binding, 'hex'),
        'created_at', otp_ms_1(c.created_at), 'expires_at', otp_ms_1(c.expires_at),
        'attempts', c.attempts, 'wrong', c.wrong, 'attempt_limit', c.attempt_limit,
        'sends', c.sends, 'next_send_at', otp_ms_1(c.next_send_at), 'state', c.state)
        || jsonb_build_object('consumed_at', otp_ms_1(c.consumed_at), 'consumed_by', c.consumed_by,
        'log', coalesce((SELECT jsonb_agg(
            jsonb_build_array(attempt_id, encode(fingerprint, 'hex'), answer) ORDER BY place)
            FROM challenge_attempt_log WHERE challenge_id = c.id), '[]')::text)
$$;

-- Locks a challenge by its id; its subject is locked already. Nothing where there is none.
CREATE FUNCTION otp_take_1(wanted text, subject text) RETURNS auth_challenges LANGUAGE plpgsql AS $$
DECLARE
    c auth_challenges;
BEGIN
    -- The row too: a revocation locks rows alone.
    SELECT * INTO c FROM auth_challenges
        WHERE id = wanted AND subject_key = subject FOR UPDATE;
    RETURN c;
END
$$;

-- Finds what a try is meant for: by name, or the first live one of the doors, in their order; a decoy,
-- which has no destination, where none of somebody's is live, and where none is, the first that there
-- is. What is live comes before what is newer: after a pardon of the clock an ended one may have the
-- later time.
CREATE FUNCTION otp_aim_1(target jsonb, whose text, subject text, now_ms bigint)
RETURNS auth_challenges LANGUAGE plpgsql AS $$
DECLARE
    door text;
    at timestamptz := otp_at_1(now_ms);
    c auth_challenges;
    decoy auth_challenges;
    ended auth_challenges;
BEGIN
    IF target ? 'id' THEN
        RETURN otp_take_1(target ->> 'id', subject);
    END IF;
    FOR door IN SELECT jsonb_array_elements_text(target -> 'lanes') LOOP
        SELECT * INTO c FROM auth_challenges
            WHERE subject_key = subject AND tenant = whose AND purpose = target ->> 'purpose'
                AND lane = door
            ORDER BY state = 'live' AND expires_at > at DESC,
                state = 'live' AND expires_at > at AND destination IS NULL,
                created_at DESC, state = 'superseded'
            LIMIT 1 FOR UPDATE;
        IF c.state = 'live' AND c.expires_at > at THEN
            IF c.destination IS NOT NULL THEN
                RETURN c;
            END IF;
            IF decoy.id IS NULL THEN
                decoy := c;
            END IF;
        ELSIF ended.id IS NULL THEN
            ended := c;
        END IF;
    END LOOP;
    IF decoy.id IS NOT NULL THEN
        RETURN decoy;
    END IF;
    RETURN ended;
END
$$;

CREATE FUNCTION otp_closed_1(c auth_challenges, now_ms bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE c.state
        WHEN 'consumed' THEN 'already_used'
        WHEN 'exhausted' THEN 'attempts_exhausted'
        WHEN 'superseded' THEN 'superseded'
        WHEN 'revoked' THEN 'revoked'
        ELSE CASE WHEN c.expires_at <= otp_at_1(now_ms) THEN 'expired' END END
$$;

CREATE FUNCTION otp_fits_1(shape jsonb, c auth_challenges) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT ((shape ->> 'digits')::boolean OR c.code_alphabet = 'unambiguous')
        AND (NOT (shape ->> 'separated')::boolean OR c.code_separators = 'strip')
        AND (shape ->> 'length')::bigint = c.code_length
$$;

CREATE FUNCTION otp_known_try_1(
    c auth_challenges, claim jsonb, known challenge_attempt_log, now_ms bigint)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF NOT claim -> 'prints' ? encode(known.fingerprint, 'hex') THEN
        RETURN 'refused:attempt_id_reused';
    END IF;
    IF known.answer = 'wrong' THEN
        RETURN 'replayed:wrong';
    END IF;
    IF known.answer = 'pending' THEN
        RETURN coalesce('refused:' || otp_closed_1(c, now_ms), 'resumed');
    END IF;
    IF c.state = 'consumed' AND now_ms - otp_ms_1(c.consumed_at) <= 60000 THEN
        RETURN 'replayed:right';
    END IF;
    RETURN 'refused:already_used';
END
$$;

CREATE FUNCTION otp_judge_attempt_1(c auth_challenges, claim jsonb, now_ms bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    known challenge_attempt_log;
    refusal text;
BEGIN
    IF claim ->> 'tenant' IS DISTINCT FROM c.tenant THEN
        RETURN 'refused:unknown_challenge';
    END IF;
    IF claim ->> 'purpose' <> c.purpose THEN
        RETURN 'refused:wrong_purpose';
    END IF;
    IF c.binding IS NOT NULL AND claim ->> 'binding' IS DISTINCT FROM encode(c.binding, 'hex') THEN
        RETURN 'refused:wrong_binding';
    END IF;
    IF NOT otp_fits_1(claim -> 'shape', c) THEN
        RETURN 'refused:malformed_code';
    END IF;
    IF claim ? 'id' THEN
        SELECT * INTO known FROM challenge_attempt_log
            WHERE challenge_id = c.id AND attempt_id = claim ->> 'id';
        IF FOUND THEN
            RETURN otp_known_try_1(c, claim, known, now_ms);
        END IF;
    END IF;
    refusal := otp_closed_1(c, now_ms);
    IF refusal IS NOT NULL THEN
        RETURN 'refused:' || refusal;
    END IF;
    IF c.attempts >= c.attempt_limit THEN
        RETURN 'refused:attempts_exhausted';
    END IF;
    RETURN 'reserved';
END
$$;

CREATE FUNCTION otp_judge_resend_1(c auth_challenges, claim jsonb, now_ms bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    refusal text;
BEGIN
    IF claim ->> 'tenant' IS DISTINCT FROM c.tenant THEN
        RETURN 'refused:unknown_challenge';
    END IF;
    IF c.binding IS NOT NULL AND claim ->> 'binding' IS DISTINCT FROM encode(c.binding, 'hex') THEN
        RETURN 'refused:wrong_binding';
    END IF;
    refusal := otp_closed_1(c, now_ms);
    IF refusal IS NOT NULL THEN
        RETURN 'refused:' || refusal;
    END IF;
    IF c.attempts >= c.attempt_limit THEN
        RETURN 'refused:attempts_exhausted';
    END IF;
    IF c.sends >= (claim ->> 'send_limit')::bigint THEN
        RETURN 'none_left';
    END IF;
    IF now_ms < otp_ms_1(c.next_send_at) THEN
        RETURN 'wait:' || otp_ms_1(c.next_send_at) - now_ms;
    END IF;
    RETURN 'reserved';
END
$$;

-- Counts a try for the operator's query.
CREATE FUNCTION otp_tried_1(c auth_challenges, expired boolean, now_ms bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO challenge_validation_attempts AS kept
            (challenge_id, user_id, validation_attempts, last_attempt_at, challenge_expired)
        VALUES (c.id, c.user_id, 1, otp_at_1(now_ms), expired)
        ON CONFLICT (challenge_id) DO UPDATE SET
            validation_attempts = kept.validation_attempts + 1,
            last_attempt_at = excluded.last_attempt_at,
            challenge_expired = kept.challenge_expired OR excluded.challenge_expired
$$;

-- Called where otp_judge_attempt_1 answered `reserved`.
CREATE FUNCTION otp_attempt_1(INOUT c auth_challenges, claim jsonb, now_ms bigint)
LANGUAGE plpgsql AS $$
DECLARE
    chosen text := c.id;
BEGIN
    UPDATE auth_challenges SET attempts = attempts + 1 WHERE id = chosen RETURNING * INTO STRICT c;
    IF claim ? 'id' THEN
        INSERT INTO challenge_attempt_log
                (challenge_id, place, attempt_id, fingerprint, answer, tried_at)
            SELECT chosen, coalesce(max(place) + 1, 0), claim ->> 'id',
                decode(claim -> 'prints' ->> 0, 'hex'), 'pending', otp_at_1(now_ms)
            FROM challenge_attempt_log WHERE challenge_id = chosen;
    END IF;
    PERFORM otp_tried_1(c, false, now_ms);
END
$$;

-- Called where otp_judge_resend_1 answered `reserved`.
CREATE FUNCTION otp_resend_1(INOUT c auth_challenges, claim jsonb, now_ms bigint)
LANGUAGE plpgsql AS $$
DECLARE
    chosen text := c.id;
    place integer := least(c.sends, 1000000);
    wait bigint := coalesce(
        claim -> 'cooldowns' ->> place, claim -> 'cooldowns' ->> -1, '0')::bigint;
BEGIN
    UPDATE auth_challenges SET sends = sends + 1, next_send_at = otp_at_1(now_ms + wait)
        WHERE id = chosen RETURNING * INTO STRICT c;
END
$$;
