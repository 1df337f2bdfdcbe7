-- Audit records and the outbox.

-- What operators call it: whoever asks for a code to sign in attempts to, and whoever types a
-- wrong one fails to; of an unknown challenge nobody knows what it was for. Everything else keeps
-- its own name.
CREATE FUNCTION otp_event_type_1(kind text, outcome text, purpose text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN purpose NOT IN ('login', 'mfa') THEN kind
        WHEN kind = 'identity.auth.challenge_issued' THEN 'login_attempt'
        WHEN kind = 'identity.auth.validation_attempt' AND outcome <> 'success'
            THEN 'login_failure'
        ELSE kind END
$$;

CREATE FUNCTION otp_event_kind_1(event_type text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE event_type
        WHEN 'login_attempt' THEN 'identity.auth.challenge_issued'
        WHEN 'login_failure' THEN 'identity.auth.validation_attempt'
        ELSE event_type END
$$;

CREATE FUNCTION otp_action_1(kind text, outcome text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE kind
        WHEN 'identity.delivery.sent' THEN 'MFA_CODE_SENT'
        WHEN 'identity.delivery.failed' THEN 'MFA_CODE_NOT_SENT'
        WHEN 'identity.delivery.reported' THEN CASE outcome
            WHEN 'success' THEN 'MFA_DELIVERY_REPORTED' ELSE 'MFA_DELIVERY_FAILED' END
        WHEN 'identity.auth.validation_attempt' THEN CASE outcome
            WHEN 'success' THEN 'MFA_VERIFICATION_SUCCEEDED' ELSE 'MFA_VERIFICATION_FAILED' END
        WHEN 'identity.auth.challenge_issued' THEN CASE outcome
            WHEN 'success' THEN 'MFA_CHALLENGE_ISSUED' ELSE 'MFA_CHALLENGE_REFUSED' END
        WHEN 'identity.auth.challenge_resent' THEN CASE outcome
            WHEN 'success' THEN 'MFA_CHALLENGE_RESENT' ELSE 'MFA_RESEND_REFUSED' END
        WHEN 'identity.auth.challenge_cancelled' THEN 'MFA_CHALLENGE_CANCELLED'
        WHEN 'identity.ratelimit.exceeded' THEN 'RATE_LIMIT_EXCEEDED'
        WHEN 'identity.auth.device_remembered' THEN 'DEVICE_REMEMBERED'
        WHEN 'identity.auth.factor_enrolled' THEN 'FACTOR_ENROLLED'
        WHEN 'identity.auth.factor_confirmed' THEN 'FACTOR_CONFIRMED'
        WHEN 'identity.auth.factor_removed' THEN 'FACTOR_REMOVED'
        WHEN 'identity.auth.factors_reset' THEN 'FACTORS_RESET'
        WHEN 'identity.auth.recovery_renewed' THEN 'RECOVERY_CODES_RENEWED'
        WHEN 'identity.operator.action' THEN 'OPERATOR_ACTION'
        WHEN 'identity.store.guesses_carried_over' THEN 'GUESSES_CARRIED_OVER'
        WHEN 'identity.guard.toll_fraud' THEN 'TOLL_FRAUD_SUSPECTED'
        WHEN 'identity.guard.fleet_alarm' THEN 'FLEET_ALARM'
        WHEN 'identity.policy.changed' THEN 'POLICY_CHANGED'
        WHEN 'identity.policy.override_began' THEN 'POLICY_OVERRIDE_BEGAN'
        WHEN 'identity.policy.override_ended' THEN 'POLICY_OVERRIDE_ENDED'
        WHEN 'identity.session.started' THEN 'SESSION_STARTED'
        WHEN 'identity.session.refreshed' THEN CASE outcome
            WHEN 'success' THEN 'SESSION_REFRESHED' ELSE 'SESSION_REFRESH_REFUSED' END
        WHEN 'identity.session.ended' THEN 'SESSION_ENDED'
        ELSE upper(replace(kind, '.', '_')) END
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
            otp_event_type_1(e ->> 'kind', came_out, e ->> 'purpose'),
            otp_action_1(e ->> 'kind', came_out), came_out,
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
