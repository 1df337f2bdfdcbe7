-- The audit log's chain. A link is kept beside its record, and never changed.
CREATE TABLE IF NOT EXISTS audit_links (
    sequence BIGINT NOT NULL PRIMARY KEY,
    link     VARCHAR(300) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE = InnoDB;

-- Where the chain ends, and who seals until when, in milliseconds.
CREATE TABLE IF NOT EXISTS audit_chain (
    id           INT NOT NULL PRIMARY KEY,
    place        BIGINT NOT NULL,
    hash         CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sequence     BIGINT NOT NULL,
    holder       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    leased_until BIGINT NOT NULL
) ENGINE = InnoDB;
INSERT IGNORE INTO audit_chain (id, place, hash, sequence, holder, leased_until) VALUES
    (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0, '', 0);
