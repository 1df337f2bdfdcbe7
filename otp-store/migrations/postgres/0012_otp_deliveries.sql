-- Messages: what was sent, what became of it, and what can be sent again.

-- One row a message. Places on the ladder: 10 is queued, 20 sent, 30 cancelled, 40 to 48 failed.
CREATE TABLE otp_deliveries (
    id                 text PRIMARY KEY,
    tenant             text NOT NULL,
    challenge_id       text NOT NULL,
    user_id            text NOT NULL,
    subject_key        text NOT NULL,
    purpose            text NOT NULL,
    channel            text NOT NULL,
    locale             text NOT NULL,
    -- Sealed; a decoy has none.
    destination        bytea,
    destination_masked text,
    provider           text,
    reference          text,
    state              text NOT NULL,
    place              integer NOT NULL,
    reason             text,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    resent_at          timestamptz,
    overdue_at         timestamptz,
    kept_until         timestamptz NOT NULL
);
CREATE INDEX otp_deliveries_name ON otp_deliveries (reference, provider);
CREATE INDEX otp_deliveries_place ON otp_deliveries (place, updated_at);
CREATE INDEX otp_deliveries_created ON otp_deliveries (created_at);
CREATE INDEX otp_deliveries_user ON otp_deliveries (user_id, created_at);
CREATE INDEX otp_deliveries_kept ON otp_deliveries (kept_until);

-- What vendors reported before the message was known by their name for it.
CREATE TABLE otp_delivery_reports (
    provider   text NOT NULL,
    reference  text NOT NULL,
    place      integer NOT NULL,
    state      text NOT NULL,
    reason     text,
    kept_until timestamptz NOT NULL,
    PRIMARY KEY (reference, provider)
);
CREATE INDEX otp_delivery_reports_kept ON otp_delivery_reports (kept_until);

-- Who got no message, masked: what operators ask for after an outage.
CREATE VIEW delivery_failures AS
    SELECT user_id,
        max(destination_masked) FILTER (WHERE channel <> 'email') AS phone_number,
        max(destination_masked) FILTER (WHERE channel = 'email') AS email,
        count(*) AS failed_attempts,
        max(created_at) AS last_attempt_at
    FROM otp_deliveries
    WHERE place BETWEEN 40 AND 48 AND destination IS NOT NULL
    GROUP BY user_id;

CREATE FUNCTION otp_delivery_fields_1(d otp_deliveries) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('id', d.id, 'tenant', d.tenant, 'challenge', d.challenge_id,
        'subject', d.subject_key, 'purpose', d.purpose, 'channel', d.channel, 'locale', d.locale,
        'destination', encode(d.destination, 'hex'), 'masked', d.destination_masked,
        'provider', d.provider, 'reference', d.reference, 'place', d.place, 'reason', d.reason,
        'created_at', otp_ms_1(d.created_at), 'updated_at', otp_ms_1(d.updated_at),
        'resent_at', otp_ms_1(d.resent_at), 'overdue_at', otp_ms_1(d.overdue_at))
$$;

-- Writes the intent to send a message, in the step that makes its code true; one that is written
-- already stays.
CREATE FUNCTION otp_intend_1(f jsonb, now_ms bigint) RETURNS void LANGUAGE sql VOLATILE AS $$
    INSERT INTO otp_deliveries (id, tenant, challenge_id, user_id, subject_key, purpose, channel,
            locale, destination, destination_masked, state, place, created_at, updated_at, kept_until)
        SELECT f ->> 'id', f ->> 'tenant', f ->> 'challenge', otp_user_1(f ->> 'subject'),
            f ->> 'subject', f ->> 'purpose', f ->> 'channel', f ->> 'locale',
            decode(nullif(f ->> 'destination', ''), 'hex'), left(f ->> 'masked', 512),
            'queued', 10, otp_at_1(now_ms), otp_at_1(now_ms), otp_at_1(now_ms + 86400000)
        WHERE f IS NOT NULL
        ON CONFLICT (id) DO NOTHING
$$;

