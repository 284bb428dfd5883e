-- What an account deletes. A job's row stays, without its words, because its hold stays in the journal; no list shows
-- it. An image's row goes, and leaves who it was.
ALTER TABLE jobs ADD COLUMN deleted_at INTEGER;

DROP INDEX jobs_by_account;
CREATE INDEX jobs_listed ON jobs (account, id) WHERE deleted_at IS NULL;

CREATE TABLE deleted_images (
  id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  job        BLOB    NOT NULL CHECK (length(job) = 16),
  account    BLOB    NOT NULL CHECK (length(account) = 16),
  deleted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX images_by_account ON images (account, id);
