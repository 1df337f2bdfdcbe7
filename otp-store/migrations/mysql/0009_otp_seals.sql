-- Which key sealed which part of the audit log's chain: one row for records in a row, so that nobody
-- has to read the log to count them. `sequence` is the last record's place in the log; what comes
-- after the newest row's is entered by whoever seals or counts next.
CREATE TABLE IF NOT EXISTS audit_seals (
    first_place BIGINT NOT NULL PRIMARY KEY,
    last_place  BIGINT NOT NULL,
    sequence    BIGINT NOT NULL,
    key_id      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE = InnoDB;
