"""Every time that the store keeps either moves with the wall clock or has a reason to stay."""

from jobctl.process.moment import Moment
from jobctl.store import clock
from jobctl.store.tables import TABLES

HOUR = 3_600_000_000
NOW = 1_800_000_000_000_000
#: What happened, as it was seen: history, and what is compared with nothing.
STAY = {
    "jobs.finished_at",  # a job that is done does not move
    "journal.at",
    "outcomes.at",
    "access_tokens.created_at",
    "access_tokens.revoked_at",
    "access_tokens.used_at",
    "requests.at",
    "prunings.at",
    "done.at",
    "targets.disabled_at",
    "deliveries.created_at",
    "deliveries.settled_at",
    "delivery_attempts.started_at",
}


def _times():
    return {
        f"{table.name}.{column.name}"
        for table in TABLES
        for column in table.columns
        if column.name == "at" or column.name.endswith("_at")
    }


def test_every_time_moves_or_has_a_reason_to_stay(store):
    """A column that is new belongs in ``clock._shift``, or above."""
    live = store.job("rt", state="running", started_at=NOW, deadline_at=NOW, paused_at=NOW, tokens_at=NOW)
    not_before = "json_set(policy, '$.not_before_s', 5)"
    store.database.execute(f"UPDATE jobs SET not_before_at = {NOW}, policy = {not_before} WHERE id = {live}")
    store.failure(live, 0)
    store.database.execute("UPDATE attempts SET ending = NULL, duration_us = NULL, failure = NULL WHERE item = 1")
    store.database.execute(f"INSERT INTO queues (name, paused_at, tokens_at) VALUES ('q', {NOW}, {NOW})")
    store.database.execute(
        "INSERT INTO deliveries (id, job, round, target, event, body, state, next_at, created_at)"
        f" VALUES ('msg_1', {live}, 1, 1, 'job.failed', x'', 'pending', {NOW}, {NOW})"
    )
    store.daemon(heartbeat_at=NOW)
    before = _stored(store.database)
    for wall in (NOW, NOW + HOUR):
        with store.database.transaction():
            clock.follow(store.database, Moment(wall, 5_000_000, "boot"))
    after = _stored(store.database)
    moved = {name for name, values in after.items() if values != before[name]}
    assert moved | STAY == _times()
    assert not moved & STAY
    for name in moved:
        changes = {b - a for a, b in zip(before[name], after[name], strict=True) if a is not None}
        assert HOUR in changes and changes <= {0, HOUR}, name


def _stored(database):
    found = {}
    for name in _times():
        table, column = name.split(".")
        found[name] = [row[0] for row in database.execute(f"SELECT {column} FROM {table}")]
    return found
