-- The audit log's chain. A link is kept beside its record, and never changed.
CREATE TABLE audit_links (
    sequence INTEGER PRIMARY KEY,
    link     TEXT NOT NULL
) STRICT;

-- Where the chain ends, and who seals until when, in milliseconds.
CREATE TABLE audit_chain (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    place        INTEGER NOT NULL,
    hash         TEXT NOT NULL,
    sequence     INTEGER NOT NULL,
    holder       TEXT NOT NULL,
    leased_until INTEGER NOT NULL
) STRICT;
INSERT INTO audit_chain (id, place, hash, sequence, holder, leased_until) VALUES
    (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0, '', 0);
