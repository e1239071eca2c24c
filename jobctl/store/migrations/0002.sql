-- From schema 1 to schema 2. A column that is new here stands at the end of its table in tables.py too.

CREATE TABLE followed (
  job INTEGER NOT NULL,
  number INTEGER NOT NULL,
  other INTEGER NOT NULL,
  payload BLOB NOT NULL,
  PRIMARY KEY (job, number)
)
 WITHOUT ROWID;

CREATE TABLE leftovers (
  job INTEGER NOT NULL,
  item INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  count INTEGER NOT NULL,
  names VARCHAR NOT NULL,
  PRIMARY KEY (job, item, attempt)
)
 WITHOUT ROWID;
