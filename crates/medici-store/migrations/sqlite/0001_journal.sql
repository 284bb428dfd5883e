-- The journal: every entry of every account, in the order of their commits. Rows are dense from 1.
-- There is no second index: an account's entries are walked from its last row through `prev`, so that
-- appending costs the same at ten million entries as at ten.
CREATE TABLE entries (
  row     INTEGER PRIMARY KEY,
  account BLOB    NOT NULL CHECK (length(account) = 16),
  seq     INTEGER NOT NULL CHECK (seq > 0),
  prev    INTEGER NOT NULL CHECK (prev >= 0 AND prev < row),
  body    BLOB    NOT NULL,
  hash    BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER entries_are_not_updated BEFORE UPDATE ON entries
BEGIN
  SELECT RAISE(ABORT, 'entries are never updated');
END;

CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
BEGIN
  SELECT RAISE(ABORT, 'entries are never deleted');
END;

-- Snapshots of wallets, written behind. The highest id of an account counts; older ones are swept.
CREATE TABLE wallets (
  id       INTEGER PRIMARY KEY,
  account  BLOB    NOT NULL CHECK (length(account) = 16),
  seq      INTEGER NOT NULL,
  last_row INTEGER NOT NULL,
  due_at   INTEGER NOT NULL,
  body     BLOB    NOT NULL
) STRICT;

-- Single facts about this file, by name.
CREATE TABLE meta (
  name  TEXT    PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
