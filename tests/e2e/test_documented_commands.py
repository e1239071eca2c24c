"""Every block of commands in README.md, the man pages, the help texts and the examples, typed into a shell.

New documentation is run by default. A command that cannot run here is in ``NOT_RUN`` with the reason; the fast test
``tests/cli/test_documentation.py`` looks at the options of all of them.
"""

from __future__ import annotations

import gzip
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documentation import ROOT, Block, blocks
from tests.e2e.conftest import Cli

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: (a pattern of the line, why it cannot run here)
NOT_RUN = [
    (r"pipx? install|python3 -m venv", "takes packages from the network; tests/e2e/test_wheel.py installs"),
    (r"pytest|\.ci/run|jobctl\.store\.schema", "is for who develops jobctl, in a clone; the suite itself"),
    (r"\btop( \S+)?$", "draws on a terminal until a person leaves it; tests/tui"),
    (r"run --resume last$", "continues a job that is not done; tests/e2e/test_run_resume.py"),
    (r"^jobctl daemon run$", "runs until it is stopped; tests/e2e/test_kill.py and others"),
    (r"^jobctl serve( --|$)", "runs until it is stopped; tests/http/test_serve.py"),
    (r"jobctl serve link", "asks a running server; tests/http/test_serve.py"),
    (r"daemon logs --follow", "runs until it is stopped; tests/cli/test_daemon_service.py"),
    (r"dask scheduler|jobctl worker|--scheduler-file|--cluster", "needs a cluster; tests/executors/cluster"),
    (r"--tls-ca", "needs certificates of a cluster; tests/executors/cluster"),
    (r"/srv/|/var/lib/", "is about a folder of the machine that is not ours"),
    (r"^duckdb ", "is about another program, which need not be there"),
    (r"^jobctl_|^delta\(", "is for Prometheus"),
    (r"^jobctl serve token revoke", "needs a token; tests/http/test_access.py"),
    (r"^post|\| post|^to\b", "needs a server; tests/e2e/test_documented_uploads.py"),
]
#: Blocks that are not commands: (their page, their first words).
NO_COMMANDS = [
    ("README.md: Two commands", "job 1 (files) partial"),
    ("README.md: Five things to do", ""),  # tests/e2e/test_newcomer.py, in their order
    ("README.md: From a program", ""),  # tests/e2e/test_readme.py, with a server at a free port
    ("README.md: Every day", "jobctl"),  # tests/e2e/test_readme.py, with a job that fails in several ways
    ("README.md: One night", "$ jobctl run orders.csv"),  # of a transcript; tests/e2e/test_contract.py
    ("jobctl-serve.8", "id: 1041"),  # a stream of events; tests/http/test_events.py
    ("jobctl-config.5", "[submit]"),  # tests/cli/test_config.py reads it
    ("jobctl-serve.8", "[recipe.load]"),  # tests/e2e/test_documented_uploads.py reads it
    ("jobctl-serve.8", "HTTP/1.1 202"),
    ("jobctl-serve.8", "Authorization:"),
    ("jobctl-serve.8", '{"type"'),
]
#: Exit codes other than 0, by the line.
CODES = {
    "jobctl status nightly --exit-code": 3,
    "jobctl status last --watch": 3,
    "jobctl wait ": 3,
    "jobctl wait --label batch=7": 9,  # no job has this label
    "jobctl daemon run --drain": 75,  # after a line that starts a daemon
}
#: Not files, and created again when they are needed.
PIPES = shutil.ignore_patterns("wake")
#: These change a job that is not done; all others look at one that is.
LIVE = re.compile(r"^jobctl (cancel|pause|resume|set) ")
BLOCKS = [
    block
    for block in {block.lines: block for block in reversed(blocks())}.values()  # a page often shows what the help does
    if not block.is_crontab
    and block.language in ("", "sh")
    and not any(block.where.startswith(where) and block.lines[0].startswith(start) for where, start in NO_COMMANDS)
]

