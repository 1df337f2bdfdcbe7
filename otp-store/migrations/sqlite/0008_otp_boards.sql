-- What a fleet shares beside its policy: the newest text of each board.
CREATE TABLE otp_boards (
    board     TEXT PRIMARY KEY,
    revision  INTEGER NOT NULL,
    words     TEXT NOT NULL,
    posted_at INTEGER NOT NULL
) STRICT;
