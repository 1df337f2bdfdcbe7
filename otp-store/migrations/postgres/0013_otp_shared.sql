-- What a fleet shares besides: counts of what happens, and one policy.

-- What was counted in the minute or hour that begins so; value '' is a total.
CREATE TABLE otp_stats (
    name         text NOT NULL,
    tenant       text NOT NULL,
    grain        text NOT NULL CHECK (grain IN ('minute', 'hour')),
    value        text COLLATE "C" NOT NULL,
    counted_from timestamptz NOT NULL,
    hits         bigint NOT NULL CHECK (hits >= 0),
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (name, tenant, grain, value, counted_from)
);
CREATE INDEX otp_stats_expiry ON otp_stats (expires_at);

-- One row a version of the policy; the highest is in force.
CREATE TABLE otp_policies (
    version      bigint PRIMARY KEY CHECK (version > 0),
    document     text NOT NULL,
    author       text NOT NULL,
    reason       text NOT NULL,
    published_at timestamptz NOT NULL
);

-- The beginning of the minute or hour, of this length, that a time is in.
CREATE FUNCTION otp_begin_1(ms bigint, length bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ms - ((ms % length) + length) % length
$$;

-- Adds to counters. Rows are locked in the order of their keys, by whoever adds, so that nobody
-- waits in a circle; a row is one key's, as the caller has added up what names one.
CREATE FUNCTION otp_count_1(counts jsonb, grains jsonb, now_ms bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO otp_stats AS kept (name, tenant, grain, value, counted_from, hits, expires_at)
        SELECT c ->> 0, c ->> 1, g ->> 0, c ->> 2, otp_at_1(begin), (c ->> 3)::bigint,
            otp_at_1(begin + (g ->> 2)::bigint)
        FROM jsonb_array_elements(counts) AS c, jsonb_array_elements(grains) AS g,
            LATERAL (SELECT otp_begin_1(now_ms, (g ->> 1)::bigint) AS begin) AS slot
        ORDER BY (c ->> 0) COLLATE "C", (c ->> 1) COLLATE "C", g ->> 0, (c ->> 2) COLLATE "C"
        ON CONFLICT (name, tenant, grain, value, counted_from)
            DO UPDATE SET hits = kept.hits + excluded.hits
$$;

CREATE FUNCTION otp_sums_1(keys jsonb, by_grain text, since timestamptz) RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(jsonb_agg((SELECT coalesce(sum(hits), 0) FROM otp_stats
            WHERE name = key ->> 0 AND tenant = key ->> 1 AND grain = by_grain
                AND value = key ->> 2 AND counted_from >= since) ORDER BY nth), '[]')
    FROM jsonb_array_elements(keys) WITH ORDINALITY AS t (key, nth)
$$;

CREATE FUNCTION otp_top_1(
    of_name text, whose text, by_grain text, since timestamptz, most bigint) RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_array(value, total) ORDER BY total DESC, value), '[]')
    FROM (SELECT value, sum(hits) AS total FROM otp_stats
        WHERE name = of_name AND tenant = whose AND grain = by_grain AND value <> ''
            AND counted_from >= since
        GROUP BY value ORDER BY total DESC, value LIMIT most) AS largest
$$;

CREATE FUNCTION otp_stats_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    step text := q ->> 'step';
    now_ms bigint;
    era bigint;
    since timestamptz;
    gone bigint;
    parts jsonb := '[]';
BEGIN
    PERFORM otp_lock_1(q, '{}');
    SELECT * INTO now_ms, era FROM otp_time_1(q, step IN ('count', 'purge'));
    since := otp_at_1(otp_begin_1(now_ms - (q ->> 'back')::bigint, (q ->> 'length')::bigint));
    CASE step
    WHEN 'count' THEN
        PERFORM otp_count_1(q -> 'counts', q -> 'grains', now_ms);
    WHEN 'sums' THEN
        parts := jsonb_build_array(otp_sums_1(q -> 'keys', q ->> 'grain', since));
    WHEN 'top' THEN
        parts := jsonb_build_array(otp_top_1(q ->> 'name', q ->> 'tenant', q ->> 'grain', since,
            (q ->> 'limit')::bigint));
    WHEN 'purge' THEN
        DELETE FROM otp_stats WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM otp_stats WHERE expires_at <= otp_at_1(now_ms)
            LIMIT (q ->> 'limit')::bigint FOR UPDATE SKIP LOCKED));
        GET DIAGNOSTICS gone = ROW_COUNT;
        parts := jsonb_build_array(gone);
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;
    RETURN otp_answer_1(q, now_ms, era, parts);
END
$$;

CREATE FUNCTION otp_put_policy_1(q jsonb, number bigint, at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO otp_policies (version, document, author, reason, published_at)
        VALUES (number, q ->> 'document', q ->> 'author', q ->> 'reason', at);
    DELETE FROM otp_policies WHERE version <= number - (q ->> 'kept')::bigint;
END
$$;

CREATE FUNCTION otp_policies_1(most bigint) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('version', version, 'document', document,
        'author', author, 'reason', reason, 'at', otp_ms_1(published_at)::text)
        ORDER BY version DESC), '[]')
    FROM (SELECT * FROM otp_policies ORDER BY version DESC LIMIT most) AS newest
$$;

-- What is read needs no time, and what is taken over has its own.
CREATE FUNCTION otp_policy_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    step text := q ->> 'step';
    now_ms bigint := 0;
    era bigint := -1;
    current bigint;
    parts jsonb := '[]';
BEGIN
    IF step = 'history' THEN
        RETURN otp_answer_1(q, now_ms, era,
            jsonb_build_array(otp_policies_1((q ->> 'limit')::bigint)));
    END IF;
    IF step IN ('publish', 'adopt') THEN
        PERFORM otp_lock_1(q, ARRAY['policy']);
    END IF;
    current := coalesce((SELECT max(version) FROM otp_policies), 0);
    CASE step
    WHEN 'version' THEN
        parts := jsonb_build_array(current);
    WHEN 'publish' THEN
        SELECT * INTO now_ms, era FROM otp_time_1(q, true);
        IF current = (q ->> 'expected')::bigint THEN
            PERFORM otp_put_policy_1(q, current + 1, otp_at_1(now_ms));
            PERFORM otp_audit_1(q -> 'event', now_ms, NULL, NULL);
            parts := jsonb_build_array('as', current + 1);
        ELSE
            parts := jsonb_build_array('conflict', current);
        END IF;
    WHEN 'adopt' THEN
        IF (q ->> 'version')::bigint > current THEN
            PERFORM otp_put_policy_1(
                q, (q ->> 'version')::bigint, otp_at_1((q ->> 'at')::bigint));
        END IF;
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;
    RETURN otp_answer_1(q, now_ms, era, parts);
END
$$;
