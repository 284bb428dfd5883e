-- What keys led to, appended in the order of their commits. Partitions are ranges of ids: the last one is open
-- and indexed in memory, the others are sealed with a filter and an index in chunks, and dropped whole.
CREATE TABLE idempotency (
  id          INTEGER PRIMARY KEY,
  scope       BLOB    NOT NULL CHECK (length(scope) = 16),
  fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
  recorded_at INTEGER NOT NULL,
  kept        BLOB    NOT NULL
) STRICT;

CREATE TABLE idempotency_parts (
  first_id     INTEGER PRIMARY KEY,
  last_id      INTEGER NOT NULL,
  last_at      INTEGER NOT NULL,
  first_chunk  INTEGER NOT NULL,
  chunks       INTEGER NOT NULL,
  filter       BLOB    NOT NULL
) STRICT;

CREATE TABLE idempotency_chunks (
  id   INTEGER PRIMARY KEY,
  data BLOB    NOT NULL
) STRICT;

-- Keys under which money moved: kept for ever, and few.
CREATE TABLE idempotency_forever (
  scope       BLOB    PRIMARY KEY CHECK (length(scope) = 16),
  fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
  recorded_at INTEGER NOT NULL,
  kept        BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
