"""``--json`` is one JSON document and nothing else; ``--plain`` draws nothing. Every command of the tree, both ways."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import threading

import pytest

from jobctl.cli.edge import run
from jobctl.config import Home
from jobctl.store import sqlite
from tests.cli.every_command import PROCESSES, every_command
from tests.factories import make_store
from tests.interactive import read_terminal
from tests.schemas import check_named

#: Events are a stream, also where nothing is followed: each is a document on a line of its own.
STREAMS = {"events"}
COMMANDS = {name: words for name, words in every_command().items() if name not in (PROCESSES - {"top"}) | STREAMS} | {
    "": [],
    "status of two": ["status", "1", "2"],
    "status of one that is not done": ["status", "2"],
    "items of one": ["items", "1.1"],
    "explain an item": ["explain", "1.1"],
    "logs of an item": ["logs", "1.1"],
    "logs of an item that has not run": ["logs", "2.1"],
    "results of one kind": ["results", "1", "--failed"],
    "results here": ["results", "1", "--failed", "-o", "-"],
    "results as a file": ["results", "1", "--failed", "-o", "copy.csv"],
    "report here": ["report", "1", "-o", "-"],
    "export without a format": ["export", "1"],
    "export as a file": ["export", "1", "--joblog", "-o", "joblog.tsv"],
    "metrics as a file": ["metrics", "-o", "jobctl.prom"],
    "unit": ["daemon", "install", "--print"],
    "rehearsal": ["submit", "--dry-run", "rows.txt", "--", "true"],
    "prune rehearsal": ["prune", "--older-than", "0s", "--include-failed", "--dry-run"],
    "set": ["set", "2", "slots=2"],
    "nothing to wait for": ["wait", "2", "--timeout", "0"],
    "a group": ["queue"],
    "version": ["--version"],
}
WRONG = [
    *(
        ["nosuch"],
        ["queue", "nosuch"],
        ["status", "--nosuch"],
        ["status", "nosuch"],
        ["logs", "99"],
        ["explain", "1.99"],
    ),
    *(["export", "nosuch"], ["report", "nosuch"], ["results", "nosuch"], ["verify", "nosuch"], ["set", "2", "slots=x"]),
    *(["completion", "tcsh"], ["submit"], ["submit", "nosuch", "--", "true"], ["run", "nosuch", "--", "true"], ["top"]),
    *(["daemon", "logs"], ["daemon", "run", "--slots", "x"], ["recipe", "show", "nosuch"], ["notify", "resend", "x"]),
    *(["logs", "1.1", "--attempt", "7"], ["logs", "1.1", "1.2", "--attempt", "7"], ["worker"], ["doctor", "--restore"]),
]
KINDS = ("succeeded", "failed", "unprocessed")
#: Parts of lines, blocks, shapes and braille: what bars, boxes and curves are made of.
DRAWN = re.compile("[\u2190-\u21ff\u2500-\u25ff\u2800-\u28ff…]")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "rows.txt").write_text("a\nb\n")
    (tmp_path / "jobctl.toml").write_text("[submit]\nslots = 2\n")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A job that has ended and one that waits; every test gets a copy, which is cheaper than a new store."""
    home = Home(tmp_path_factory.mktemp("made") / "state")
    store = make_store(home)
    job = store.job("ffuu", state="partial", finished_at=9, started_at=1, name="first")
    store.attempt(job, 1, 1, code=22)
    store.job("qqqq", state="queued", name="waits")
    home.job_results(job).mkdir(parents=True)
    for kind in KINDS:
        (home.job_results(job) / f"{kind}.csv").write_text("id\nü\n")
    store.database.close()
    return home.root


