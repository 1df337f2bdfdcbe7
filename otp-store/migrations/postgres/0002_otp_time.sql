-- What every function shares: times, locks, the clock, the answer. A name ends in its version, so
-- that those of a later library can lie beside these. Tables are found as the caller finds them.
--
-- Errors of ours: OTP01 the clock went back, OTP02 what the contract forbids, OTP03 what cannot be
-- read, OTP04 not READ COMMITTED.

-- Exact over the years 1 to 9999, and clamped to them: whole seconds times a million fit a double.
CREATE FUNCTION otp_at_1(ms bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN ms IS NOT NULL THEN timestamptz 'epoch'
        + (least(greatest(ms, -62135596800000), 253402300799999) / 1000) * interval '1 second'
        + (least(greatest(ms, -62135596800000), 253402300799999) % 1000) * interval '1 millisecond'
    END
$$;

CREATE FUNCTION otp_ms_1(at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT floor(extract(epoch FROM at) * 1000)::bigint
$$;

-- The host's id of a subject, or its pseudonym.
CREATE FUNCTION otp_user_1(subject text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN starts_with(subject, 'sub:') THEN substr(subject, 5) ELSE subject END
$$;

-- Names the lock of all that is kept by a subject: challenges and budgets.
CREATE FUNCTION otp_whose_1(tenant text, subject text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 's' || length(tenant) || ':' || tenant || subject
$$;

CREATE FUNCTION otp_fail_1(kind text, code text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = code, MESSAGE = 'otp-kit: ' || kind;
END
$$;

-- The first thing that a deciding function does: callers who would decide about the same things
-- queue here, and what they read afterwards, in statements with snapshots of their own, is what the
-- one before them committed. That holds at READ COMMITTED alone: the other levels would read what
-- was there before the wait. All keys are taken at once and in one order, so that nobody waits in a
-- circle. They are mixed with the table's number: schemas of one database do not wait for each other.
CREATE FUNCTION otp_lock_1(q jsonb, keys text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    hash bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM otp_fail_1('isolation', 'OTP04');
    END IF;
    IF q ? 'patience' THEN
        PERFORM set_config('lock_timeout', q ->> 'patience', true);
        -- An instance that stops between a call and its COMMIT is not heard to go: the server ends
        -- what it hears nothing of, and its locks with it.
        PERFORM set_config('idle_in_transaction_session_timeout', q ->> 'patience', true);
    END IF;
    FOR hash IN
        SELECT DISTINCT hashtextextended(key, 'auth_challenges'::regclass::oid::bigint) AS number
        FROM unnest(keys) AS key WHERE key IS NOT NULL ORDER BY number
    LOOP
        PERFORM pg_advisory_xact_lock(hash);
    END LOOP;
END
$$;

-- The engine's clock, or the one that a test brings.
CREATE FUNCTION otp_engine_1(q jsonb) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT least(greatest(
        coalesce((q ->> 'now')::bigint, otp_ms_1(clock_timestamp())), -62135596800000), 253402300799999)
$$;

-- The time, never earlier than any writer has noted or this caller was told. To note every time
-- would make all transactions wait for one row: it is done once a second, by whoever finds the row
-- free, and the callers' own marks cover what lies between. A mark from before a pardon is void.
CREATE FUNCTION otp_time_1(q jsonb, writes boolean, OUT now_ms bigint, OUT era bigint)
LANGUAGE plpgsql AS $$
DECLARE
    seen bigint;
    high bigint;
BEGIN
    SELECT seen_ms, pardons INTO STRICT seen, era FROM otp_clock WHERE id = 1;
    now_ms := otp_engine_1(q);
    high := seen;
    IF (q ->> 'era')::bigint = era THEN
        high := greatest(seen, (q ->> 'floor')::bigint);
    END IF;
    IF high - now_ms > 5000 THEN
        PERFORM otp_fail_1('clock', 'OTP01');
    END IF;
    now_ms := greatest(now_ms, high);
    IF writes AND now_ms - seen >= 1000 THEN
        PERFORM FROM otp_clock
            WHERE id = 1 AND pardons = era AND seen_ms < now_ms FOR UPDATE SKIP LOCKED;
        IF FOUND THEN
            UPDATE otp_clock SET seen_ms = now_ms WHERE id = 1;
        END IF;
    END IF;
END
$$;

CREATE FUNCTION otp_answer_1(q jsonb, now_ms bigint, era bigint, parts jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('call', q -> 'call', 'now', now_ms, 'era', era, 'parts', parts)
$$;
