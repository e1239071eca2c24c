"""The library and the command line make the same job of the same options, and answer with the same documents."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import jobctl as package
from jobctl.domain.job_options import OPTIONS
from jobctl.services.control.targets import existing_job
from jobctl.store.opening.open import open_database

#: For each option: its words on a command line, and its value in a program.
SAMPLES: dict[str, tuple[list[str], Any]] = {
    "format": (["csv"], "csv"),
    "delimiter": ([";"], ";"),
    "comment": (["#"], "#"),
    "encoding": (["latin-1"], "latin-1"),
    "no_header": ([], True),
    "invalid": (["skip"], "skip"),
    "select": (["1-2"], "1-2"),
    "sample": (["2"], 2),
    "name": (["nightly"], "nightly"),
    "label": (["team=a", "kind=b"], {"team": "a", "kind": "b"}),
    "queue": (["mail"], "mail"),
    "new_queue": ([], True),
    "priority": (["-3"], -3),
    "key": (["2026-11-29"], "2026-11-29"),
    "on_duplicate": (["return"], "return"),
    "unique": ([], True),
    "hold": ([], True),
    "not_before": (["2h"], timedelta(hours=2)),
    "on_done": (["true", "false"], ["true", "false"]),
    "allow_http": ([], True),
    "slots": (["4"], 4),
    "timeout": (["5m,20m"], [300, 1200]),
    "attempts": (["5"], 5),
    "gpus_per_item": (["1"], 1),
    "nice": (["5"], 5),
    "ionice": (["idle"], "idle"),
    "cwd": (["sub"], Path("sub")),
    "env": (["A=1", "B=x y"], {"A": "1", "B": "x y"}),
    "env_file": (["secrets.env"], Path("secrets.env")),
    "undo": (["./refund 'a b'"], ["./refund", "a b"]),
    "undo_on_failure": ([], True),
    "retry_on": (["1,75"], [1, 75]),
    "no_retry_on": (["2"], 2),
    "backoff": (["2sx4..60s"], "2sx4..60s"),
    "grace": (["2500ms"], 2.5),
    "max_failures": (["5"], 5),
    "halt": (["now"], "now"),
    "deadline": (["2h"], 7200),
    "on_crash": (["fail"], "fail"),
    "leftovers": (["end"], "end"),
    "rate": (["100/s"], "100/s"),
    "output_cap": (["64K"], 64 << 10),
}
#: Options that another test of this folder gives, or that need a column, a function, a joblog or another job.
ELSEWHERE = {
    *("sheet", "from_joblog", "where", "dry_run", "recipe", "item_key", "only_new", "new_by", "after", "notify"),
    *("notify_secret_env", "notify_secret_file", "resources", "env_all", "shell", "undo_shell", "undo_call"),
    *("call", "call_style", "call_setup", "recycle", "python"),
}
#: With these, the same work is accepted only once.
ONCE = ("key", "on_duplicate", "unique")
#: What two jobs cannot have in common.
OWN = ("id", "uid", "submitted_at", "updated_at", "round_at", "paused_at", "not_before_at", "deadline_at", "data")


@pytest.fixture
def both(jobctl: Any, home: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Submits a file with some of the options, once by the command line and once by the library."""
    work = tmp_path / "work"
    (work / "sub").mkdir(parents=True)
    monkeypatch.chdir(work)
    (work / "orders.csv").write_text("id\n1\n2\n3\n")
    (work / "secrets.env").write_text("C=1\n")
    for program in ("refund", "sub/refund"):
        (work / program).write_text("#!/bin/sh\n")
        (work / program).chmod(0o700)

    def submit(keys: Iterable[str]) -> tuple[int, package.Job]:
        words = [word for key in keys for word in _words(key)]
        ran = jobctl("submit", "orders.csv", *words, "--", "true")
        assert ran.code == 0, ran.err
        values = {key: SAMPLES[key][1] for key in keys}
        return int(ran.out), package.Store(home.root).submit("orders.csv", command=["true"], **values)

    return submit


def _words(key: str) -> list[str]:
    option, values = f"--{key.replace('_', '-')}", SAMPLES[key][0]
    return [part for value in values for part in (option, value)] if values else [option]


def test_every_option_is_compared() -> None:
    assert {option.key for option in OPTIONS} == SAMPLES.keys() | ELSEWHERE


def test_both_make_the_same_job(both: Any, home: Any) -> None:
    command, job = both([key for key in SAMPLES if key not in ONCE])
    with closing(open_database(home)) as database:
        theirs, mine = (asdict(existing_job(database, number)) for number in (command, job.id))
    for row in (theirs, mine):
        for name in OWN:
            row.pop(name, None)
    assert mine == theirs
    assert (mine["policy"]["slots"], mine["policy"]["timeouts_s"], mine["cwd"][-4:]) == (4, (300, 1200), "/sub")


def test_both_find_the_job_of_a_key(both: Any) -> None:
    command, job = both(ONCE)
    assert job.id == command and job.replayed


def test_both_answer_with_the_same_documents(jobctl: Any) -> None:
    store = package.Store()
    job = store.submit(rows=[{"id": 1}, {"id": 2}], command=["true", "{id}"], name="n")
    moving = {"at", "heartbeat_at", "eta_at", "elapsed_s", "waited_s"}

    def still(document: Any) -> Any:
        if isinstance(document, dict):
            return {key: still(value) for key, value in document.items() if key not in moving}
        return [still(value) for value in document] if isinstance(document, list) else document

    asked: dict[str, Any] = {
        "status 1": job.status(),
        "status": store.status(),
        "explain 1.2": job.explain(2),
        "causes 1": job.causes(),
        "logs 1.1": job.logs(1),
        "daemon status": store.daemon(),
        "prune --dry-run": store.prune(dry_run=True),
    }
    for words, document in asked.items():
        ran = jobctl(*words.split(), "--json")
        assert still(ran.document) == still(json.loads(json.dumps(document))), words
    assert jobctl("items", 1, "--json").document["items"] == [json.loads(json.dumps(item)) for item in job.items()]