@pytest.fixture
def jobs(home, place, made):
    shutil.copytree(made, home.root)
    results = home.job_results(1)
    files = {kind: {"path": str(results / f"{kind}.csv"), "rows": 1, "sha256": "0" * 64} for kind in KINDS}
    database = sqlite.connect(home.database, isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("UPDATE jobs SET results = ? WHERE id = 1", (json.dumps({"files": files}),))
    database.close()


def _asking(words):
    """The words with ``--json`` behind the command, and in front of it."""
    behind = [words[0], "--json", *words[1:]] if "--" in words else [*words, "--json"]
    return behind, ["--json", *words]


def _check(done, said):
    document = json.loads(done.out)  # one document, and nothing before or after it
    assert re.fullmatch(r"jobctl\.[a-z_]+/1", document["schema"]), said
    check_named(document)  # the schema, and so the type that mypy sees, lists every key
    assert (document["schema"] == "jobctl.error/1") == (done.code != 0 and "error" in document), said
    if document["schema"] == "jobctl.error/1":
        assert document["exit_code"] == done.code, said
        assert document["error"]["message"], said
    return document


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_prints_one_document(jobs, jobctl, name):
    words = COMMANDS[name]
    behind, before = _asking(words)
    for line in (behind, ["-q", *before]):
        done = jobctl(*line)
        _check(done, f"{line}: {done.out[:300]} {done.err[:300]}")
        if name in ("top", "a group"):
            assert done.code == jobctl(*words).code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_also_without_a_store(jobctl, name):
    line, _ = _asking(COMMANDS[name])
    done = jobctl(*line)
    _check(done, f"{line}: {done.out[:300]} {done.err[:300]}")


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_every_error_is_a_document(jobs, jobctl, words):
    for line in _asking(words):
        done = jobctl(*line)
        assert _check(done, f"{line}: {done.out[:300]}")["schema"] == "jobctl.error/1"
        assert done.code in (2, 7, 9)


@pytest.mark.parametrize("name", [name for name in every_command() if name])
def test_every_help_page_is_a_document(jobctl, name):
    path = [word for word in every_command()[name] if word in name.split()][: len(name.split())]
    document = jobctl(*path, "--help", "--json").document
    assert (document["schema"], document["command"]) == ("jobctl.help/1", name)
    assert document["text"] == jobctl(*path, "--help").out.rstrip("\n")
    assert "--json" in [option for each in document["options"] for option in each["names"]]


def test_the_content_of_documents_of_other_formats(jobs, jobctl):
    assert jobctl("results", 1, "--failed", "-o", "-", "--json").document["lines"] == ["id\n", "ü\n"]
    assert jobctl("report", 1, "-o", "-", "--json").document["html"].startswith("<!DOCTYPE html>")
    assert jobctl("completion", "bash", "--json").document["script"] == jobctl("completion", "bash").out
    rows = jobctl("export", 1, "--json").document["rows"]
    assert [(row["seq"], row["exit_code"], row["signal"]) for row in rows] == [(1, 22, 0), (2, 22, 0)]
    families = jobctl("metrics", "--json").document["metrics"]
    text = jobctl("metrics").out
    assert [family["name"] for family in families] == re.findall(r"(?m)^# TYPE (\S+)", text)
    assert sum(len(family["samples"]) for family in families) == len(re.findall(r"(?m)^jobctl", text))


FOLLOWED = [["logs", "1"], ["logs", "1", "--failed"], ["status", "1", "--watch"], ["events", "--items"]]


@pytest.mark.parametrize("words", FOLLOWED, ids=" ".join)
def test_a_stream_has_one_document_on_each_line(jobs, jobctl, words):
    if words[0] == "events":
        jobctl("queue", "set", "mail", "slots=2")
    follow = ["--follow"] if words[0] == "logs" else []
    lines = [json.loads(line) for line in jobctl(*words, *follow, "--json").out.splitlines()]
    assert lines
    assert all(line["schema"].startswith("jobctl.") for line in lines)


@pytest.fixture
def on_terminal(jobctl, monkeypatch):
    """Runs a command line in this process on a terminal of 60 columns; what it printed there."""

    def call(*words, **env):
        for name, value in {"TERM": "xterm-256color", "LANG": "C.UTF-8", "COLUMNS": "60", **env}.items():
            monkeypatch.setenv(name, value)
        control, terminal = os.openpty()
        said = []

        def read():
            while piece := read_terminal(control):
                said.append(piece)

        reader = threading.Thread(target=read)
        reader.start()
        with monkeypatch.context() as patch, open(terminal, "w", encoding="utf-8") as stream:
            patch.setattr(sys, "stdout", stream)
            patch.setattr(sys, "stderr", stream)
            run([str(word) for word in words])
        reader.join(30)
        os.close(control)
        return b"".join(said).decode()

    return call


PAGES = {name: words for name, words in COMMANDS.items() if name not in ("report here", "results here", "completion")}


@pytest.mark.parametrize("name", PAGES)
def test_plain_draws_nothing_on_a_terminal(jobs, on_terminal, name):
    words = PAGES[name]
    said = on_terminal("--plain", *words)
    assert "\x1b" not in said, f"{words}: {said[:500]!r}"
    assert not DRAWN.search(said), f"{words}: {said[:500]!r}"


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": ""}, {"NO_COLOR": "1"}], ids=str)
def test_nothing_is_coloured_where_colours_are_not_wanted(jobs, on_terminal, name, env):
    assert "\x1b" not in on_terminal(*PAGES[name], **env)


def test_plain_pages_have_no_bar_and_their_tables_have_tabs(jobs, on_terminal):
    lines = on_terminal("--plain", "status", 1).replace("\r\n", "\n").splitlines()
    assert "50.0 %  2 of 4  took 0s" in lines
    assert any(line.startswith("retry\tjobctl retry 1") for line in lines)
    assert lines == on_terminal("--plain", "status", 1, COLUMNS="20").replace("\r\n", "\n").splitlines()
