-- Every version of the price book that was published here, and never edited: the file it came in, as it was.
CREATE TABLE price_versions (
  effective_at INTEGER PRIMARY KEY,
  published_at INTEGER NOT NULL,
  reason       TEXT    NOT NULL,
  book         TEXT    NOT NULL
) STRICT;

CREATE TRIGGER price_versions_are_not_updated BEFORE UPDATE ON price_versions
BEGIN
  SELECT RAISE(ABORT, 'price versions are never edited');
END;

CREATE TRIGGER price_versions_are_not_deleted BEFORE DELETE ON price_versions
BEGIN
  SELECT RAISE(ABORT, 'price versions are never deleted');
END;
