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

ALTER TABLE jobs ADD COLUMN owner VARCHAR;

CREATE INDEX jobs_owner ON jobs (owner, name) WHERE owner IS NOT NULL;

CREATE TABLE access_tokens (
  name VARCHAR NOT NULL,
  digest BLOB NOT NULL,
  scope VARCHAR NOT NULL,
  recipes VARCHAR DEFAULT '[]' NOT NULL,
  queue VARCHAR,
  rate VARCHAR,
  sees_all INTEGER DEFAULT '0' NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  used_at INTEGER,
  PRIMARY KEY (name),
  CONSTRAINT access_token_scope_known CHECK (scope IN ('read', 'submit', 'control'))
)
 WITHOUT ROWID;

CREATE UNIQUE INDEX access_tokens_digest ON access_tokens (digest);
