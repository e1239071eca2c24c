-- Generated from tables.py by `python -m jobctl.store.schema`. Do not edit.

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

CREATE TABLE attempts (
  job INTEGER NOT NULL,
  item INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  round INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ending INTEGER,
  code INTEGER DEFAULT '0' NOT NULL,
  duration_us INTEGER,
  cpu_us INTEGER DEFAULT '0' NOT NULL,
  max_rss_kib INTEGER DEFAULT '0' NOT NULL,
  log INTEGER NOT NULL,
  out_off INTEGER DEFAULT '0' NOT NULL,
  out_len INTEGER DEFAULT '0' NOT NULL,
  err_off INTEGER DEFAULT '0' NOT NULL,
  err_len INTEGER DEFAULT '0' NOT NULL,
  flags INTEGER DEFAULT '0' NOT NULL,
  pid INTEGER DEFAULT '0' NOT NULL,
  failure INTEGER,
  message VARCHAR,
  value VARCHAR,
  host VARCHAR,
  PRIMARY KEY (job, item, attempt),
  CONSTRAINT attempt_over_iff_ended CHECK ((duration_us IS NULL) = (ending IS NULL))
)
 WITHOUT ROWID;

CREATE TABLE cancelled (
  job INTEGER NOT NULL,
  item INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  PRIMARY KEY (job, item, batch)
)
 WITHOUT ROWID;

CREATE TABLE daemon (
  id INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  engine_pid INTEGER NOT NULL,
  state VARCHAR NOT NULL,
  scope VARCHAR NOT NULL,
  slots INTEGER NOT NULL,
  version VARCHAR NOT NULL,
  started_at INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  pressure VARCHAR DEFAULT '' NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT daemon_is_one CHECK (id = 1)
);

CREATE TABLE deliveries (
  id VARCHAR NOT NULL,
  job INTEGER NOT NULL,
  round INTEGER NOT NULL,
  target INTEGER NOT NULL,
  event VARCHAR NOT NULL,
  body BLOB NOT NULL,
  state VARCHAR NOT NULL,
  attempts INTEGER DEFAULT '0' NOT NULL,
  free INTEGER DEFAULT '0' NOT NULL,
  next_at INTEGER,
  created_at INTEGER NOT NULL,
  settled_at INTEGER,
  result VARCHAR DEFAULT '' NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT delivery_state_known CHECK (state IN ('pending', 'delivered', 'dead', 'disabled')),
  CONSTRAINT delivery_due_only_if_pending CHECK (next_at IS NULL OR state = 'pending')
)
 WITHOUT ROWID;

CREATE INDEX deliveries_due ON deliveries (next_at) WHERE next_at IS NOT NULL;

CREATE UNIQUE INDEX deliveries_round ON deliveries (job, round, target);

CREATE TABLE delivery_attempts (
  delivery VARCHAR NOT NULL,
  attempt INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  duration_us INTEGER,
  status INTEGER,
  error VARCHAR DEFAULT '' NOT NULL,
  response VARCHAR DEFAULT '' NOT NULL,
  PRIMARY KEY (delivery, attempt)
)
 WITHOUT ROWID;

CREATE TABLE done (
  "row" BLOB NOT NULL,
  content BLOB NOT NULL,
  job INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY ("row")
)
 WITHOUT ROWID;

CREATE TABLE failures (
  id INTEGER NOT NULL,
  job INTEGER NOT NULL,
  code VARCHAR NOT NULL,
  message VARCHAR NOT NULL,
  outcome VARCHAR NOT NULL,
  retryable INTEGER NOT NULL,
  items INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  samples VARCHAR NOT NULL,
  PRIMARY KEY (id)
);

CREATE UNIQUE INDEX failures_cause ON failures (job, code, message, outcome);

CREATE TABLE figures (
  job INTEGER NOT NULL,
  durations VARCHAR NOT NULL,
  course VARCHAR NOT NULL,
  PRIMARY KEY (job)
);

CREATE TABLE followed (
  job INTEGER NOT NULL,
  number INTEGER NOT NULL,
  other INTEGER NOT NULL,
  payload BLOB NOT NULL,
  PRIMARY KEY (job, number)
)
 WITHOUT ROWID;

