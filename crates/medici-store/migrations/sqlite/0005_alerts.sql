-- Low balances, written in the commit of the entries that say so. The row is the entry's, so that newest first is
-- this key's own order. Stores from before have no such entries.
CREATE TABLE alerts (
  row         INTEGER PRIMARY KEY,
  account     BLOB    NOT NULL CHECK (length(account) = 16),
  seq         INTEGER NOT NULL CHECK (seq > 0),
  recorded_at INTEGER NOT NULL,
  below       INTEGER NOT NULL CHECK (below > 0),
  available   INTEGER NOT NULL CHECK (available >= 0 AND available < below),
  sandbox     INTEGER NOT NULL CHECK (sandbox IN (0, 1))
) STRICT;

CREATE INDEX alerts_by_account ON alerts (account, row);
