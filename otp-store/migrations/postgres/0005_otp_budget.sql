-- The guess budget, as `otp_core::quota::Budget` has it.

-- Says what a budget has against a guess; an empty text where it takes one.
CREATE FUNCTION otp_look_budget_1(
    whose text, subject text, class text, door text, rules jsonb, now_ms bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    b guess_budgets;
    place integer := CASE door WHEN 'public' THEN 0 ELSE 1 END;
    held bigint[];
    inside bigint[];
    rule jsonb;
    till bigint;
    over bigint;
    frees bigint;
BEGIN
    SELECT * INTO b FROM guess_budgets
        WHERE tenant = whose AND subject_key = subject AND factor_class = class;
    IF b.disabled OR coalesce(b.consecutive, 0) >= (rules -> 'run' ->> place)::bigint THEN
        RETURN 'disabled';
    END IF;
    till := otp_ms_1(CASE place WHEN 0 THEN b.paused_public_until ELSE b.paused_known_until END);
    IF till <= now_ms THEN
        till := NULL;
    END IF;
    held := ARRAY(SELECT otp_ms_1(guessed_at) FROM guess_log
        WHERE tenant = whose AND subject_key = subject AND factor_class = class AND lane = door
        ORDER BY sequence);
    FOR rule IN SELECT jsonb_array_elements(rules -> 'windows') LOOP
        inside := ARRAY(SELECT at FROM unnest(held) WITH ORDINALITY AS guess (at, nth)
            WHERE at > now_ms - (rule ->> 2)::bigint ORDER BY nth);
        over := cardinality(inside) - (rule ->> place)::bigint;
        IF over >= 0 THEN
            frees := coalesce(
                inside[least(over, 1000000) + 1], inside[cardinality(inside)], now_ms);
            till := greatest(till, frees + (rule ->> 2)::bigint);
        END IF;
    END LOOP;
    RETURN coalesce('locked:' || till, '');
END
$$;

-- Reserves a guess where the budget takes one.
CREATE FUNCTION otp_reserve_1(c auth_challenges, rules jsonb, now_ms bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM guess_log
        WHERE tenant = c.tenant AND subject_key = c.subject_key AND factor_class = c.factor_class
            AND guessed_at <= otp_at_1(now_ms - (rules ->> 'memory')::bigint);
    INSERT INTO guess_log (tenant, subject_key, factor_class, lane, guessed_at)
        VALUES (c.tenant, c.subject_key, c.factor_class, c.lane, otp_at_1(now_ms));
    INSERT INTO guess_budgets AS kept (tenant, subject_key, factor_class, user_id, consecutive,
            strikes_public, strikes_known, disabled)
        VALUES (c.tenant, c.subject_key, c.factor_class, c.user_id, 1, 0, 0, false)
        ON CONFLICT (tenant, subject_key, factor_class) DO UPDATE SET
            consecutive = least(kept.consecutive + 1, 4294967295);
END
$$;

-- Gives the success its own guess back and ends the lane's strikes; nothing else is refilled.
CREATE FUNCTION otp_succeed_1(c auth_challenges) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM guess_log WHERE sequence = (SELECT max(sequence) FROM guess_log
        WHERE tenant = c.tenant AND subject_key = c.subject_key
            AND factor_class = c.factor_class AND lane = c.lane);
    UPDATE guess_budgets SET consecutive = 0,
            strikes_public = CASE c.lane WHEN 'public' THEN 0 ELSE strikes_public END,
            strikes_known = CASE c.lane WHEN 'public' THEN strikes_known ELSE 0 END,
            paused_public_until = CASE c.lane WHEN 'public' THEN NULL ELSE paused_public_until END,
            paused_known_until = CASE c.lane WHEN 'public' THEN paused_known_until ELSE NULL END
        WHERE tenant = c.tenant AND subject_key = c.subject_key AND factor_class = c.factor_class;
END
$$;

-- Pauses the lane of a challenge that wrong guesses used up.
CREATE FUNCTION otp_strike_1(c auth_challenges, rules jsonb, now_ms bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    is_public boolean := c.lane = 'public';
    strikes bigint;
    pause bigint;
BEGIN
    INSERT INTO guess_budgets (tenant, subject_key, factor_class, user_id, consecutive,
            strikes_public, strikes_known, disabled)
        VALUES (c.tenant, c.subject_key, c.factor_class, c.user_id, 0, 0, 0, false)
        ON CONFLICT (tenant, subject_key, factor_class) DO NOTHING;
    UPDATE guess_budgets SET
            strikes_public = least(strikes_public + CASE WHEN is_public THEN 1 ELSE 0 END, 4294967295),
            strikes_known = least(strikes_known + CASE WHEN is_public THEN 0 ELSE 1 END, 4294967295)
        WHERE tenant = c.tenant AND subject_key = c.subject_key AND factor_class = c.factor_class
        RETURNING CASE WHEN is_public THEN strikes_public ELSE strikes_known END INTO STRICT strikes;
    pause := coalesce(rules -> 'pauses' ->> (least(strikes, 1000000) - 1)::integer,
        rules -> 'pauses' ->> -1)::bigint;
    UPDATE guess_budgets SET
            paused_public_until = CASE WHEN is_public
                THEN otp_at_1(now_ms + pause) ELSE paused_public_until END,
            paused_known_until = CASE WHEN is_public
                THEN paused_known_until ELSE otp_at_1(now_ms + pause) END
        WHERE tenant = c.tenant AND subject_key = c.subject_key AND factor_class = c.factor_class;
END
$$;

-- A budget as names and values; none where it was never used.
CREATE FUNCTION otp_read_budget_1(whose text, subject text, class text) RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
    SELECT jsonb_build_object('run', b.consecutive,
        'strikes_p', b.strikes_public, 'strikes_k', b.strikes_known,
        'paused_p', otp_ms_1(b.paused_public_until), 'paused_k', otp_ms_1(b.paused_known_until),
        'disabled', CASE WHEN b.disabled THEN 1 ELSE 0 END,
        'guesses', coalesce((SELECT string_agg(otp_ms_1(guessed_at) || left(lane, 1), ''
            ORDER BY sequence) FROM guess_log
            WHERE tenant = whose AND subject_key = subject AND factor_class = class), ''))
    FROM guess_budgets AS b
    WHERE tenant = whose AND subject_key = subject AND factor_class = class
$$;