CREATE TABLE items (
  job INTEGER NOT NULL,
  item INTEGER NOT NULL,
  state INTEGER DEFAULT '0' NOT NULL,
  attempt INTEGER DEFAULT '0' NOT NULL,
  free INTEGER DEFAULT '0' NOT NULL,
  crashes INTEGER DEFAULT '0' NOT NULL,
  epoch INTEGER DEFAULT '0' NOT NULL,
  due_at INTEGER,
  failure INTEGER,
  payload BLOB NOT NULL,
  PRIMARY KEY (job, item),
  CONSTRAINT item_state_known CHECK (state BETWEEN 0 AND 5),
  CONSTRAINT item_due_iff_retrying CHECK ((state = 2) = (due_at IS NOT NULL))
)
 WITHOUT ROWID;

CREATE INDEX items_due ON items (job, due_at) WHERE state = 2;

CREATE INDEX items_failed ON items (job, item) WHERE state = 4;

CREATE INDEX items_running ON items (job, item) WHERE state = 1;

CREATE TABLE jobs (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  uid VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  queue VARCHAR NOT NULL,
  priority INTEGER DEFAULT '0' NOT NULL,
  labels VARCHAR DEFAULT '{}' NOT NULL,
  handler VARCHAR NOT NULL,
  command VARCHAR NOT NULL,
  cwd VARCHAR NOT NULL,
  umask INTEGER NOT NULL,
  env VARCHAR NOT NULL,
  env_names VARCHAR DEFAULT '[]' NOT NULL,
  env_file VARCHAR,
  policy VARCHAR NOT NULL,
  input_path VARCHAR NOT NULL,
  input_format VARCHAR NOT NULL,
  input_dialect VARCHAR DEFAULT '{}' NOT NULL,
  columns VARCHAR NOT NULL,
  input_bytes INTEGER NOT NULL,
  input_sha256 VARCHAR NOT NULL,
  rows_sha256 VARCHAR DEFAULT '' NOT NULL,
  work_options VARCHAR DEFAULT '{}' NOT NULL,
  fingerprint VARCHAR NOT NULL,
  "key" VARCHAR,
  item_key VARCHAR,
  resubmit_of VARCHAR,
  root_uid VARCHAR,
  foreground INTEGER DEFAULT '0' NOT NULL,
  "after" VARCHAR DEFAULT '[]' NOT NULL,
  not_before_at INTEGER,
  state VARCHAR NOT NULL,
  reason VARCHAR DEFAULT '' NOT NULL,
  round INTEGER DEFAULT '1' NOT NULL,
  revision INTEGER DEFAULT '1' NOT NULL,
  total INTEGER NOT NULL,
  queued INTEGER NOT NULL,
  running INTEGER DEFAULT '0' NOT NULL,
  retrying INTEGER DEFAULT '0' NOT NULL,
  succeeded INTEGER DEFAULT '0' NOT NULL,
  failed INTEGER DEFAULT '0' NOT NULL,
  unprocessed INTEGER DEFAULT '0' NOT NULL,
  rejected INTEGER DEFAULT '0' NOT NULL,
  skipped INTEGER DEFAULT '0' NOT NULL,
  cursor INTEGER DEFAULT '1' NOT NULL,
  paused_at INTEGER,
  pause_reason VARCHAR DEFAULT '' NOT NULL,
  stop VARCHAR,
  stop_now INTEGER DEFAULT '0' NOT NULL,
  stop_reason VARCHAR DEFAULT '' NOT NULL,
  submitted_at INTEGER NOT NULL,
  started_at INTEGER,
  updated_at INTEGER NOT NULL,
  finished_at INTEGER,
  deadline_at INTEGER,
  round_at INTEGER NOT NULL,
  paused_us INTEGER DEFAULT '0' NOT NULL,
  active_us INTEGER DEFAULT '0' NOT NULL,
  rate_per_s FLOAT,
  mean_us FLOAT,
  attempts INTEGER DEFAULT '0' NOT NULL,
  results VARCHAR,
  tokens FLOAT,
  tokens_at INTEGER,
  failures_ungrouped INTEGER DEFAULT '0' NOT NULL,
  undo VARCHAR,
  undo_of INTEGER,
  undo_retaken INTEGER DEFAULT '0' NOT NULL,
  undo_released INTEGER DEFAULT '0' NOT NULL,
  owner VARCHAR,
  CONSTRAINT job_state_known CHECK (state IN ('queued', 'running', 'paused', 'cancelling', 'succeeded', 'partial', 'failed', 'cancelled', 'expired')),
  CONSTRAINT job_counts_add_up CHECK (total = queued + running + retrying + succeeded + failed + unprocessed),
  CONSTRAINT job_counts_not_negative CHECK (min(queued, running, retrying, succeeded, failed, unprocessed, rejected, skipped) >= 0),
  CONSTRAINT job_finished_iff_terminal CHECK ((finished_at IS NOT NULL) = (state IN ('cancelled', 'expired', 'failed', 'partial', 'succeeded'))),
  CONSTRAINT job_terminal_has_no_live_item CHECK (finished_at IS NULL OR queued + running + retrying = 0),
  UNIQUE (uid)
);

