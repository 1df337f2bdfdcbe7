-- A plan: looked at whole, then reserved whole or written down as refused.

-- The places of those values that are on the blocklist.
CREATE FUNCTION otp_blocked_1(blocks jsonb, now_ms bigint) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(jsonb_agg(asked.nth - 1 ORDER BY asked.nth), '[]')
    FROM jsonb_array_elements(blocks) WITH ORDINALITY AS asked (block, nth)
    JOIN blocklist AS entry
        ON entry.kind = asked.block ->> 0 AND entry.value = asked.block ->> 1
    WHERE entry.expires_at IS NULL OR entry.expires_at > otp_at_1(now_ms)
$$;

-- What came of a request that was made before, where its key has not lapsed.
CREATE FUNCTION otp_repeated_1(claim jsonb, now_ms bigint) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN fingerprint <> decode(claim ->> 'fingerprint', 'hex') THEN '["conflict"]'
        ELSE jsonb_build_array(
            'issued_before', challenge_id, otp_ms_1(expires_at), otp_ms_1(resend_at)) END
    FROM idempotency_keys
    WHERE tenant = claim ->> 'tenant' AND idempotency_key = claim ->> 'key'
        AND expires_at > otp_at_1(now_ms)
$$;

-- Takes a key that is free or has lapsed.
CREATE FUNCTION otp_take_key_1(claim jsonb, now_ms bigint) RETURNS void LANGUAGE sql VOLATILE AS $$
    INSERT INTO idempotency_keys
            (tenant, idempotency_key, fingerprint, challenge_id, expires_at, resend_at)
        VALUES (claim ->> 'tenant', claim ->> 'key', decode(claim ->> 'fingerprint', 'hex'),
            claim ->> 'challenge', otp_at_1(now_ms + (claim ->> 'life')::bigint),
            otp_at_1(now_ms + (claim ->> 'resend_after')::bigint))
        ON CONFLICT (tenant, idempotency_key) DO UPDATE SET
            fingerprint = excluded.fingerprint, challenge_id = excluded.challenge_id,
            expires_at = excluded.expires_at, resend_at = excluded.resend_at
$$;

-- When the guess of a try was counted, where it is remembered.
CREATE FUNCTION otp_counted_1(tries jsonb, life bigint, now_ms bigint) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    SELECT otp_ms_1(expires_at) - life FROM seen_keys
    WHERE seen_key IN (SELECT jsonb_array_elements_text(tries)) AND expires_at > otp_at_1(now_ms)
    LIMIT 1
$$;

CREATE FUNCTION otp_admit_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    step text := q ->> 'step';
    target jsonb := q -> 'target';
    claim jsonb := q -> 'claim';
    idem jsonb := q -> 'idempotency';
    whose text;
    whom text;
    now_ms bigint;
    era bigint;
    blocks jsonb;
    verdict jsonb := jsonb_build_array(step);
    outcome text;
    c auth_challenges;
    budget text := '';
    asked text := q ->> 'step';
    counted bigint;
    buckets otp_bucket_1[];
    reason text;
