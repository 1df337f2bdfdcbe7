-- Audit records and the outbox.

-- What operators call it. The caller says both names, one for each outcome where they differ, because
-- the outcome may be found here: which names there are, no function has to know.
CREATE FUNCTION otp_event_type_1(e jsonb, outcome text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN coalesce(e -> 'signs_in' -> 'for' ? (e ->> 'purpose'), true)
        THEN coalesce(e -> 'signs_in' ->> outcome, e ->> 'kind') ELSE e ->> 'kind' END
$$;

CREATE FUNCTION otp_action_1(e jsonb, outcome text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE jsonb_typeof(e -> 'action') WHEN 'object' THEN e -> 'action' ->> outcome
        ELSE e ->> 'action' END
$$;

-- Adds a record in the transaction that makes it true; the same record is added once. A text that
-- is too long loses its end: it must neither stop the decision that it tells of nor grow a page of
-- the outbox without end.
--
-- Numbers are drawn in order and seen in the order of commits: a reader who goes on after number 7
-- would never hear of a number 6 that is committed later. So a writer says before it draws, by a
-- shared lock that nobody waits for, which number had been drawn by then; see otp_settled_1. What
-- holds a reader back is a writer of these tables alone, not any long transaction of the host's.
CREATE FUNCTION otp_audit_1(e jsonb, now_ms bigint, outcome text, reason text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    came_out text := coalesce(outcome, e ->> 'outcome');
BEGIN
    PERFORM pg_advisory_xact_lock_shared(
        otp_outbox_lock_1(), otp_low_1(CASE WHEN is_called THEN last_value ELSE 0 END))
        FROM audit_logs_places;
    INSERT INTO audit_logs (event_id, actor_id, subject_key, event_type, action, outcome, reason,
            tenant, challenge, purpose, channel, lane, destination, ip_address, provider,
            request_id, operator_name, operator_reason, created_at)
        VALUES (e ->> 'id', otp_user_1(e ->> 'subject'), e ->> 'subject',
            otp_event_type_1(e, came_out), otp_action_1(e, came_out), came_out,
            left(coalesce(reason, e ->> 'reason'), 1024),
            e ->> 'tenant', left(e ->> 'challenge', 64), e ->> 'purpose', e ->> 'channel',
            e ->> 'lane', left(e ->> 'destination', 512), e ->> 'address',
            left(e ->> 'provider', 255), left(e ->> 'request_id', 255),
            e ->> 'operator', e ->> 'why',
            -- A record that was kept elsewhere before keeps its own time.
            otp_at_1(coalesce((e ->> 'at')::bigint, now_ms)))
        ON CONFLICT (event_id) DO NOTHING;
END
$$;

-- The last 32 bits of a number, as the signed number that locks are named by.
CREATE FUNCTION otp_low_1(number bigint) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT (((number & 4294967295) + 2147483648) % 4294967296 - 2147483648)::integer
$$;

CREATE FUNCTION otp_outbox_lock_1() RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT otp_low_1('audit_logs'::regclass::oid::bigint)
$$;

-- The last number that no record can come before any more: whoever had drawn one of those up to
-- `drawn` holds its lock still, and then draws later than what its lock says, or was seen to end.
CREATE FUNCTION otp_settled_1() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    drawn bigint;
    held bigint;
BEGIN
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO STRICT drawn
        FROM audit_logs_places;
    SELECT min(drawn + otp_low_1(objid::bigint - drawn)) INTO held FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 2 AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND classid::bigint = otp_outbox_lock_1()::bigint & 4294967295;
    RETURN least(drawn, held);
END
$$;

-- The part of an id that names it in logs: bytes 3 to 11, as URL-safe base64.
CREATE FUNCTION otp_fingerprint_1(id text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT translate(encode(substring(
        decode(translate(id, '-_', '+/'), 'base64') FROM 3 FOR 9), 'base64'), '+/', '-_')
$$;

-- Says of whom a record is.
CREATE FUNCTION otp_about_1(e jsonb, c auth_challenges) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT e || jsonb_build_object('subject', c.subject_key,
        'challenge', otp_fingerprint_1(c.id), 'purpose', c.purpose,
        'channel', c.channel, 'lane', c.lane, 'destination', c.destination_masked)
$$;
