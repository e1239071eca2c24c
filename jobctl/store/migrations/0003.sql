-- From schema 2 to schema 3. A column that is new here is at the end of its table in tables.py too.

ALTER TABLE jobs ADD COLUMN undo VARCHAR;

ALTER TABLE jobs ADD COLUMN undo_of INTEGER;

ALTER TABLE jobs ADD COLUMN undo_retaken INTEGER DEFAULT '0' NOT NULL;

ALTER TABLE jobs ADD COLUMN undo_released INTEGER DEFAULT '0' NOT NULL;

CREATE INDEX jobs_list ON jobs (state, queue, submitted_at, finished_at, name, labels);

CREATE INDEX jobs_undo_of ON jobs (undo_of) WHERE undo_of IS NOT NULL;

CREATE TABLE undone (
  job INTEGER NOT NULL,
  item INTEGER NOT NULL,
  undo_job INTEGER NOT NULL,
  undo_item INTEGER NOT NULL,
  PRIMARY KEY (job, item)
)
 WITHOUT ROWID;

CREATE TABLE cancelled (
  job INTEGER NOT NULL,
  item INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  PRIMARY KEY (job, item, batch)
)
 WITHOUT ROWID;
