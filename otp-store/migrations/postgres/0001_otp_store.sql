-- Names and columns are those that operators query. What a check refuses could not be read back.

-- The highest time that was seen, in milliseconds, and how often an operator took it back.
CREATE TABLE otp_clock (
    id      integer PRIMARY KEY CHECK (id = 1),
    seen_ms bigint NOT NULL,
    pardons bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO otp_clock (id, seen_ms, pardons) VALUES (1, 0, 0);

CREATE TABLE auth_challenges (
    id                 text PRIMARY KEY,
    tenant             text NOT NULL,
    user_id            text NOT NULL,
    subject_key        text NOT NULL,
    purpose            text NOT NULL,
    channel            text NOT NULL,
    lane               text NOT NULL CHECK (lane IN ('public', 'known_device')),
    factor_class       text NOT NULL,
    code_alphabet      text NOT NULL CHECK (code_alphabet IN ('digits', 'unambiguous')),
    code_length        integer NOT NULL CHECK (code_length BETWEEN 1 AND 255),
    code_separators    text NOT NULL,
    destination        bytea,
    destination_key    text NOT NULL,
    destination_masked text NOT NULL,
    digest             text NOT NULL,
    key_id             text NOT NULL,
    sealed_code        bytea,
    binding            bytea,
    ip_address         text,
    created_at         timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    attempts           bigint NOT NULL CHECK (attempts BETWEEN 0 AND 4294967295),
    wrong              bigint NOT NULL CHECK (wrong BETWEEN 0 AND 4294967295),
    attempt_limit      bigint NOT NULL CHECK (attempt_limit BETWEEN 0 AND 4294967295),
    sends              bigint NOT NULL CHECK (sends BETWEEN 0 AND 4294967295),
    next_send_at       timestamptz NOT NULL,
    state              text NOT NULL
        CHECK (state IN ('live', 'consumed', 'exhausted', 'superseded', 'revoked')),
    consumed_at        timestamptz,
    consumed_by        text,
    -- When it was ended, or when it ends by itself.
    ended_at           timestamptz NOT NULL,
    CHECK (state <> 'consumed' OR consumed_at IS NOT NULL)
);
CREATE INDEX auth_challenges_subject
    ON auth_challenges (subject_key, tenant, purpose, lane, state, created_at);
CREATE INDEX auth_challenges_user ON auth_challenges (user_id, created_at);
CREATE INDEX auth_challenges_live ON auth_challenges (created_at) WHERE state = 'live';
CREATE INDEX auth_challenges_ended ON auth_challenges (ended_at);

-- One row a challenge that was tried; it outlives a challenge that is deleted by hand.
CREATE TABLE challenge_validation_attempts (
    challenge_id        text PRIMARY KEY,
    user_id             text NOT NULL,
    validation_attempts bigint NOT NULL,
    last_attempt_at     timestamptz NOT NULL,
    challenge_expired   boolean NOT NULL DEFAULT false
);
CREATE INDEX challenge_validation_attempts_user ON challenge_validation_attempts (user_id);
CREATE INDEX challenge_validation_attempts_last ON challenge_validation_attempts (last_attempt_at);

-- The tries that carried an id, in order.
CREATE TABLE challenge_attempt_log (
    challenge_id text NOT NULL,
    place        bigint NOT NULL,
    attempt_id   text NOT NULL,
    fingerprint  bytea NOT NULL,
    answer       text NOT NULL CHECK (answer IN ('pending', 'right', 'wrong')),
    tried_at     timestamptz NOT NULL,
    PRIMARY KEY (challenge_id, place),
    UNIQUE (challenge_id, attempt_id)
);
CREATE INDEX challenge_attempt_log_tried ON challenge_attempt_log (tried_at);

-- One row a hit of a window quota.
CREATE TABLE rate_limit_attempts (
    sequence     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bucket       text NOT NULL,
    user_id      text,
    attempted_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX rate_limit_attempts_bucket ON rate_limit_attempts (bucket, attempted_at);
CREATE INDEX rate_limit_attempts_user ON rate_limit_attempts (user_id);
CREATE INDEX rate_limit_attempts_expiry ON rate_limit_attempts (expires_at);

-- One row a bucket of a rate quota: when it is full again, in microseconds, and its rate.
CREATE TABLE rate_limit_cells (
    bucket  text PRIMARY KEY,
    user_id text,
    tat     bigint NOT NULL,
    burst   bigint NOT NULL CHECK (burst > 0),
    step    bigint NOT NULL CHECK (step > 0)
);
CREATE INDEX rate_limit_cells_user ON rate_limit_cells (user_id);
CREATE INDEX rate_limit_cells_tat ON rate_limit_cells (tat);

CREATE TABLE guess_budgets (
    tenant              text NOT NULL,
    subject_key         text NOT NULL,
    factor_class        text NOT NULL,
    user_id             text NOT NULL,
    consecutive         bigint NOT NULL CHECK (consecutive BETWEEN 0 AND 4294967295),
    strikes_public      bigint NOT NULL CHECK (strikes_public BETWEEN 0 AND 4294967295),
    strikes_known       bigint NOT NULL CHECK (strikes_known BETWEEN 0 AND 4294967295),
    paused_public_until timestamptz,
    paused_known_until  timestamptz,
    disabled            boolean NOT NULL,
    PRIMARY KEY (tenant, subject_key, factor_class)
);
CREATE INDEX guess_budgets_user ON guess_budgets (user_id);

-- One row a reserved guess.
CREATE TABLE guess_log (
    sequence     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant       text NOT NULL,
    subject_key  text NOT NULL,
    factor_class text NOT NULL,
    lane         text NOT NULL CHECK (lane IN ('public', 'known_device')),
    guessed_at   timestamptz NOT NULL
);
CREATE INDEX guess_log_budget ON guess_log (tenant, subject_key, factor_class, sequence);

CREATE TABLE blocklist (
    kind       text NOT NULL,
    value      text NOT NULL,
    note       text NOT NULL,
    author     text NOT NULL,
    added_at   timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (kind, value)
);
CREATE INDEX blocklist_added ON blocklist (added_at);
CREATE INDEX blocklist_expiry ON blocklist (expires_at);

CREATE TABLE seen_keys (
    seen_key   text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX seen_keys_expiry ON seen_keys (expires_at);

CREATE TABLE idempotency_keys (
    tenant          text NOT NULL,
    idempotency_key text NOT NULL,
    fingerprint     bytea NOT NULL,
    challenge_id    text NOT NULL,
    expires_at      timestamptz NOT NULL,
    resend_at       timestamptz NOT NULL,
    PRIMARY KEY (tenant, idempotency_key)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

CREATE TABLE audit_logs (
    sequence    bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME audit_logs_places) PRIMARY KEY,
    event_id    text NOT NULL UNIQUE,
    actor_id    text,
    subject_key text,
    event_type  text NOT NULL,
    action      text NOT NULL,
    outcome     text NOT NULL,
    reason      text,
    tenant      text NOT NULL,
    challenge   text,
    purpose     text,
    channel     text,
    lane        text,
    destination text,
    ip_address  text,
    provider    text,
    request_id  text,
    operator_name   text,
    operator_reason text,
    created_at  timestamptz NOT NULL
);
CREATE INDEX audit_logs_actor ON audit_logs (actor_id, created_at);
CREATE INDEX audit_logs_created ON audit_logs (created_at);

-- How far the outbox has been taken over elsewhere.
CREATE TABLE audit_outbox (
    id           integer PRIMARY KEY CHECK (id = 1),
    acknowledged bigint NOT NULL
);
INSERT INTO audit_outbox (id, acknowledged) VALUES (1, 0);
