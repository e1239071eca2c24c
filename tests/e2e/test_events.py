"""Events across kills: of the engine, of the supervisor and of the reader. Nothing is lost and nothing comes twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from tests.wait import wait_until

ROWS = 40
#: A third of the items fails, each of them twice.
ITEM = "n={}; sleep 0.1; test $((n % 3)) != 0"


class Reader:
    """``jobctl events --follow`` as a program uses it: it is killed, and continues after the last line that it has."""

    def __init__(self, cli, *words):
        self.cli, self.words = cli, words
        self.events = []
        self.process = None
        self._output = cli.work / "events.jsonl"
        self.said = cli.work / "said.txt"

    def start(self):
        since = self.events[-1]["id"] if self.events else 0
        words = ["events", *self.words, "--follow", "--json", "--since", str(since)]
        with self._output.open("w") as output, self.said.open("w") as said:
            self.process = subprocess.Popen(
                [*self.cli.program, *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=said,
                text=True,
                cwd=self.cli.work,
                env=self.cli.env,
            )

    def take(self):
        whole = self._output.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.events += self.take()

    def wait_for(self, count):
        wait_until(lambda: len(self.take()) >= count, 60, f"{count} events")


@pytest.fixture
def reader(cli):
    made = Reader(cli, "1", "--items")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def begin(cli):
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(1, ROWS + 1)))
    cli.submit("rows.txt", "--attempts", 2, "--backoff", "50ms", "--shell", ITEM)


def start_daemon(cli):
    wait_until(lambda: cli.daemon_pid() is None, 60, "the lock to be free")
    cli("daemon", "start", "--slots", 4)


def whole(cli):
    return [json.loads(line) for line in cli("events", 1, "--items", "--since", 0, "--json").stdout.splitlines()]


def test_kills_of_engine_supervisor_and_reader_lose_and_repeat_nothing(cli, reader):
    begin(cli)
    reader.start()
    cli("daemon", "start", "--slots", 4)
    reader.wait_for(6)
    first = cli.engine_pid()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: cli.engine_pid() != first, 60, "a new engine")
    reader.kill()
    reader.start()
    reader.wait_for(4)
    os.kill(cli.daemon_pid(), signal.SIGKILL)
    reader.kill()
    start_daemon(cli)
    reader.start()
    cli("wait", 1, check=None)
    assert reader.process.wait(60) == 0, "it ends with its job"
    reader.events += reader.take()
    assert [event["id"] for event in reader.events] == [event["id"] for event in whole(cli)]
    assert reader.events == whole(cli)
    ends = {}
    for event in reader.events:
        if event["type"] in ("item.succeeded", "item.failed", "item.unprocessed"):
            ends.setdefault(event["data"]["item"], []).append(event["data"]["outcome"]["state"])
    assert sorted(ends) == list(range(1, ROWS + 1)) and all(len(each) == 1 for each in ends.values())
    words = {3: "succeeded", 4: "failed", 5: "unprocessed"}
    assert {item: words[state] for item, state in cli.rows("SELECT item, state FROM items")} == {
        item: each[0] for item, each in ends.items()
    }
    settled = [
        (event["data"]["item"], event["data"]["outcome"]["attempt"]) for event in reader.events if _has_run(event)
    ]
    assert sorted(settled) == sorted(cli.rows("SELECT item, attempt FROM attempts WHERE ending IS NOT NULL"))


def _has_run(event):
    return event["type"] in ("item.succeeded", "item.failed", "item.retrying")


def test_ctrl_c_says_how_to_continue(cli, reader):
    begin(cli)
    reader.start()
    reader.wait_for(1)
    reader.process.send_signal(signal.SIGINT)
    assert reader.process.wait(60) == 130
    (last,) = reader.take()
    resumed = f"continue with: jobctl events 1 --items --follow --json --since {last['id']}\n"
    assert resumed in reader.said.read_text()


def test_a_reader_that_goes_away_ends_it_quietly(cli):
    begin(cli)
    done = cli.shell(f"{' '.join(cli.program)} events --follow 2>&1 | head -n 2; echo left")
    assert done.stdout.splitlines()[-1] == "left" and "job.submitted" in done.stdout
    assert "Traceback" not in done.stdout and "rror" not in done.stdout
