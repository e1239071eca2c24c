-- From schema 3 to schema 4. A column that is new here is at the end of its table in tables.py too.

ALTER TABLE journal ADD COLUMN body BLOB;

CREATE TABLE outcomes (
  id INTEGER NOT NULL,
  job INTEGER NOT NULL,
  at INTEGER NOT NULL,
  count INTEGER NOT NULL,
  packed BLOB NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX outcomes_job ON outcomes (job, id);
