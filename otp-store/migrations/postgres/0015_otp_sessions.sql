-- Sessions, and what may be used once.

-- One row a session; of its refresh tokens keyed digests only. Kept for three days after its end.
CREATE TABLE otp_sessions (
    id               text COLLATE "C" PRIMARY KEY,
    tenant           text NOT NULL,
    user_id          text COLLATE "C" NOT NULL,
    methods          text NOT NULL,
    context_class    text,
    key_id           text NOT NULL,
    digest           bytea NOT NULL,
    previous_digest  bytea,
    authenticated_at timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    refreshed_at     timestamptz NOT NULL,
    lapses_at        timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    ended_at         timestamptz,
    kept_until       timestamptz NOT NULL
);
CREATE INDEX otp_sessions_owner ON otp_sessions (tenant, user_id, created_at);
CREATE INDEX otp_sessions_expiry ON otp_sessions (kept_until);

-- What may be used once, by one browser.
CREATE TABLE otp_states (
    state_key  text PRIMARY KEY,
    binding    bytea NOT NULL,
    payload    bytea NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX otp_states_expiry ON otp_states (expires_at);

CREATE FUNCTION otp_session_fields_1(s otp_sessions) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('id', s.id, 'tenant', s.tenant, 'subject', s.user_id,
        'methods', s.methods, 'class', coalesce(s.context_class, ''), 'key_id', s.key_id,
        'digest', encode(s.digest, 'hex'), 'previous', coalesce(encode(s.previous_digest, 'hex'), ''),
        'authenticated_at', otp_ms_1(s.authenticated_at)::text,
        'created_at', otp_ms_1(s.created_at)::text, 'refreshed_at', otp_ms_1(s.refreshed_at)::text,
        'lapses_at', otp_ms_1(s.lapses_at)::text, 'expires_at', otp_ms_1(s.expires_at)::text,
        'ended_at', coalesce(otp_ms_1(s.ended_at)::text, ''))
$$;

-- Opens a session where none of its name was; of racing callers one finds that it has.
CREATE FUNCTION otp_open_session_1(q jsonb, now_ms bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    s otp_sessions;
    ends bigint := now_ms + (q ->> 'life')::bigint;
BEGIN
    INSERT INTO otp_sessions (id, tenant, user_id, methods, context_class, key_id, digest,
            authenticated_at, created_at, refreshed_at, lapses_at, expires_at, kept_until)
        VALUES (q ->> 'id', q ->> 'tenant', q ->> 'subject', q ->> 'methods', q ->> 'class',
            q ->> 'key', decode(q ->> 'digest', 'hex'), otp_at_1((q ->> 'at')::bigint),
            otp_at_1(now_ms), otp_at_1(now_ms),
            otp_at_1(least(now_ms + (q ->> 'idle')::bigint, ends)), otp_at_1(ends),
            otp_at_1(ends + (q ->> 'keep')::bigint))
        ON CONFLICT (id) DO NOTHING RETURNING * INTO s;
    IF FOUND THEN
        PERFORM otp_audit_1(q -> 'event', now_ms, NULL, NULL);
        RETURN jsonb_build_array('fresh', otp_session_fields_1(s));
    END IF;
    SELECT * INTO STRICT s FROM otp_sessions WHERE id = q ->> 'id';
    RETURN jsonb_build_array('known', otp_session_fields_1(s));
END
$$;

-- Adds whose session it is to a record.
CREATE FUNCTION otp_session_event_1(event jsonb, s otp_sessions) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT event || jsonb_build_object('tenant', s.tenant, 'subject', 'sub:' || s.user_id)
$$;

-- Turns a refresh token over, or ends the session where a spent one came back. The row is the
-- caller's alone.
CREATE FUNCTION otp_rotate_session_1(q jsonb, s otp_sessions, now_ms bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    given bytea := decode(q ->> 'presented', 'hex');
    at timestamptz := otp_at_1(now_ms);
BEGIN
    IF s.id IS NULL OR s.ended_at IS NOT NULL OR at >= s.lapses_at THEN
        PERFORM otp_audit_1(q -> 'event', now_ms, 'refused', q ->> 'ended');
        RETURN jsonb_build_array('gone');
    END IF;
    IF given = s.digest THEN
        UPDATE otp_sessions SET previous_digest = digest, digest = decode(q ->> 'next', 'hex'),
                key_id = q ->> 'key', refreshed_at = at,
                lapses_at = least(otp_at_1(now_ms + (q ->> 'idle')::bigint), expires_at)
            WHERE id = s.id RETURNING * INTO STRICT s;
        PERFORM otp_audit_1(otp_session_event_1(q -> 'event', s), now_ms, NULL, NULL);
        RETURN jsonb_build_array('fresh', otp_session_fields_1(s));
    END IF;
    IF given = s.previous_digest
        AND now_ms < otp_ms_1(s.refreshed_at) + (q ->> 'grace')::bigint THEN
        RETURN jsonb_build_array('again', otp_session_fields_1(s));
    END IF;
    UPDATE otp_sessions SET ended_at = at WHERE id = s.id RETURNING * INTO STRICT s;
    PERFORM otp_audit_1(otp_session_event_1(q -> 'event', s), now_ms, 'refused', q ->> 'reused');
    RETURN jsonb_build_array('reused', otp_session_fields_1(s));
END
$$;

-- Ends live sessions. Rows are locked in one order, so that two callers do not wait in a circle.
CREATE FUNCTION otp_end_sessions_1(q jsonb, now_ms bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    event jsonb := q -> 'event';
    ended bigint;
    ids text[];
BEGIN
    -- One way of asking a statement, each with the index that it needs.
    IF q ? 'id' THEN
        ids := ARRAY[q ->> 'id'];
    ELSIF q ? 'subject' THEN
        ids := ARRAY(SELECT id FROM otp_sessions
            WHERE tenant = q ->> 'tenant' AND user_id = q ->> 'subject' ORDER BY id FOR UPDATE);
    ELSIF q ? 'tenant' THEN
        ids := ARRAY(SELECT id FROM otp_sessions
            WHERE tenant = q ->> 'tenant' AND ended_at IS NULL ORDER BY id FOR UPDATE);
    ELSE
        ids := ARRAY(SELECT id FROM otp_sessions WHERE ended_at IS NULL ORDER BY id FOR UPDATE);
    END IF;
    UPDATE otp_sessions SET ended_at = otp_at_1(now_ms)
        WHERE id = ANY (ids) AND ended_at IS NULL AND lapses_at > otp_at_1(now_ms);
    GET DIAGNOSTICS ended = ROW_COUNT;
    PERFORM otp_audit_1(event, now_ms, NULL,
        left(coalesce(event ->> 'reason', 'ended'), 1000) || ':' || ended);
    RETURN ended;
END
$$;

CREATE FUNCTION otp_list_sessions_1(q jsonb, now_ms bigint) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(jsonb_agg(otp_session_fields_1(s::otp_sessions)
        ORDER BY s.created_at DESC, s.id DESC), '[]')
    FROM (SELECT * FROM otp_sessions
        WHERE CASE WHEN q ? 'id' THEN id = q ->> 'id'
                ELSE tenant = q ->> 'tenant' AND user_id = q ->> 'subject' END
            AND ended_at IS NULL AND lapses_at > otp_at_1(now_ms)
        ORDER BY created_at DESC, id DESC LIMIT (q ->> 'limit')::bigint) AS s
$$;

-- Counts live sessions by their keys, as the other things that hang on keys are.
CREATE FUNCTION otp_session_keys_1(now_ms bigint) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('key', key_id, 'hold', 'sessions',
        'count', things::text, 'until', otp_ms_1(last_end)::text)), '[]')
    FROM (SELECT key_id, count(*) AS things, max(lapses_at) AS last_end FROM otp_sessions
        WHERE ended_at IS NULL AND lapses_at > otp_at_1(now_ms) GROUP BY key_id) AS uses
$$;

CREATE FUNCTION otp_purge_sessions_1(most bigint, now_ms bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    gone bigint;
    n bigint;
BEGIN
    DELETE FROM otp_sessions WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM otp_sessions WHERE kept_until <= otp_at_1(now_ms)
        LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM otp_states WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM otp_states WHERE expires_at <= otp_at_1(now_ms)
        LIMIT greatest(most - gone, 0) FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN gone + n;
END
$$;

CREATE FUNCTION otp_session_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    step text := q ->> 'step';
    now_ms bigint;
    era bigint;
    s otp_sessions;
    kept bytea;
    parts jsonb := '[]';
BEGIN
    PERFORM otp_lock_1(q, '{}');
    -- Whoever waits for the row decides by the time that it is then.
    IF step = 'rotate' THEN
        SELECT * INTO s FROM otp_sessions WHERE id = q ->> 'id' FOR UPDATE;
    END IF;
    SELECT * INTO now_ms, era FROM otp_time_1(q, step NOT IN ('list', 'keys'));
    CASE step
    WHEN 'open' THEN
        parts := otp_open_session_1(q, now_ms);
    WHEN 'rotate' THEN
        parts := otp_rotate_session_1(q, s, now_ms);
    WHEN 'list' THEN
        parts := jsonb_build_array(otp_list_sessions_1(q, now_ms));
    WHEN 'keys' THEN
        parts := jsonb_build_array(otp_session_keys_1(now_ms));
    WHEN 'end' THEN
        parts := jsonb_build_array(otp_end_sessions_1(q, now_ms));
    WHEN 'put' THEN
        INSERT INTO otp_states (state_key, binding, payload, expires_at)
            VALUES (q ->> 'key', decode(q ->> 'binding', 'hex'), decode(q ->> 'payload', 'hex'),
                otp_at_1(now_ms + (q ->> 'life')::bigint))
            ON CONFLICT (state_key) DO UPDATE SET binding = excluded.binding,
                payload = excluded.payload, expires_at = excluded.expires_at;
    WHEN 'take' THEN
        DELETE FROM otp_states WHERE state_key = q ->> 'key'
            AND binding = decode(q ->> 'binding', 'hex') AND expires_at > otp_at_1(now_ms)
            RETURNING payload INTO kept;
        parts := jsonb_build_array(
            CASE WHEN kept IS NULL THEN 'none' ELSE 'taken' END, coalesce(encode(kept, 'hex'), ''));
    WHEN 'purge' THEN
        parts := jsonb_build_array(otp_purge_sessions_1((q ->> 'limit')::bigint, now_ms));
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;
    RETURN otp_answer_1(q, now_ms, era, parts);
END
$$;

-- Accepts the engine's clock. Nobody can say which of the live ones had expired, so all end:
-- challenges, sessions, states.
CREATE OR REPLACE FUNCTION otp_forgive_1(
    q jsonb, OUT now_ms bigint, OUT era bigint, OUT ended bigint)
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
    PERFORM FROM otp_sessions WHERE ended_at IS NULL ORDER BY id FOR UPDATE;
    UPDATE otp_sessions SET ended_at = otp_at_1(now_ms) WHERE ended_at IS NULL;
    DELETE FROM otp_states;
END
$$;
