-- Windows and rates, as `otp_core::quota::{window, gcra}` have them: milliseconds for windows,
-- microseconds for rates and readings. A level that refuses has a `retry` of 0 or more.

CREATE TYPE otp_bucket_1 AS (
    place integer, bucket text, scope text, own boolean, kind text,
    most bigint, length bigint, step bigint,
    hit_at bigint, tat bigint,
    remaining bigint, reset bigint, retry bigint
);

-- The range of times that quotas count in.
CREATE FUNCTION otp_bounded_1(now_ms bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT least(greatest(now_ms, 0), 16725225600000)
$$;

CREATE FUNCTION otp_look_window_1(INOUT b otp_bucket_1, now_ms bigint) LANGUAGE plpgsql AS $$
DECLARE
    newest bigint;
    hits bigint;
    leaves bigint;
BEGIN
    b.hit_at := now_ms;
    b.remaining := b.most;
    b.reset := 0;
    b.retry := -1;
    SELECT otp_ms_1(max(attempted_at)) INTO newest FROM rate_limit_attempts
        WHERE bucket = b.bucket;
    -- A clock that went back behind the newest hit stands still there.
    IF newest IS NULL OR newest <= greatest(newest, now_ms) - b.length THEN
        RETURN;
    END IF;
    b.hit_at := greatest(newest, now_ms);
    -- Counting stops at the most that the quota allows: more makes no difference to it.
    SELECT count(*), otp_ms_1(min(attempted_at)) INTO hits, leaves FROM (
        SELECT attempted_at FROM rate_limit_attempts
        WHERE bucket = b.bucket AND attempted_at > otp_at_1(b.hit_at - b.length)
        ORDER BY attempted_at DESC LIMIT b.most) AS inside;
    b.remaining := b.most - hits;
    b.reset := greatest(newest + b.length - now_ms, 0) * 1000;
    IF b.remaining = 0 THEN
        b.retry := greatest(leaves + b.length - now_ms, 0) * 1000;
    END IF;
END
$$;

CREATE FUNCTION otp_level_1(INOUT b otp_bucket_1, tat bigint, now_us bigint)
LANGUAGE plpgsql AS $$
DECLARE
    ahead bigint := greatest(tat - now_us, 0);
    free bigint := b.step * b.most - ahead;
BEGIN
    b.remaining := greatest(free / b.step, 0);
    b.reset := ahead;
    b.retry := CASE WHEN b.step > free THEN b.step - free ELSE -1 END;
END
$$;

CREATE FUNCTION otp_look_rate_1(INOUT b otp_bucket_1, now_us bigint) LANGUAGE plpgsql AS $$
DECLARE
    cell rate_limit_cells;
    as_of bigint;
    used bigint;
BEGIN
    SELECT * INTO cell FROM rate_limit_cells WHERE bucket = b.bucket;
    b.tat := cell.tat;
    -- A bucket of another rate is restated: the hits that it remembers count under the one it has.
    IF FOUND AND (cell.burst, cell.step) IS DISTINCT FROM (b.most, b.step) THEN
        as_of := greatest(now_us, cell.tat - cell.step * cell.burst);
        used := least((greatest(cell.tat - as_of, 0) + cell.step - 1) / cell.step, cell.burst);
        b.tat := as_of + b.step * least(used, b.most);
    END IF;
    b := otp_level_1(b, coalesce(b.tat, now_us), now_us);
END
$$;

-- Reads every claim, or the requester's alone.
CREATE FUNCTION otp_look_quotas_1(quotas jsonb, own_only boolean, time_ms bigint)
RETURNS otp_bucket_1[] LANGUAGE plpgsql AS $$
DECLARE
    b otp_bucket_1;
    found_all otp_bucket_1[] := '{}';
    now_ms bigint := otp_bounded_1(time_ms);
BEGIN
    FOR b IN
        SELECT q.place, q.key, q.scope, q.own, q.kind, coalesce(q.max, q.burst), q.length, q.step,
            NULL, NULL, NULL, NULL, NULL
        FROM jsonb_to_recordset(quotas) AS q (place integer, key text, scope text, own boolean,
            kind text, max bigint, burst bigint, length bigint, step bigint)
        WHERE q.own OR NOT own_only ORDER BY q.place
    LOOP
        IF b.kind = 'window' THEN
            b := otp_look_window_1(b, now_ms);
        ELSE
            b := otp_look_rate_1(b, now_ms * 1000);
        END IF;
        found_all := found_all || b;
    END LOOP;
    RETURN found_all;
END
$$;

-- Names the scope of the first claim that refuses.
CREATE FUNCTION otp_refused_1(buckets otp_bucket_1[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT scope FROM unnest(buckets) WHERE retry >= 0 ORDER BY place LIMIT 1
$$;

-- Charges every claim with one; called where none refuses. A key that stands in several claims of
-- its kind is charged once, and its hits are kept for the longest of its windows.
CREATE FUNCTION otp_charge_quotas_1(buckets otp_bucket_1[], owner text, time_ms bigint)
RETURNS otp_bucket_1[] LANGUAGE plpgsql AS $$
DECLARE
    b otp_bucket_1;
    after otp_bucket_1[] := '{}';
    now_ms bigint := otp_bounded_1(time_ms);
    is_first boolean;
    user_named text;
BEGIN
    FOREACH b IN ARRAY buckets LOOP
        is_first := NOT EXISTS (SELECT FROM unnest(after) AS o
            WHERE o.kind = b.kind AND o.bucket = b.bucket);
        user_named := CASE WHEN b.scope IN ('subject', 'destination') THEN owner END;
        IF b.kind = 'window' THEN
            IF is_first THEN
                INSERT INTO rate_limit_attempts (bucket, user_id, attempted_at, expires_at)
                    SELECT b.bucket, user_named, otp_at_1(b.hit_at),
                        otp_at_1(b.hit_at + max(o.length))
                    FROM unnest(buckets) AS o WHERE o.kind = b.kind AND o.bucket = b.bucket;
            END IF;
            b.remaining := b.remaining - 1;
            b.reset := (b.hit_at + b.length - now_ms) * 1000;
        ELSE
            b.tat := greatest(b.tat, now_ms * 1000) + b.step;
            IF is_first THEN
                INSERT INTO rate_limit_cells AS kept (bucket, user_id, tat, burst, step)
                    VALUES (b.bucket, user_named, b.tat, b.most, b.step)
                    ON CONFLICT (bucket) DO UPDATE SET user_id = excluded.user_id,
                        tat = excluded.tat, burst = excluded.burst, step = excluded.step;
            END IF;
            b := otp_level_1(b, b.tat, now_ms * 1000);
        END IF;
        b.retry := -1;
        after := after || b;
    END LOOP;
    RETURN after;
END
$$;

CREATE FUNCTION otp_readings_1(buckets otp_bucket_1[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_array(place, remaining, reset, retry) ORDER BY place), '[]')
    FROM unnest(buckets)
$$;

-- The keys of claims, as locks are named by.
CREATE FUNCTION otp_quota_locks_1(quotas jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY(SELECT 'q' || (claim ->> 'key') FROM jsonb_array_elements(quotas) AS claim)
$$;