#: Do what the real ones would do to files, and fail where those would: in a folder that is not there.
PROGRAMS = {
    "curl": """while [ $# -gt 0 ]; do
  case $1 in -o) shift; out=$1 ;; -*O*) remote=1 ;; -*) ;; *) url=$1 ;; esac; shift
done
[ -z "${remote-}" ] || out=${url##*/}
echo "page of $url" > "${out:-/dev/stdout}" """,
    "convert": 'for last; do :; done; test -r "$1" && echo picture > "$last"',
    "oxipng": 'test -r "$1"',
    "ssh": 'test $# -ge 2 && echo "$@"',
    "ping": 'echo "$@"',
    "less": "cat",
    "nano": 'test -w "$1"',
    "mail": "cat > /dev/null",
    "systemctl": ":",
    "python3": f'exec {sys.executable} "$@"',
    "check-jsonschema": f'exec {sys.executable} -W ignore -m jsonschema -i "$3" "$2"',
    "loginctl": ":",
    "work/import": 'test -n "$1"',
    "work/load": 'test -n "$1"',
    "work/mail": 'test -n "$1"',
    "work/simulate": 'test -n "$1"',
    "work/publish": ":",
    "work/charge": 'echo "charge-$1"',
    "work/refund": 'test -n "$1"',
    "work/train": 'for last; do :; done; echo "$last"',
}
FILES = {
    "urls.csv": "id,url\n" + "".join(f"{n},https://example.org/{n}\n" for n in range(1, 31)),
    "rows.csv": "id,path\n1,a.gz\n2,b.gz\n",
    "day.csv": "id\n1\n2\n",
    "orders.jsonl": '{"id": 1, "customer": "a"}\n{"id": 2, "customer": "b"}\n',
    "orders.csv": "id,price\n1,2\n2,3\n",
    "commands.csv": "command\ntrue\necho hello\n",
    "hosts.txt": "a.example.org\nb.example.org\n",
    "hosts.csv": "host,lines,path\na.example.org,5,/var/log/a log\n",
    "users.csv": "name\na b\n",
    "photos.csv": "path\nphotos/a 1.jpg\nphotos/b.jpg\n",
    "photos.txt": "photos/a 1.jpg\nphotos/b.jpg\n",
    "photos/a 1.jpg": "x",
    "photos/b.jpg": "x",
    "a.png": "x",
    "some.log": "x",
    "models.txt": "m1\nm2\n",
    "large.txt": "l1\n",
    "small.txt": "s1\n",
    "texts.csv": "id,text\n1,one two\n2,three\n",
    "score.py": 'def score(id, text):\n    return {"words": len(text.split())}\n',
    "shop/__init__.py": "",
    "shop/prices.py": "def update(id, price):\n    return price\n",
    "shop/db.py": "def connect():\n    pass\n",
    "report.txt": "see jobctl status\n",
    "src/pipeline/jobctl.toml": "[submit]\nslots = 2\n",
}


#: With a recipe, for the blocks that are about recipes.
RECIPES = '[recipe.thumbnails]\ncommand = ["convert", "{path}", "-resize", "320x", "{path.}.thumb.webp"]\n'


