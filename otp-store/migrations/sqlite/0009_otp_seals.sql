-- Which key sealed which part of the audit log's chain: one row for records in a row, so that nobody
-- has to read the log to count them. `sequence` is the last record's place in the log; what comes
-- after the newest row's is entered by whoever seals or counts next.
CREATE TABLE audit_seals (
    first_place INTEGER PRIMARY KEY,
    last_place  INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    key_id      TEXT NOT NULL
) STRICT;
