-- What a fleet shares beside its policy: the newest text of each board.
CREATE TABLE otp_boards (
    board     text PRIMARY KEY,
    revision  bigint NOT NULL CHECK (revision > 0),
    words     text NOT NULL,
    posted_at timestamptz NOT NULL
);

-- A reader hears the text only where it knows another revision of it.
CREATE FUNCTION otp_board_1(q jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    step text := q ->> 'step';
    named text := q ->> 'board';
    locked text[] := '{}';
    now_ms bigint;
    era bigint;
    current bigint;
    said text;
    event jsonb;
    parts jsonb;
BEGIN
    IF step = 'post' THEN
        locked := ARRAY['board:' || named];
    END IF;
    PERFORM otp_lock_1(q, locked);
    SELECT * INTO now_ms, era FROM otp_time_1(q, step = 'post');
    SELECT revision, CASE WHEN revision <> (q ->> 'known')::bigint THEN words END
        INTO current, said FROM otp_boards WHERE board = named;
    current := coalesce(current, 0);
    CASE step
    WHEN 'post' THEN
        IF current = (q ->> 'expected')::bigint THEN
            current := greatest(current + 1, now_ms);
            INSERT INTO otp_boards (board, revision, words, posted_at)
                VALUES (named, current, q ->> 'words', otp_at_1(now_ms))
                ON CONFLICT (board) DO UPDATE SET revision = excluded.revision,
                    words = excluded.words, posted_at = excluded.posted_at;
            FOR event IN SELECT * FROM jsonb_array_elements(q -> 'events') LOOP
                PERFORM otp_audit_1(event, now_ms, NULL, NULL);
            END LOOP;
            parts := jsonb_build_array('as', current);
        ELSE
            parts := jsonb_build_array('conflict', current);
        END IF;
    WHEN 'read' THEN
        parts := jsonb_build_array(current, coalesce(said, ''), now_ms);
    ELSE
        PERFORM otp_fail_1('step', 'OTP02');
    END CASE;
    RETURN otp_answer_1(q, now_ms, era, parts);
END
$$;