BEGIN
    -- Whom a challenge is of never changes, so it may be read before the lock that it names.
    IF target ? 'id' THEN
        SELECT tenant, subject_key INTO whose, whom FROM auth_challenges
            WHERE id = target ->> 'id';
    ELSE
        whose := coalesce(target, q -> 'budget') ->> 'tenant';
        whom := coalesce(target, q -> 'budget') ->> 'subject';
    END IF;
    PERFORM otp_lock_1(q, otp_quota_locks_1(q -> 'quotas') || otp_whose_1(whose, whom)
        || ('i' || length(idem ->> 'tenant') || ':' || (idem ->> 'tenant') || (idem ->> 'key')));
    SELECT * INTO now_ms, era FROM otp_time_1(q, true);

    blocks := otp_blocked_1(q -> 'blocks', now_ms);
    IF idem IS NOT NULL AND blocks = '[]' THEN
        -- It is no new request: no quota is charged and none can refuse it.
        verdict := coalesce(otp_repeated_1(idem, now_ms), verdict);
        IF verdict ->> 0 <> step THEN
            RETURN otp_answer_1(q, now_ms, era,
                jsonb_build_array(now_ms, verdict, blocks, '[]'::jsonb, '', '[]'::jsonb));
        END IF;
    END IF;

    IF step = 'guess' AND q ? 'tries' THEN
        counted := otp_counted_1(q -> 'tries', (q ->> 'life')::bigint, now_ms);
        asked := CASE WHEN counted IS NULL THEN step ELSE 'counted' END;
    END IF;

    CASE asked
    WHEN 'counted' THEN
        verdict := jsonb_build_array('guessed_before', counted);
    WHEN 'issue', 'guess' THEN
        budget := otp_look_budget_1(whose, whom, q -> 'budget' ->> 'class',
            q -> 'budget' ->> 'lane', q -> 'rules', now_ms);
    WHEN 'attempt', 'resend' THEN
        c := otp_aim_1(target, whose, whom, now_ms);
        IF c.id IS NULL THEN
            verdict := '["none"]';
        ELSE
            outcome := CASE step WHEN 'attempt' THEN otp_judge_attempt_1(c, claim, now_ms)
                ELSE otp_judge_resend_1(c, claim, now_ms) END;
            verdict := jsonb_build_array(step, outcome);
        END IF;
        -- The budget is asked only where something would be reserved: a challenge that is over, or
        -- somebody else's, must answer alike whether its subject is locked or not.
        IF outcome = 'reserved' THEN
            budget := otp_look_budget_1(
                c.tenant, c.subject_key, c.factor_class, c.lane, q -> 'rules', now_ms);
        END IF;
    WHEN 'nothing' THEN
        NULL;
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;

    buckets := otp_look_quotas_1(
        q -> 'quotas', step = 'resend' AND outcome IS DISTINCT FROM 'reserved', now_ms);
    reason := CASE WHEN blocks <> '[]' THEN 'blocked'
        WHEN budget <> '' THEN split_part(budget, ':', 1)
        ELSE 'quota_' || otp_refused_1(buckets) END;
    IF reason IS NOT NULL THEN
        -- Whoever reads the record of a refused try must learn whom it hit; another tenant's stays
        -- unnamed.
        PERFORM otp_audit_1(CASE WHEN step = 'attempt' AND c.tenant = claim ->> 'tenant'
            THEN otp_about_1(q -> 'event', c) ELSE q -> 'event' END, now_ms, 'refused', reason);
        RETURN otp_answer_1(q, now_ms, era, jsonb_build_array(
            now_ms, '["refused"]'::jsonb, blocks, otp_readings_1(buckets), budget, '[]'::jsonb));
    END IF;

    buckets := otp_charge_quotas_1(buckets, otp_user_1(q -> 'event' ->> 'subject'), now_ms);
    IF idem IS NOT NULL THEN
        PERFORM otp_take_key_1(idem, now_ms);
    END IF;
    IF step = 'guess' AND counted IS NULL THEN
        IF q ? 'tries' THEN
            PERFORM otp_is_first_1(q -> 'tries' ->> 0, (q ->> 'life')::bigint, now_ms);
        END IF;
        c.tenant := whose;
        c.subject_key := whom;
        c.user_id := otp_user_1(whom);
        c.factor_class := q -> 'budget' ->> 'class';
        c.lane := q -> 'budget' ->> 'lane';
        PERFORM otp_reserve_1(c, q -> 'rules', now_ms);
    ELSIF step = 'attempt' AND outcome = 'reserved' THEN
        PERFORM otp_reserve_1(c, q -> 'rules', now_ms);
        c := otp_attempt_1(c, claim, now_ms);
    ELSIF step = 'attempt' AND outcome = 'refused:expired' THEN
        PERFORM otp_tried_1(c, true, now_ms);
    ELSIF step = 'resend' AND outcome = 'reserved' THEN
        c := otp_resend_1(c, claim, now_ms);
    END IF;
    RETURN otp_answer_1(q, now_ms, era, jsonb_build_array(now_ms, verdict, blocks,
        otp_readings_1(buckets), budget,
        CASE WHEN c.id IS NULL THEN '[]'::jsonb ELSE otp_fields_1(c) END));
END
$$;
