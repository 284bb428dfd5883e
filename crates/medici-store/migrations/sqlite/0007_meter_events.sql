-- The ids of meter events and what each was charged, appended in the order of their commits. A row has up to 96
-- records of 40 bytes: the event's name, its fingerprint, its micro-credits. `id` is the number of its first record.
-- Partitions are as those of idempotency keys.
CREATE TABLE meter_events (
  id          INTEGER PRIMARY KEY,
  recorded_at INTEGER NOT NULL,
  records     BLOB    NOT NULL CHECK (length(records) > 0 AND length(records) % 40 = 0)
) STRICT;

CREATE TABLE meter_events_parts (
  first_id     INTEGER PRIMARY KEY,
  last_id      INTEGER NOT NULL,
  last_at      INTEGER NOT NULL,
  first_chunk  INTEGER NOT NULL,
  chunks       INTEGER NOT NULL,
  filter       BLOB    NOT NULL
) STRICT;

CREATE TABLE meter_events_chunks (
  id   INTEGER PRIMARY KEY,
  data BLOB    NOT NULL
) STRICT;
