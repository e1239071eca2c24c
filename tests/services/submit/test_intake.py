"""Large inputs: written in parts that no command sees or waits for, and accepted completely or not at all."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys

import pytest

from jobctl.errors import InputRejected, KeyConflict, NoRoom, NotFound
from jobctl.process import number_locks, space
from jobctl.services.control.prune import prune
from jobctl.services.control.prune_choice import PruneOptions
from jobctl.services.output.verify import verify
from jobctl.services.submit import feed
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.store import items, jobs
from jobctl.store.opening.open import open_database
from tests.engine.bench import Bench
from tests.wait import wait_until

ROWS = 9_000  # some batches of them


class Desk(Bench):
    """Takes files in."""

    def text(self, rows=ROWS, end=""):
        return "id,text\n" + "".join(f"{n},{'x' * 90} {n}\n" for n in range(1, rows + 1)) + end

    def give(self, text, watch=None, **options):
        path = self.root / "in.csv"
        path.write_text(text)
        reading = {"invalid": options.pop("invalid", "reject")}
        request = SubmitRequest(
            input=InputOptions(str(path), **reading), command=("echo", "{id}"), cwd=str(self.root), **options
        )
        return submit(self.home, request, now=self.now, stdin=io.BytesIO(), watch=watch)

    def left(self):
        """(jobs, items, numbers that are not jobs)."""
        tables = ("jobs", "items", "prunings")
        return tuple(self.database.scalar(f"SELECT count(*) FROM {table}") for table in tables)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture
def in_parts(monkeypatch):
    monkeypatch.setattr(feed, "HEAD_BYTES", 300_000)
    monkeypatch.setattr(feed, "PART_BYTES", 300_000)


def facts(desk, job):
    names = "name, total, queued, rejected, skipped, input_bytes, input_sha256, rows_sha256, fingerprint, state"
    return desk.database.one(f"SELECT {names} FROM jobs WHERE id = ?", (job,))


def test_in_parts_or_at_once_it_is_the_same_job(desk, monkeypatch):
    whole = desk.give(desk.text())
    monkeypatch.setattr(feed, "HEAD_BYTES", 300_000)
    monkeypatch.setattr(feed, "PART_BYTES", 300_000)
    parts = desk.give(desk.text())
    assert (whole.job, parts.job) == (1, 2)
    assert facts(desk, 1) == facts(desk, 2)
    rows = "SELECT item, state, payload FROM items WHERE job = ? ORDER BY item"
    assert desk.database.execute(rows, (1,)).fetchall() == desk.database.execute(rows, (2,)).fetchall()
    assert desk.left() == (2, 2 * ROWS, 0)
    assert verify(desk.home, 2).ok
    desk.check()


def test_no_command_sees_it_or_waits_for_it(desk, in_parts):
    other = open_database(desk.home)
    seen = []

    def watch(source):
        other.connection.execute("PRAGMA busy_timeout=0")
        with other.transaction():  # would be busy while the rows are being written
            other.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('test', '1')")
        seen.append((other.scalar("SELECT count(*) FROM jobs"), items.running(other)))

    accepted = desk.give(desk.text(), watch=watch)
    assert len(seen) > 3
    assert set(map(str, seen)) == {"(0, [])"}
    assert other.scalar("SELECT total FROM jobs WHERE id = ?", (accepted.job,)) == ROWS


def test_a_bad_row_at_the_end_leaves_nothing(desk, in_parts):
    with pytest.raises(InputRejected, match=r"1 problem"):
        desk.give(desk.text(end="too,many,fields\n"), key="k")
    assert desk.left() == (0, 0, 0)
    assert not (desk.home.results / "1").exists()
    assert desk.give(desk.text(), key="k").items == ROWS


@pytest.mark.usefixtures("in_parts")
def test_bad_rows_that_are_skipped_are_kept_with_the_job(desk):
    accepted = desk.give(desk.text(end="too,many,fields\n"), invalid="skip")
    assert (accepted.items, accepted.rejected) == (ROWS, 1)
    with open(accepted.rejected_path, encoding="utf-8") as file:
        assert file.read().splitlines()[1].startswith(f"{ROWS + 2},{ROWS + 1},,")
    assert [entry.name for entry in desk.home.results.iterdir()] == [str(accepted.job)]


@pytest.mark.usefixtures("in_parts")
def test_a_key_of_a_large_input(desk):
    first = desk.give(desk.text(), key="k")
    again = desk.give(desk.text(), key="k")
    assert (again.job, again.replayed) == (first.job, True)
    with pytest.raises(KeyConflict) as caught:
        desk.give(desk.text().replace(" 8000\n", " changed\n"), key="k")
    assert "row 8000 is the first that differs" in "\n".join(caught.value.details)
    assert desk.left() == (1, ROWS, 0)


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("same", [True, False])
def test_another_submission_takes_the_key_meanwhile(desk, same):
    theirs = desk.text() if same else desk.text(rows=10)
    taken = []

    def watch(source):
        if source.bytes == source.size and not taken:
            taken.append(0)
            desk.give(theirs, key="k")
            (desk.root / "in.csv").write_text(desk.text())

    if same:
        accepted = desk.give(desk.text(), watch=watch, key="k")
        assert accepted.replayed
    else:
        with pytest.raises(KeyConflict, match="belongs to job 2"):
            desk.give(desk.text(), watch=watch, key="k")
    assert desk.left() == (1, ROWS if same else 10, 0)
    assert jobs.load(desk.database, 1) is None  # its number was ours and is not used again
    assert desk.give(desk.text(rows=3)).job == 3


@pytest.mark.usefixtures("in_parts")
def test_rows_with_keys_of_their_own(desk):
    with pytest.raises(InputRejected, match="1 row has the key of an earlier row"):
        desk.give(desk.text(end="8000,again\n"), item_key="id")
    assert desk.left() == (0, 0, 0)
    first = desk.give(desk.text(), item_key="id", name="n", only_new=True)
    desk.database.execute("UPDATE items SET state = 3, attempt = 1")
    assert (first.items, first.skipped) == (ROWS, 0)


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("parts", [0, 1])
def test_no_room_for_the_next_part_takes_all_back(desk, monkeypatch, parts):
    desk.give(desk.text(rows=3))
    desk.database.checkpoint()
    before = desk.database.scalar("PRAGMA page_count")
    room = iter([1 << 40] * (parts + 1) + [10 << 20] if parts else [10])
    monkeypatch.setattr(space, "above_floor", lambda _root: next(room))
    with pytest.raises(NoRoom, match=r"too little room for .*in\.csv: .* free .*, and it takes another"):
        desk.give(desk.text())
    assert desk.left() == (1, 3, 0)
    assert desk.database.scalar("PRAGMA page_count") <= before + 1


LARGE = """
import sys
from jobctl.services.submit import feed
feed.HEAD_BYTES = feed.PART_BYTES = 300_000
from jobctl.cli.edge import run
run(["submit", "-", "--format", "lines", "-q", "--", "true"])
"""


def test_the_rows_of_a_killed_submission_are_pruned(desk):
    child = subprocess.Popen(
        [sys.executable, "-c", LARGE],
        stdin=subprocess.PIPE,
        env={**os.environ, "JOBCTL_HOME": str(desk.home.root)},
        cwd=desk.root,
    )
    try:
        child.stdin.write(b"a line of some length\n" * 100_000)
        child.stdin.flush()
        wait_until(lambda: desk.left()[1] > 10_000)
        desk.submit(rows=3)  # a writer is not held up by one that waits for its input
        prune(desk.home, PruneOptions(), now=desk.now)
        assert desk.left()[1] > 10_000  # still wanted
        assert number_locks.is_taken(str(desk.home.intakes), 1)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdin.close()
    found = prune(desk.home, PruneOptions(), now=desk.now)
    assert found.finished == [1]
    assert desk.left() == (1, 3, 0)
    desk.check()


@pytest.mark.parametrize("rows", [2, ROWS], ids=["at once", "in parts"])
def test_a_job_that_it_comes_after_and_that_was_removed_meanwhile(desk, in_parts, rows):
    with pytest.raises(NotFound, match="--after 41: that job was removed meanwhile"):
        desk.give(desk.text(rows), after=((41, "ok"),))
    assert desk.left()[0] == 0


def test_tags_of_other_templates_are_stored_with_what_they_mean(desk):
    path = desk.root / "in.txt"
    path.write_text("web\n")

    def give(*command):
        request = SubmitRequest(input=InputOptions(str(path)), command=command, cwd=str(desk.root))
        return submit(desk.home, request, now=desk.now, stdin=io.BytesIO())

    tagged = give("docker", "inspect", "-f", "{{.State.Status}}")
    assert tagged.notices == ()
    assert jobs.load(desk.database, tagged.job).work_options["keeps_tags"] is True
    plain = give("awk", "{{print}}")
    assert "passes {{print}} as {print}" in plain.notices[0]
    assert "keeps_tags" not in jobs.load(desk.database, plain.job).work_options


def test_a_key_finds_the_job_of_the_version_that_halved_all_braces(desk):
    path = desk.root / "in.txt"
    path.write_text("web\n")
    request = SubmitRequest(
        input=InputOptions(str(path)),
        command=("docker", "inspect", "-f", "{{.State.Status}}"),
        cwd=str(desk.root),
        key="night",
    )
    first = submit(desk.home, request, now=desk.now, stdin=io.BytesIO())
    options = jobs.load(desk.database, first.job).work_options
    del options["keeps_tags"]
    jobs.update(desk.database, first.job, work_options=json.dumps(options))
    again = submit(desk.home, request, now=desk.now, stdin=io.BytesIO())
    assert (again.job, again.replayed) == (first.job, True)
    path.write_text("db\n")
    with pytest.raises(KeyConflict) as found:
        submit(desk.home, request, now=desk.now, stdin=io.BytesIO())
    assert [line for line in found.value.details if "{{" in line or "tags" in line] == []


def test_the_same_words_have_the_fingerprint_that_every_version_gave_them(desk):
    path = desk.root / "in.txt"
    path.write_text("web\n")
    request = SubmitRequest(input=InputOptions(str(path)), command=("docker", "inspect", "-f", "{{.Id}}"), cwd="/")
    accepted = submit(desk.home, request, now=desk.now, stdin=io.BytesIO())
    assert jobs.load(desk.database, accepted.job).fingerprint == (
        "98517af522047a72e13e01ca0bbe64a3cd8e5c3cb34d7529d29bbb0fa67d19ac"
    )