CREATE INDEX jobs_fingerprint ON jobs (fingerprint);

CREATE UNIQUE INDEX jobs_key ON jobs ("key") WHERE key IS NOT NULL;

CREATE INDEX jobs_list ON jobs (state, queue, submitted_at, finished_at, name, labels);

CREATE INDEX jobs_live ON jobs (id) WHERE finished_at IS NULL;

CREATE INDEX jobs_name ON jobs (name);

CREATE INDEX jobs_owner ON jobs (owner, name) WHERE owner IS NOT NULL;

CREATE INDEX jobs_undo_of ON jobs (undo_of) WHERE undo_of IS NOT NULL;

CREATE TABLE journal (
  id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  job INTEGER NOT NULL,
  item INTEGER,
  actor VARCHAR NOT NULL,
  event VARCHAR NOT NULL,
  reason VARCHAR DEFAULT '' NOT NULL,
  data VARCHAR DEFAULT '{}' NOT NULL,
  body BLOB,
  PRIMARY KEY (id)
);

CREATE INDEX journal_job ON journal (job, id);

CREATE TABLE leftovers (
  job INTEGER NOT NULL,
  item INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  count INTEGER NOT NULL,
  names VARCHAR NOT NULL,
  PRIMARY KEY (job, item, attempt)
)
 WITHOUT ROWID;

CREATE TABLE meta (
  "key" VARCHAR NOT NULL,
  value VARCHAR NOT NULL,
  PRIMARY KEY ("key")
)
 WITHOUT ROWID;

CREATE TABLE outcomes (
  id INTEGER NOT NULL,
  job INTEGER NOT NULL,
  at INTEGER NOT NULL,
  count INTEGER NOT NULL,
  packed BLOB NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX outcomes_job ON outcomes (job, id);

CREATE TABLE prunings (
  job INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (job)
)
 WITHOUT ROWID;

CREATE TABLE queues (
  name VARCHAR NOT NULL,
  slots INTEGER,
  paused_at INTEGER,
  pause_reason VARCHAR DEFAULT '' NOT NULL,
  rate VARCHAR,
  tokens FLOAT,
  tokens_at INTEGER,
  PRIMARY KEY (name)
)
 WITHOUT ROWID;

CREATE TABLE requests (
  id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  job INTEGER NOT NULL,
  item INTEGER,
  verb VARCHAR NOT NULL,
  now INTEGER DEFAULT '0' NOT NULL,
  actor VARCHAR NOT NULL,
  reason VARCHAR DEFAULT '' NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE targets (
  id INTEGER NOT NULL,
  job INTEGER NOT NULL,
  kind VARCHAR NOT NULL,
  target VARCHAR NOT NULL,
  secret_env VARCHAR,
  secret_file VARCHAR,
  allow_http INTEGER DEFAULT '0' NOT NULL,
  disabled_at INTEGER,
  PRIMARY KEY (id),
  CONSTRAINT target_kind_known CHECK (kind IN ('webhook', 'command')),
  CONSTRAINT target_has_one_secret CHECK (secret_env IS NULL OR secret_file IS NULL)
);

CREATE INDEX targets_job ON targets (job);

CREATE TABLE undone (
  job INTEGER NOT NULL,
  item INTEGER NOT NULL,
  undo_job INTEGER NOT NULL,
  undo_item INTEGER NOT NULL,
  PRIMARY KEY (job, item)
)
 WITHOUT ROWID;
