"""Only items that run are said to finish, not those that the supervisor has ahead of free slots."""

from __future__ import annotations

from tests.wait import wait_until

SLOTS = 2


def test_no_message_counts_more_than_the_slots(cli):
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(400)))
    cli("daemon", "start", "-j", SLOTS)
    # The short items make the engine hand over many at once; the long ones keep what was handed over from beginning.
    job = cli.submit("rows.txt", "--grace", "0", "--shell", "[ {} -lt 150 ] || sleep 600")
    other = cli.submit("rows.txt", "--shell", "true")
    wait_until(lambda: cli.rows("SELECT succeeded FROM jobs WHERE id = ?", job)[0][0] == 150, 120, "the short items")
    wait_until(lambda: cli.rows("SELECT running FROM jobs WHERE id = ?", job)[0][0] >= SLOTS, 60, "the long items")
    ahead = cli.rows("SELECT running FROM jobs WHERE id = ?", job)[0][0]
    queue = next(line for line in cli("queue", "list").stdout.splitlines() if line.startswith("default"))
    assert int(queue.split("\t")[-1]) <= SLOTS, f"{ahead} are in hand"
    assert cli("pause", "--queue", "default").stderr == "queue default: paused; 2 running items will finish\n"
    cli("resume", "--queue", "default")
    assert cli("pause", job).stderr == f"job {job}: paused; 2 running items will finish\n"
    assert cli("pause", other).stderr == f"job {other}: paused\n"
    stopped = cli("daemon", "stop", "--timeout", "2s", check=75)
    assert "waiting for 2 running items to finish (process" in stopped.stderr
    cli("daemon", "stop", "--now")
    done = cli("resume", job)
    assert "no daemon is running" in done.stderr
    assert "will finish" not in cli("pause", job).stderr, "without a daemon nothing runs"
