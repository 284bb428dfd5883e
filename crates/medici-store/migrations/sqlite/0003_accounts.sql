CREATE TABLE accounts (
  id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
  name       TEXT    NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  id          BLOB    PRIMARY KEY CHECK (length(id) = 16),
  owner       TEXT    NOT NULL CHECK (owner IN ('account', 'service', 'admin')),
  account     BLOB    CHECK ((account IS NOT NULL) = (owner = 'account')),
  lookup      TEXT    NOT NULL UNIQUE,
  secret_hash BLOB    NOT NULL CHECK (length(secret_hash) = 32),
  label       TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  revoked_at  INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_by_account ON api_keys (account, created_at);
