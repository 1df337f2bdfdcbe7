-- Remembered devices, and what hangs on keys.

-- One row a remembered device; one that was forgotten has none. Its token is kept nowhere.
CREATE TABLE otp_devices (
    id          text COLLATE "C" NOT NULL,
    tenant      text NOT NULL,
    user_id     text NOT NULL,
    subject_key text NOT NULL,
    label       text,
    key_id      text NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (subject_key, tenant, id)
);
CREATE INDEX otp_devices_user ON otp_devices (user_id);
CREATE INDEX otp_devices_expiry ON otp_devices (expires_at);

CREATE FUNCTION otp_device_fields_1(d otp_devices) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('id', d.id, 'label', coalesce(d.label, ''), 'key_id', d.key_id,
        'created_at', otp_ms_1(d.created_at)::text, 'expires_at', otp_ms_1(d.expires_at)::text)
$$;

-- Remembers a device. Of more than an owner may have, those go that were remembered longest ago.
CREATE FUNCTION otp_remember_1(q jsonb, now_ms bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    owner jsonb := q -> 'owner';
    d otp_devices;
BEGIN
    DELETE FROM otp_devices WHERE subject_key = owner ->> 'subject' AND tenant = owner ->> 'tenant'
        AND (id = q ->> 'id' OR expires_at <= otp_at_1(now_ms));
    DELETE FROM otp_devices WHERE subject_key = owner ->> 'subject' AND tenant = owner ->> 'tenant'
        AND id IN (SELECT id FROM otp_devices
            WHERE subject_key = owner ->> 'subject' AND tenant = owner ->> 'tenant'
            ORDER BY created_at DESC, id DESC OFFSET (q ->> 'most')::bigint - 1);
    INSERT INTO otp_devices (id, tenant, user_id, subject_key, label, key_id, created_at, expires_at)
        VALUES (q ->> 'id', owner ->> 'tenant', otp_user_1(owner ->> 'subject'),
            owner ->> 'subject', q ->> 'label', q ->> 'key', otp_at_1(now_ms),
            otp_at_1(now_ms + (q ->> 'life')::bigint))
        RETURNING * INTO STRICT d;
    PERFORM otp_audit_1(q -> 'event', now_ms, NULL, NULL);
    RETURN jsonb_build_array(otp_device_fields_1(d));
END
$$;

CREATE FUNCTION otp_list_devices_1(owner jsonb, now_ms bigint) RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(jsonb_agg(otp_device_fields_1(d) ORDER BY d.created_at DESC, d.id DESC), '[]')
    FROM otp_devices AS d
    WHERE d.subject_key = owner ->> 'subject' AND d.tenant = owner ->> 'tenant'
        AND d.expires_at > otp_at_1(now_ms)
$$;

CREATE FUNCTION otp_forget_1(q jsonb, now_ms bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    owner jsonb := q -> 'owner';
    forgotten bigint;
BEGIN
    WITH gone AS (
        DELETE FROM otp_devices
        WHERE subject_key = owner ->> 'subject' AND tenant = owner ->> 'tenant'
            AND (NOT q ? 'id' OR id = q ->> 'id')
        RETURNING expires_at)
    SELECT count(*) FILTER (WHERE expires_at > otp_at_1(now_ms)) INTO STRICT forgotten FROM gone;
    PERFORM otp_audit_1(q -> 'event', now_ms, NULL,
        left(coalesce(q -> 'event' ->> 'reason', 'ended'), 1000) || ':' || forgotten);
    RETURN forgotten;
END
$$;

-- A sealed value names its key: a byte of version, one of length, the name.
CREATE FUNCTION otp_sealed_by_1(sealed bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT convert_from(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'UTF8')
$$;

CREATE FUNCTION otp_key_uses_1(now_ms bigint) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('key', key, 'hold', hold, 'count', things::text,
        'until', coalesce(otp_ms_1(last_end)::text, ''))), '[]')
    FROM (
        SELECT key_id AS key, 'challenges' AS hold, count(*) AS things, max(expires_at) AS last_end
            FROM auth_challenges WHERE state = 'live' AND expires_at > otp_at_1(now_ms)
            GROUP BY key_id
        UNION ALL
        SELECT key_id, 'devices', count(*), max(expires_at)
            FROM otp_devices WHERE expires_at > otp_at_1(now_ms) GROUP BY key_id
        UNION ALL
        SELECT otp_sealed_by_1(secret), 'factors', count(*), NULL
            FROM otp_factors GROUP BY otp_sealed_by_1(secret)) AS uses
$$;

CREATE FUNCTION otp_device_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    step text := q ->> 'step';
    owner jsonb := q -> 'owner';
    locked text[] := '{}';
    now_ms bigint;
    era bigint;
    gone bigint;
    parts jsonb := '[]';
BEGIN
    IF step IN ('remember', 'forget') THEN
        locked := ARRAY[otp_whose_1(owner ->> 'tenant', owner ->> 'subject')];
    END IF;
    PERFORM otp_lock_1(q, locked);
    SELECT * INTO now_ms, era FROM otp_time_1(q, step NOT IN ('list', 'keys'));
    CASE step
    WHEN 'remember' THEN
        parts := otp_remember_1(q, now_ms);
    WHEN 'list' THEN
        parts := jsonb_build_array(otp_list_devices_1(owner, now_ms));
    WHEN 'forget' THEN
        parts := jsonb_build_array(otp_forget_1(q, now_ms));
    WHEN 'keys' THEN
        parts := jsonb_build_array(otp_key_uses_1(now_ms));
    WHEN 'purge' THEN
        DELETE FROM otp_devices WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM otp_devices WHERE expires_at <= otp_at_1(now_ms)
            LIMIT (q ->> 'limit')::bigint FOR UPDATE SKIP LOCKED));
        GET DIAGNOSTICS gone = ROW_COUNT;
        parts := jsonb_build_array(gone);
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;
    RETURN otp_answer_1(q, now_ms, era, parts);
END
$$;
