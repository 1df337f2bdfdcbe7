-- Authenticators and recovery codes.

-- One row an authenticator; one without `confirmed_at` waits for its first code.
CREATE TABLE otp_factors (
    id           text PRIMARY KEY,
    tenant       text NOT NULL,
    user_id      text NOT NULL,
    subject_key  text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('totp', 'hotp')),
    algorithm    text NOT NULL,
    digits       integer NOT NULL,
    period       integer NOT NULL,
    name         text NOT NULL,
    -- Sealed to tenant, subject and id.
    secret       bytea NOT NULL,
    -- The time step or counter that was accepted last; it never goes back.
    last_step    bigint CHECK (last_step >= 0),
    created_at   timestamptz NOT NULL,
    confirmed_at timestamptz,
    used_at      timestamptz,
    UNIQUE (subject_key, tenant, name)
);
CREATE INDEX otp_factors_user ON otp_factors (user_id);

-- One row a recovery code that is left.
CREATE TABLE otp_recovery_codes (
    tenant      text NOT NULL,
    user_id     text NOT NULL,
    subject_key text NOT NULL,
    selector    text NOT NULL,
    digest      text NOT NULL,
    PRIMARY KEY (subject_key, tenant, selector)
);

-- The try of an owner that was accepted last, where its client named it: how it answers when it is
-- repeated, for a minute.
CREATE TABLE otp_accepted_tries (
    tenant      text NOT NULL,
    user_id     text NOT NULL,
    subject_key text NOT NULL,
    answer      text NOT NULL,
    PRIMARY KEY (subject_key, tenant)
);

-- An owner's authenticators, as names and values.
CREATE FUNCTION otp_factors_1(whose text, whom text) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'tenant', tenant,
        'subject', subject_key, 'kind', kind, 'algorithm', algorithm, 'digits', digits::text,
        'period', period::text, 'name', name, 'secret', encode(secret, 'hex'),
        'last', coalesce(last_step::text, ''), 'created_at', otp_ms_1(created_at)::text,
        'confirmed_at', coalesce(otp_ms_1(confirmed_at)::text, ''),
        'used_at', coalesce(otp_ms_1(used_at)::text, ''))), '[]')
    FROM otp_factors WHERE subject_key = whom AND tenant = whose
$$;

