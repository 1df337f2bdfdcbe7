-- What is read without being decided about: no locks, and no time is noted.

-- Live challenges by what an operator knows of them: the newest so many.
CREATE FUNCTION otp_meant_1(query jsonb, most bigint, now_ms bigint)
RETURNS SETOF auth_challenges LANGUAGE plpgsql AS $$
BEGIN
    -- Planned anew for the parts that are asked for, so that one of them finds its index.
    RETURN QUERY EXECUTE
        'SELECT * FROM auth_challenges WHERE state = ''live'' AND expires_at > otp_at_1($2)'
        || CASE WHEN query ? 'id' THEN ' AND id = $1 ->> ''id''' ELSE '' END
        || CASE WHEN query ? 'subject' THEN ' AND subject_key = $1 ->> ''subject''' ELSE '' END
        || CASE WHEN query ? 'destination_key'
            THEN ' AND destination_key = $1 ->> ''destination_key''' ELSE '' END
        || CASE WHEN query ? 'tenant' THEN ' AND tenant = $1 ->> ''tenant''' ELSE '' END
        || CASE WHEN query ? 'channel' THEN ' AND channel = $1 ->> ''channel''' ELSE '' END
        || CASE WHEN query ? 'key_id' THEN ' AND key_id = $1 ->> ''key_id''' ELSE '' END
        || CASE WHEN query ? 'address' THEN ' AND ip_address = $1 ->> ''address''' ELSE '' END
        || CASE WHEN query ? 'issued_from'
            THEN ' AND created_at >= otp_at_1(($1 ->> ''issued_from'')::bigint)' ELSE '' END
        || CASE WHEN query ? 'issued_until'
            THEN ' AND created_at < otp_at_1(($1 ->> ''issued_until'')::bigint)' ELSE '' END
        || ' ORDER BY created_at DESC, id LIMIT $3'
        USING query, now_ms, most;
END
$$;

CREATE FUNCTION otp_blocks_1(most bigint, now_ms bigint) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'value', value, 'note', note,
        'author', author, 'added_at', otp_ms_1(added_at), 'expires_at', otp_ms_1(expires_at))
        ORDER BY added_at DESC, kind, value), '[]')
    FROM (SELECT * FROM blocklist WHERE expires_at IS NULL OR expires_at > otp_at_1(now_ms)
        ORDER BY added_at DESC, kind, value LIMIT most) AS entry
$$;

-- A record as readers take it: its place, and the rest as JSON.
CREATE FUNCTION otp_record_1(r audit_logs) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT r.sequence || ':' || jsonb_build_object('id', r.event_id,
        'at', otp_ms_1(r.created_at)::text, 'kind', r.event_type, 'action', r.action,
        'outcome', r.outcome, 'reason', r.reason, 'tenant', r.tenant, 'subject', r.subject_key,
        'challenge', r.challenge, 'purpose', r.purpose, 'channel', r.channel, 'lane', r.lane,
        'destination', r.destination, 'address', r.ip_address, 'provider', r.provider,
        'request_id', r.request_id, 'operator', r.operator_name, 'why', r.operator_reason)
$$;

-- Records after a place and before any that may still come between; a reader who names no place
-- goes on where it has acknowledged. Those of kinds that the reader does not know, because a later
-- version wrote them, are passed over and stay in the log: they would stop it for good.
CREATE FUNCTION otp_outbox_1(after bigint, most bigint, types jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    settled bigint := otp_settled_1();
BEGIN
    -- A statement of its own, with a snapshot that is younger than what was settled.
    RETURN coalesce((SELECT jsonb_agg(otp_record_1(record::audit_logs) ORDER BY sequence)
        FROM (SELECT * FROM audit_logs
            WHERE sequence > coalesce(after, (SELECT acknowledged FROM audit_outbox WHERE id = 1))
                AND sequence <= settled
                AND (types IS NULL OR types ? event_type)
            ORDER BY sequence LIMIT most) AS record), '[]');
END
$$;

CREATE FUNCTION otp_query_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint;
    era bigint;
    parts jsonb;
BEGIN
    IF q ->> 'step' = 'outbox' THEN
        -- It tells what was decided and decides nothing: no time is needed. What is settled and what
        -- is seen must be looked at one after the other, so the level matters all the same.
        PERFORM otp_lock_1(q, '{}');
        RETURN otp_answer_1(q, 0, -1, jsonb_build_array(
            otp_outbox_1((q ->> 'after')::bigint, (q ->> 'limit')::bigint, q -> 'types')));
    END IF;
    SELECT * INTO now_ms, era FROM otp_time_1(q, false);
    CASE q ->> 'step'
    WHEN 'find' THEN
        SELECT jsonb_build_array(otp_fields_1(c)) INTO parts
            FROM auth_challenges AS c WHERE id = q ->> 'id';
        parts := coalesce(parts, '[[]]');
    WHEN 'list' THEN
        SELECT jsonb_build_array(coalesce(jsonb_agg(otp_fields_1(c)), '[]')) INTO parts
            FROM otp_meant_1(q -> 'query', (q ->> 'limit')::bigint, now_ms) AS c;
    WHEN 'budget' THEN
        parts := jsonb_build_array(now_ms, coalesce(otp_read_budget_1(
            q -> 'budget' ->> 'tenant', q -> 'budget' ->> 'subject', q -> 'budget' ->> 'class'), '[]'));
    WHEN 'peek' THEN
        parts := jsonb_build_array(
            otp_readings_1(otp_look_quotas_1(q -> 'quotas', false, now_ms)));
    WHEN 'blocks' THEN
        parts := jsonb_build_array(otp_blocks_1((q ->> 'limit')::bigint, now_ms));
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;
    RETURN otp_answer_1(q, now_ms, era, parts);
END
$$;
