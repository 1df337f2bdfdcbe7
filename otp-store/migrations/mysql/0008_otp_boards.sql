-- What a fleet shares beside its policy: the newest text of each board.
CREATE TABLE IF NOT EXISTS otp_boards (
    board     VARCHAR(32) NOT NULL PRIMARY KEY,
    revision  BIGINT NOT NULL,
    words     MEDIUMTEXT NOT NULL,
    posted_at DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
