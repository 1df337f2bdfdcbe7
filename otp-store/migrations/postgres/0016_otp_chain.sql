-- The audit log's chain. A link is kept beside its record, and never changed.
CREATE TABLE audit_links (
    sequence bigint PRIMARY KEY,
    link     text NOT NULL
);

-- Where the chain ends, and who seals until when, in milliseconds.
CREATE TABLE audit_chain (
    id           integer PRIMARY KEY CHECK (id = 1),
    place        bigint NOT NULL,
    hash         text NOT NULL,
    sequence     bigint NOT NULL,
    holder       text NOT NULL,
    leased_until bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO audit_chain (id, place, hash, sequence, holder, leased_until) VALUES
    (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0, '', 0);

-- Records after the end of the chain and before any that may still come between.
CREATE FUNCTION otp_unsealed_1(most bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    settled bigint := otp_settled_1();
BEGIN
    -- A statement of its own, with a snapshot that is younger than what was settled.
    RETURN coalesce((SELECT jsonb_agg(otp_record_1(record::audit_logs) ORDER BY sequence)
        FROM (SELECT * FROM audit_logs
            WHERE sequence > (SELECT sequence FROM audit_chain WHERE id = 1) AND sequence <= settled
            ORDER BY sequence LIMIT most) AS record), '[]');
END
$$;

-- Records with their links: two texts each.
CREATE FUNCTION otp_sealed_1(after bigint, most bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_array(otp_record_1(record), link) ORDER BY place), '[]')
    FROM (SELECT l.sequence AS place, l.link, record
        FROM audit_links AS l JOIN audit_logs AS record ON record.sequence = l.sequence
        WHERE l.sequence > after ORDER BY l.sequence LIMIT most) AS chained
$$;

CREATE FUNCTION otp_chain_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := 0;
    era bigint := -1;
    parts jsonb := '["no"]';
BEGIN
    PERFORM otp_lock_1(q, '{}');
    CASE q ->> 'step'
    WHEN 'lease' THEN
        SELECT * INTO now_ms, era FROM otp_time_1(q, true);
        UPDATE audit_chain SET holder = q ->> 'holder', leased_until = now_ms + (q ->> 'life')::bigint
            WHERE id = 1 AND (holder = q ->> 'holder' OR leased_until <= now_ms);
        IF FOUND THEN
            SELECT jsonb_build_array('yes', place, hash, sequence) INTO STRICT parts
                FROM audit_chain WHERE id = 1;
        END IF;
    WHEN 'head' THEN
        SELECT jsonb_build_array('yes', place, hash, sequence) INTO STRICT parts
            FROM audit_chain WHERE id = 1;
    WHEN 'seal' THEN
        -- Of two who seal at once the second waits here, and finds that the chain has gone on.
        UPDATE audit_chain SET place = (q ->> 'place')::bigint, hash = q ->> 'hash',
                sequence = (q ->> 'sequence')::bigint
            WHERE id = 1 AND place = (q ->> 'from')::bigint AND hash = q ->> 'prev';
        IF FOUND THEN
            INSERT INTO audit_links (sequence, link)
                SELECT (listed ->> 0)::bigint, listed ->> 1
                FROM jsonb_array_elements(q -> 'links') AS listed;
            parts := '["yes"]';
        END IF;
    WHEN 'unsealed' THEN
        parts := jsonb_build_array(otp_unsealed_1((q ->> 'limit')::bigint));
    WHEN 'sealed' THEN
        parts := jsonb_build_array(
            otp_sealed_1(coalesce((q ->> 'after')::bigint, 0), (q ->> 'limit')::bigint));
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;
    RETURN otp_answer_1(q, now_ms, era, parts);
END
$$;
