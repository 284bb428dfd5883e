CREATE TABLE jobs (
  id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  account    BLOB    NOT NULL CHECK (length(account) = 16),
  hold       BLOB    NOT NULL CHECK (length(hold) = 16),
  state      TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  data       TEXT    NOT NULL
) STRICT;

CREATE INDEX jobs_by_account ON jobs (account, id);
CREATE INDEX jobs_open ON jobs (id) WHERE state IN ('queued', 'running');

CREATE TABLE images (
  id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  job        BLOB    NOT NULL CHECK (length(job) = 16),
  account    BLOB    NOT NULL CHECK (length(account) = 16),
  number     INTEGER NOT NULL,
  blob       BLOB    NOT NULL CHECK (length(blob) = 32),
  blob_bytes INTEGER NOT NULL,
  width      INTEGER NOT NULL,
  height     INTEGER NOT NULL,
  latent     BLOB    NOT NULL,
  reading    TEXT,
  created_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX images_by_job ON images (job, number);
CREATE INDEX images_by_blob ON images (blob);