def _prepare(work: Path, binaries: Path, cli: Cli) -> None:
    binaries.mkdir(exist_ok=True)
    for name, text in {**PROGRAMS, "jobctl": "exec " + " ".join(f"'{word}'" for word in cli.program) + ' "$@"'}.items():
        path = work.parent / name if "/" in name else binaries / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    for name, text in FILES.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in ("a.gz", "b.gz"):
        (work / name).write_bytes(gzip.compress(b"id\n1\n"))
    shutil.copy(ROOT / "examples" / "devices.sh", work)
    cli.env["PATH"] = f"{binaries}:{cli.env['PATH']}"


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """A store with the numbers and names of the documents: all are done in ``done``; in ``live`` 42 has a new round."""
    root = tmp_path_factory.mktemp("stock")
    work = root / "work"
    work.mkdir()
    cli = Cli(root / "done", work)
    _prepare(work, root / "bin", cli)  # a new job of rows of another one runs in the folder of that job
    cli.file("one.txt", "a\n")
    cli.file("many.csv", "id,size\n" + "".join(f"{n},{n * 10}\n" for n in range(1, 41)))
    many = "from jobctl.cli.edge import run; [run(['submit', 'one.txt', '--', 'true']) for _ in range(41)]"
    subprocess.run([sys.executable, "-c", many], cwd=work, env=cli.env, check=True, stdout=subprocess.DEVNULL)
    assert cli.rows("SELECT max(id) FROM jobs") == [(41,)]
    for job in (42, 43, 44, 45):
        name = "nightly" if job == 45 else f"job{job}"
        told = ("--on-done", "true") if job == 45 else ()
        fails = "case $1 in 1|2|3|17|2[0-5]) exit 22 ;; 4) exec sleep 5 ;; esac"
        limits = ("--attempts", "1", "--timeout", "2s", "--queue", "downloads", "--new-queue", "--undo", "true", *told)
        assert cli.submit("many.csv", "--name", name, *limits, "--", "sh", "-c", fails, "_", "{}") == job
    cli("daemon", "start", "--slots", "4")
    cli("wait", "1-45", check=None, timeout=200)
    cli("daemon", "stop")
    with sqlite3.connect(cli.home.database) as database:
        database.execute("UPDATE deliveries SET id = 'msg_0193a5c2-7b6e-4c1d-9f00-2f5f0c4f9d11'")
    database.close()
    shutil.copytree(root / "done", root / "live", ignore=PIPES)
    live = Cli(root / "live", work)
    live("retry", "42")
    return root


def _id(block: Block) -> str:
    return re.sub(r"\W+", "_", f"{block.where} {block.lines[0][:40]}").strip("_")


@pytest.mark.parametrize("block", BLOCKS, ids=_id)
def test_a_block_of_commands_does_what_it_says(block, stock, tmp_path):
    lines = [line for line in block.lines if not any(re.search(form, line) for form, _ in NOT_RUN)]
    if not lines:
        pytest.skip(next(reason for form, reason in NOT_RUN if re.search(form, block.lines[0])))
    work = tmp_path / "work"
    work.mkdir()
    shutil.copytree(stock / ("live" if LIVE.match(lines[0]) else "done"), tmp_path / "home", ignore=PIPES)
    cli = Cli(tmp_path / "home", work)
    cli.env["JOBCTL_DAEMON_GPUS"] = "0,1"
    cli.env["JOBCTL_SUBMIT_BACKOFF"] = "10ms"
    cli.env["EDITOR"] = "nano"
    _prepare(work, tmp_path / "bin", cli)
    try:
        if any("recipe" in line or "trust" in line for line in lines):
            cli.file("jobctl.toml", RECIPES)
            if "jobctl config trust" not in lines:
                cli("config", "trust")
        for line in lines:
            done = cli.shell(line)
            said = f"{block.where}: {line}\nexit {done.returncode}\n{done.stdout}{done.stderr}"
            assert done.returncode in _codes(line), said
            assert "Traceback" not in said and "no such option" not in said.lower(), said
            if line.startswith("jobctl retry "):  # the next line may want to do the same
                cli("daemon", "run", "--drain", "--slots", "4", check=None)
        _check_jobs(cli, lines)
    finally:
        cli.close()


def _codes(line: str) -> tuple[int, ...]:
    """0, and what a job of the stock ends with where the command says that; the jobs of a block of its own succeed."""
    return (0, *(code for start, code in CODES.items() if line.startswith(start) and "||" not in line))


def _check_jobs(cli: Cli, lines: list[str]) -> None:
    """Run the jobs that the block submitted; all of their items must succeed."""
    if any(re.match(r"jobctl (cancel|prune)", line) for line in lines):
        return
    if cli.daemon_pid():
        cli("daemon", "stop", check=None)
    new = [row[0] for row in cli.rows("SELECT id FROM jobs WHERE id > 45 ORDER BY id")]
    if new:
        cli("daemon", "run", "--drain", timeout=200)
    for job in new:
        document = cli.document(job)
        assert document["state"] == "succeeded", (document["command"], document["state_reason"], document["failures"])