-- Gives a success its own guess back; a budget that was never used has none.
CREATE FUNCTION otp_give_back_1(owner jsonb, door text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c auth_challenges;
BEGIN
    c.tenant := owner ->> 'tenant';
    c.subject_key := owner ->> 'subject';
    c.factor_class := owner ->> 'class';
    c.lane := door;
    PERFORM otp_succeed_1(c);
END
$$;

CREATE FUNCTION otp_has_active_1(owner jsonb) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT EXISTS (SELECT FROM otp_factors WHERE subject_key = owner ->> 'subject'
        AND tenant = owner ->> 'tenant' AND confirmed_at IS NOT NULL)
$$;

-- Adds an authenticator; says why not, where there is no place for it.
CREATE FUNCTION otp_enrol_1(f jsonb, most bigint, shown text, now_ms bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    same otp_factors;
BEGIN
    IF shown = 'no_factor' AND otp_has_active_1(f) THEN
        RETURN 'stale_proof';
    END IF;
    SELECT * INTO same FROM otp_factors
        WHERE subject_key = f ->> 'subject' AND tenant = f ->> 'tenant'
            AND (name = f ->> 'name' OR id = f ->> 'id');
    IF same.confirmed_at IS NOT NULL THEN
        RETURN 'factor_name_taken';
    END IF;
    IF same.id IS NULL AND (SELECT count(*) FROM otp_factors
        WHERE subject_key = f ->> 'subject' AND tenant = f ->> 'tenant') >= most THEN
        RETURN 'too_many_factors';
    END IF;
    DELETE FROM otp_factors WHERE id = same.id;
    INSERT INTO otp_factors (id, tenant, user_id, subject_key, kind, algorithm, digits, period,
            name, secret, created_at)
        VALUES (f ->> 'id', f ->> 'tenant', otp_user_1(f ->> 'subject'), f ->> 'subject',
            f ->> 'kind', f ->> 'algorithm', (f ->> 'digits')::integer,
            (f ->> 'period')::integer, f ->> 'name', decode(f ->> 'secret', 'hex'),
            otp_at_1(now_ms));
    RETURN NULL;
END
$$;

-- Keeps how a try answers when it is repeated, in the place of the one before it.
CREATE FUNCTION otp_keep_try_1(owner jsonb, said text) RETURNS void LANGUAGE sql VOLATILE AS $$
    INSERT INTO otp_accepted_tries (tenant, user_id, subject_key, answer)
        SELECT owner ->> 'tenant', otp_user_1(owner ->> 'subject'), owner ->> 'subject', said
        WHERE said <> ''
        ON CONFLICT (subject_key, tenant) DO UPDATE SET answer = excluded.answer
$$;

-- Calls an authenticator by another name; says why not, where it is not free.
CREATE FUNCTION otp_rename_1(q jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    whose text := q -> 'owner' ->> 'tenant';
    whom text := q -> 'owner' ->> 'subject';
    other otp_factors;
BEGIN
    IF NOT EXISTS (SELECT FROM otp_factors
        WHERE id = q ->> 'id' AND subject_key = whom AND tenant = whose) THEN
        RETURN 'unknown_factor';
    END IF;
    SELECT * INTO other FROM otp_factors WHERE subject_key = whom AND tenant = whose
        AND name = q ->> 'name' AND id <> q ->> 'id';
    IF other.confirmed_at IS NOT NULL THEN
        RETURN 'factor_name_taken';
    END IF;
    DELETE FROM otp_factors WHERE id = other.id;
    UPDATE otp_factors SET name = q ->> 'name' WHERE id = q ->> 'id';
    RETURN NULL;
END
$$;

-- Takes the one success of a step; says why not, where it is none.
CREATE FUNCTION otp_take_step_1(q jsonb, now_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    owner jsonb := q -> 'owner';
    step_to bigint := (q ->> 'to')::bigint;
    f otp_factors;
BEGIN
    SELECT * INTO f FROM otp_factors WHERE id = q ->> 'id'
        AND subject_key = owner ->> 'subject' AND tenant = owner ->> 'tenant' FOR UPDATE;
    IF f.id IS NULL THEN
        RETURN 'unknown_factor';
    END IF;
    IF step_to <= f.last_step THEN
        RETURN 'used_code';
    END IF;
    IF (q ->> 'from' = 'pending') <> (f.confirmed_at IS NULL) THEN
        RETURN 'unknown_factor';
    END IF;
    IF NOT otp_has_active_1(owner) THEN
        -- The first confirmation takes away whatever else was begun before it.
        DELETE FROM otp_factors WHERE id <> f.id
            AND subject_key = owner ->> 'subject' AND tenant = owner ->> 'tenant';
        DELETE FROM otp_recovery_codes
            WHERE subject_key = owner ->> 'subject' AND tenant = owner ->> 'tenant';
        DELETE FROM otp_accepted_tries
            WHERE subject_key = owner ->> 'subject' AND tenant = owner ->> 'tenant';
    END IF;
    UPDATE otp_factors SET last_step = step_to, used_at = otp_at_1(now_ms),
            confirmed_at = coalesce(confirmed_at, otp_at_1(now_ms)),
            secret = coalesce(decode(nullif(q ->> 'resealed', ''), 'hex'), secret)
        WHERE id = f.id;
    PERFORM otp_give_back_1(owner, q ->> 'lane');
    PERFORM otp_keep_try_1(owner, q ->> 'accepted');
    RETURN NULL;
END
$$;

CREATE FUNCTION otp_put_recovery_1(owner jsonb, codes jsonb) RETURNS void LANGUAGE sql VOLATILE AS $$
    DELETE FROM otp_recovery_codes
        WHERE subject_key = owner ->> 'subject' AND tenant = owner ->> 'tenant';
    INSERT INTO otp_recovery_codes (tenant, user_id, subject_key, selector, digest)
        SELECT owner ->> 'tenant', otp_user_1(owner ->> 'subject'), owner ->> 'subject',
            key, value
        FROM jsonb_each_text(codes)
$$;

CREATE FUNCTION otp_codes_left_1(owner jsonb) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT count(*) FROM otp_recovery_codes
    WHERE subject_key = owner ->> 'subject' AND tenant = owner ->> 'tenant'
$$;

-- What is read needs no time.
CREATE FUNCTION otp_look_factor_1(q jsonb) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT jsonb_build_array(CASE q ->> 'step'
        WHEN 'list' THEN otp_factors_1(q -> 'owner' ->> 'tenant', q -> 'owner' ->> 'subject')
        WHEN 'accepted' THEN to_jsonb(coalesce((SELECT answer FROM otp_accepted_tries
            WHERE subject_key = q -> 'owner' ->> 'subject'
                AND tenant = q -> 'owner' ->> 'tenant'), ''))
        WHEN 'left' THEN to_jsonb(otp_codes_left_1(q -> 'owner'))
        ELSE to_jsonb(coalesce((SELECT digest FROM otp_recovery_codes
            WHERE subject_key = q -> 'owner' ->> 'subject' AND tenant = q -> 'owner' ->> 'tenant'
                AND selector = q ->> 'selector'), '')) END)
$$;

CREATE FUNCTION otp_factor_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    step text := q ->> 'step';
    owner jsonb := q -> 'owner';
    whose text := owner ->> 'tenant';
    whom text := owner ->> 'subject';
    now_ms bigint := 0;
    era bigint := -1;
    why text;
    gone bigint;
    more bigint;
    was_active boolean;
    parts jsonb := '[]';
BEGIN
    IF step IN ('list', 'recovery', 'left', 'accepted') THEN
        RETURN otp_answer_1(q, now_ms, era, otp_look_factor_1(q));
    END IF;
    PERFORM otp_lock_1(q, ARRAY[otp_whose_1(whose, whom)]);
    SELECT * INTO now_ms, era FROM otp_time_1(q, true);
    CASE step
    WHEN 'enrol' THEN
        why := otp_enrol_1(q -> 'factor', (q ->> 'most')::bigint, q ->> 'shown', now_ms);
        parts := jsonb_build_array(coalesce(why, ''));
    WHEN 'advance' THEN
        why := otp_take_step_1(q, now_ms);
        parts := jsonb_build_array(coalesce(why, ''));
    WHEN 'remove' THEN
        DELETE FROM otp_factors
            WHERE id = q ->> 'id' AND subject_key = whom AND tenant = whose
            RETURNING confirmed_at IS NOT NULL INTO was_active;
        why := CASE WHEN was_active IS NULL THEN 'unknown_factor' END;
        parts := jsonb_build_array(coalesce(why, ''));
        -- The recovery codes go with the last active one.
        IF was_active AND NOT EXISTS (SELECT FROM otp_factors
                WHERE subject_key = whom AND tenant = whose AND confirmed_at IS NOT NULL) THEN
            DELETE FROM otp_recovery_codes WHERE subject_key = whom AND tenant = whose;
            DELETE FROM otp_accepted_tries WHERE subject_key = whom AND tenant = whose;
            q := jsonb_set(q, '{event,reason}', '"last_factor"');
            parts := '["last_factor"]';
        END IF;
    WHEN 'rename' THEN
        why := otp_rename_1(q);
        parts := jsonb_build_array(coalesce(why, ''));
    WHEN 'put_recovery' THEN
        PERFORM otp_put_recovery_1(owner, q -> 'codes');
    WHEN 'use_recovery' THEN
        DELETE FROM otp_recovery_codes WHERE subject_key = whom AND tenant = whose
            AND selector = q ->> 'selector' AND digest = q ->> 'digest';
        GET DIAGNOSTICS gone = ROW_COUNT;
        IF gone = 0 THEN
            why := 'used_code';
        ELSE
            PERFORM otp_give_back_1(owner, q ->> 'lane');
            PERFORM otp_keep_try_1(owner, q ->> 'accepted');
        END IF;
        parts := jsonb_build_array(coalesce(why, ''), otp_codes_left_1(owner));
    WHEN 'reset' THEN
        DELETE FROM otp_factors WHERE subject_key = whom AND tenant = whose;
        GET DIAGNOSTICS gone = ROW_COUNT;
        DELETE FROM otp_recovery_codes WHERE subject_key = whom AND tenant = whose;
        GET DIAGNOSTICS more = ROW_COUNT;
        DELETE FROM otp_accepted_tries WHERE subject_key = whom AND tenant = whose;
        parts := jsonb_build_array(gone + more);
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;
    PERFORM otp_audit_1(q -> 'event', now_ms, CASE WHEN why IS NOT NULL THEN 'refused' END, why);
    RETURN otp_answer_1(q, now_ms, era, parts);
END
$$;
