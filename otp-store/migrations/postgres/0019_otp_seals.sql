-- Which key sealed which part of the audit log's chain: one row for records in a row, so that nobody
-- has to read the log to count them. `sequence` is the last record's place in the log; what comes
-- after the newest row's is entered by whoever seals or counts next.
CREATE TABLE audit_seals (
    first_place bigint PRIMARY KEY,
    last_place  bigint NOT NULL,
    sequence    bigint NOT NULL,
    key_id      text NOT NULL
) WITH (fillfactor = 10);

-- Enters some of what is not entered yet, and says how many links that were. The end of the chain is
-- held meanwhile. A link is `place:prev:hash:key:seal`.
CREATE FUNCTION otp_enter_seals_1(most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    known audit_seals;
    run record;
    entered bigint := 0;
BEGIN
    SELECT * INTO known FROM audit_seals ORDER BY first_place DESC LIMIT 1;
    FOR run IN
        SELECT min(place) AS first_place, max(place) AS last_place, max(sequence) AS sequence,
            key_id, count(*) AS links
        FROM (SELECT place, sequence, key_id,
                place - row_number() OVER (PARTITION BY key_id ORDER BY place) AS island
            FROM (SELECT sequence, split_part(link, ':', 1)::bigint AS place,
                    split_part(link, ':', 4) AS key_id
                FROM audit_links WHERE sequence > coalesce(known.sequence, 0)
                ORDER BY sequence LIMIT most) AS links) AS places
        GROUP BY key_id, island ORDER BY 1
    LOOP
        entered := entered + run.links;
        UPDATE audit_seals SET last_place = run.last_place, sequence = run.sequence
            WHERE first_place = known.first_place AND last_place = run.first_place - 1
                AND key_id = run.key_id;
        IF NOT FOUND THEN
            INSERT INTO audit_seals (first_place, last_place, sequence, key_id)
                VALUES (run.first_place, run.last_place, run.sequence, run.key_id);
        END IF;
    END LOOP;
    RETURN entered;
END
$$;

-- Counts the seals of the records that are still there.
CREATE FUNCTION otp_seals_1() RETURNS jsonb LANGUAGE sql AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('key', key_id, 'hold', 'chain',
        'count', seals::text, 'until', '')), '[]')
    FROM (SELECT key_id, sum(last_place + 1 - greatest(first_place, oldest)) AS seals
        FROM audit_seals, (SELECT split_part(link, ':', 1)::bigint AS oldest
            FROM audit_links ORDER BY sequence LIMIT 1) AS kept
        WHERE last_place >= oldest GROUP BY key_id) AS counted
$$;

CREATE OR REPLACE FUNCTION otp_chain_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
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
            PERFORM otp_enter_seals_1(1000);
            parts := '["yes"]';
        END IF;
    WHEN 'keys' THEN
        -- Whoever seals waits here, as they do for each other.
        PERFORM 1 FROM audit_chain WHERE id = 1 FOR UPDATE;
        parts := jsonb_build_array(otp_enter_seals_1((q ->> 'limit')::bigint), otp_seals_1());
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
