-- The files of the pictures that jobs start from: they are named while the job is, and may be swept afterwards.
CREATE TABLE job_sources (
  blob BLOB NOT NULL CHECK (length(blob) = 32),
  job  BLOB NOT NULL CHECK (length(job) = 16),
  PRIMARY KEY (blob, job)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_sources_by_job ON job_sources (job);