-- Moves a message forward, where that is forward.
CREATE FUNCTION otp_climb_1(
    which text, to_place integer, to_state text, why text, now_ms bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE otp_deliveries SET state = to_state, place = to_place,
            reason = left(nullif(why, ''), 1024), updated_at = otp_at_1(now_ms),
            kept_until = created_at + CASE
                WHEN to_place BETWEEN 40 AND 48 AND destination IS NOT NULL
                THEN interval '720 hours' ELSE interval '24 hours' END
        WHERE id = which AND place < to_place;
    RETURN FOUND;
END
$$;

-- Takes what came of a sending, and what was reported of it before; the first settlement stands.
CREATE FUNCTION otp_settle_delivery_1(f jsonb, now_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept otp_delivery_reports;
BEGIN
    UPDATE otp_deliveries SET provider = f ->> 'provider', reference = f ->> 'reference'
        WHERE id = f ->> 'id' AND provider IS NULL AND place <> 30;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM otp_climb_1(
        f ->> 'id', (f ->> 'place')::integer, f ->> 'state', f ->> 'reason', now_ms);
    DELETE FROM otp_delivery_reports
        WHERE reference = f ->> 'reference' AND provider = f ->> 'provider'
        RETURNING * INTO kept;
    IF kept.kept_until > otp_at_1(now_ms) THEN
        PERFORM otp_climb_1(f ->> 'id', kept.place, kept.state, kept.reason, now_ms);
    END IF;
END
$$;

-- Takes a vendor's report; one of a message that is not known yet is kept, the highest of several.
CREATE FUNCTION otp_advance_1(f jsonb, now_ms bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    d otp_deliveries;
    was integer;
BEGIN
    SELECT * INTO d FROM otp_deliveries
        WHERE reference = f ->> 'reference' AND provider = f ->> 'provider' FOR UPDATE;
    IF FOUND THEN
        was := d.place;
        IF NOT otp_climb_1(
            d.id, (f ->> 'place')::integer, f ->> 'state', f ->> 'reason', now_ms) THEN
            RETURN '["unchanged"]';
        END IF;
        SELECT * INTO d FROM otp_deliveries WHERE id = d.id;
        RETURN jsonb_build_array('moved', was, otp_delivery_fields_1(d));
    END IF;
    INSERT INTO otp_delivery_reports AS kept
            (provider, reference, place, state, reason, kept_until)
        VALUES (f ->> 'provider', f ->> 'reference', (f ->> 'place')::integer, f ->> 'state',
            nullif(f ->> 'reason', ''), otp_at_1(now_ms + (f ->> 'life')::bigint))
        ON CONFLICT (reference, provider) DO UPDATE SET place = excluded.place,
            state = excluded.state, reason = excluded.reason, kept_until = excluded.kept_until
        WHERE kept.kept_until <= otp_at_1(now_ms) OR kept.place < excluded.place;
    RETURN '["unknown"]';
END
$$;

-- Ends what nobody was asked to send within its time, each with a record. Rows that somebody has in
-- hand are left to him.
CREATE FUNCTION otp_fail_unsent_1(before timestamptz, most bigint, event jsonb, now_ms bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    d otp_deliveries;
    ended jsonb := '[]';
BEGIN
    FOR d IN SELECT * FROM otp_deliveries
        WHERE place = 10 AND updated_at <= before AND provider IS NULL AND destination IS NOT NULL
        ORDER BY updated_at, id LIMIT most FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM otp_climb_1(d.id, 41, 'failed', 'not_sent_in_time', now_ms);
        SELECT * INTO d FROM otp_deliveries WHERE id = d.id;
        PERFORM otp_audit_1(event || jsonb_build_object(
            'id', replace(gen_random_uuid()::text, '-', ''), 'reason', d.reason, 'tenant', d.tenant, 'subject', d.subject_key,
            'challenge', otp_fingerprint_1(d.challenge_id), 'purpose', d.purpose,
            'channel', d.channel, 'destination', d.destination_masked), now_ms, NULL, NULL);
        ended := ended || jsonb_build_array(otp_delivery_fields_1(d));
    END LOOP;
    RETURN ended;
END
$$;

-- Marks what was accepted so long ago and has no receipt.
CREATE FUNCTION otp_overdue_1(
    since timestamptz, until timestamptz, most bigint, now_ms bigint)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    ids text[] := ARRAY(SELECT id FROM otp_deliveries
        WHERE place = 20 AND updated_at >= since AND updated_at <= until AND overdue_at IS NULL
            AND destination IS NOT NULL
        ORDER BY updated_at, id LIMIT most FOR UPDATE SKIP LOCKED);
BEGIN
    UPDATE otp_deliveries SET overdue_at = otp_at_1(now_ms) WHERE id = ANY (ids);
    RETURN coalesce((SELECT jsonb_agg(otp_delivery_fields_1(d) ORDER BY d.updated_at, d.id)
        FROM otp_deliveries AS d WHERE id = ANY (ids)), '[]');
END
$$;

-- Marks failures as sent again; answers those that were not.
CREATE FUNCTION otp_claim_resend_1(wanted jsonb, now_ms bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    ids text[] := ARRAY(SELECT id FROM otp_deliveries
        WHERE id IN (SELECT jsonb_array_elements_text(wanted)) AND resent_at IS NULL
            AND place BETWEEN 40 AND 48 AND destination IS NOT NULL
        ORDER BY id FOR UPDATE);
BEGIN
    UPDATE otp_deliveries SET resent_at = otp_at_1(now_ms) WHERE id = ANY (ids);
    RETURN to_jsonb(ids);
END
$$;

CREATE FUNCTION otp_delivery_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    f jsonb := q -> 'fields';
    most bigint := (q ->> 'limit')::bigint;
    now_ms bigint;
    era bigint;
    parts jsonb := '[]';
BEGIN
    -- Who is after a vendor's name for a message has it for himself: a report and the sending that
    -- it is about do not miss each other.
    PERFORM otp_lock_1(q, ARRAY['m' || length(f ->> 'provider') || ':' || (f ->> 'provider')
        || (f ->> 'reference')]);
    SELECT * INTO now_ms, era FROM otp_time_1(q, q ->> 'step' NOT IN ('find', 'failures'));
    CASE q ->> 'step'
    WHEN 'settle' THEN
        PERFORM otp_settle_delivery_1(f, now_ms);
        IF q ? 'event' THEN
            PERFORM otp_audit_1(q -> 'event', now_ms, NULL, NULL);
        END IF;
    WHEN 'advance' THEN
        parts := otp_advance_1(f, now_ms);
    WHEN 'find' THEN
        SELECT jsonb_build_array(otp_delivery_fields_1(d)) INTO parts
            FROM otp_deliveries AS d WHERE id = q ->> 'id';
        parts := coalesce(parts, '[[]]');
    WHEN 'failures' THEN
        parts := jsonb_build_array(coalesce((
            SELECT jsonb_agg(otp_delivery_fields_1(d::otp_deliveries) ORDER BY d.created_at DESC, d.id)
            FROM (SELECT * FROM otp_deliveries
                WHERE created_at >= otp_at_1((q ->> 'from')::bigint)
                    AND created_at < otp_at_1((q ->> 'until')::bigint)
                    AND place BETWEEN 40 AND 48 AND destination IS NOT NULL
                ORDER BY created_at DESC, id LIMIT most) AS d), '[]'));
    WHEN 'claim' THEN
        parts := jsonb_build_array(otp_claim_resend_1(q -> 'ids', now_ms));
    WHEN 'unsent' THEN
        parts := jsonb_build_array(otp_fail_unsent_1(
            otp_at_1(now_ms - (q ->> 'older_than')::bigint), most, q -> 'event', now_ms));
    WHEN 'overdue' THEN
        parts := jsonb_build_array(otp_overdue_1(otp_at_1(now_ms - (q ->> 'oldest')::bigint),
            otp_at_1(now_ms - (q ->> 'youngest')::bigint), most, now_ms));
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;
    RETURN otp_answer_1(q, now_ms, era, parts);
END
$$;
