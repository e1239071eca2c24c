"""Variables on their way to items: missing ones are named, and given ones arrive byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.stages import few
from tests.wait import wait_until


def wait_done(cli, job):
    """The status of a job once it is done."""
    wait_until(lambda: cli.document(job)["done"], 90, f"job {job} to end")
    return cli.status(job)


def test_a_variable_that_the_daemon_lacks_is_refused_at_submit(cli):
    cli.file("rows.txt", "a\n")
    cli("daemon", "start")
    done = cli("submit", "rows.txt", "--env", "TOKEN", "--", "true", env={"TOKEN": "x"}, check=2)
    assert "--env TOKEN: items get this variable from the running daemon, which does not have it" in done.stderr
    assert "--env-file" in done.stderr
    assert cli("submit", "rows.txt", "-n", "--env", "TOKEN", "--", "true", env={"TOKEN": "x"}, check=2)
    assert cli.rows("SELECT count(*) FROM jobs") == [(0,)]


def test_a_variable_that_the_daemon_has_is_taken(cli):
    cli.file("rows.txt", "a\n")
    cli("daemon", "start", env={"TOKEN": "from the daemon"})
    job = cli.submit("rows.txt", "--env", "TOKEN", "--shell", 'printf %s "$TOKEN" > got', env={"TOKEN": "mine"})
    assert wait_done(cli, job)["state"] == "succeeded"
    assert (cli.work / "got").read_text() == "from the daemon"
    names = cli.rows("SELECT value FROM meta WHERE key = 'environment'")[0][0]
    assert "TOKEN" in names
    assert "from the daemon" not in names


def test_items_that_need_a_missing_variable_fail_before_they_start(cli):
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(50)))
    job = cli.submit("rows.txt", "--env", "TOKEN", "--shell", "echo {} >> ran")
    cli("daemon", "start", "--slots", "2")
    document = wait_done(cli, job)
    assert document["state"] == "failed"
    assert not (cli.work / "ran").exists()
    (group,) = document["failures"]["groups"]
    assert group["code"] == "env_missing"
    assert "the daemon has no variable TOKEN" in group["message"]
    assert "TOKEN" in document["state_reason"]
    assert document["counts"]["unprocessed"] > 40
    cli("daemon", "stop")
    cli("daemon", "start", env={"TOKEN": "x"})
    cli("retry", job)
    assert wait_done(cli, job)["state"] == "succeeded"


def test_an_env_file_may_have_what_the_daemon_lacks(cli):
    cli.file("rows.txt", "a\n")
    (cli.work / "env").write_bytes(b"\xef\xbb\xbfexport TOKEN='caf\xe9 x'\r\nEMPTY=\nTOKEN2 = a\xc2\x85b\n")
    cli("daemon", "start")
    job = cli.submit(
        "rows.txt", "--env", "TOKEN", "--env-file", "env", "--shell", 'printf "%s|%s|" "$TOKEN" "$TOKEN2" > got'
    )
    assert wait_done(cli, job)["state"] == "succeeded"
    assert (cli.work / "got").read_bytes() == b"caf\xe9 x|a\xc2\x85b|"


@pytest.mark.parametrize("kind", ["fifo", "device", "large", "folder", "nul", "name", "missing"])
def test_an_env_file_that_has_no_end_or_no_sense_is_refused(cli, kind):
    cli.file("rows.txt", "a\n")
    path = cli.work / "env"
    said = {"large": "larger than 1 MiB", "nul": "line 2 has a NUL byte", "name": "line 1 is not NAME=VALUE"}
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path = "/dev/zero"
    elif kind == "large":
        with path.open("wb") as file:
            file.truncate(10 << 30)
    elif kind == "folder":
        path.mkdir()
    elif kind in ("nul", "name"):
        path.write_bytes(b"A=1\nB=\0\n" if kind == "nul" else b"1A=2\n")
    done = cli("submit", "rows.txt", "--env-file", path, "--", "true", check=2)
    assert said.get(kind, "--env-file") in done.stderr


def test_what_items_do_not_get_is_said_once_and_not_with_q(cli):
    cli.file("rows.txt", "a\n")
    env = {"https_proxy": "http://p", "TMPDIR": "/tmp", "SSH_AUTH_SOCK": "/s"}
    said = cli("submit", "rows.txt", "--", "true", env=env).stderr
    line = "items do not get https_proxy, SSH_AUTH_SOCK, TMPDIR"
    assert said.count(line) == 1
    assert (
        "do not get https_proxy, SSH_AUTH_SOCK:"
        in cli("submit", "rows.txt", "--env", "TMPDIR=/tmp", "--", "true", env=env).stderr
    )
    assert "do not get" not in cli("submit", "-q", "rows.txt", "--", "true", env=env).stderr
    assert "do not get" not in cli("submit", "rows.txt", "--", "true").stderr


def test_env_all_gives_everything_but_what_is_given_by_name(cli):
    cli.file("rows.txt", "a\n")
    cli("daemon", "start", env={"SECRET": "hidden-value"})
    env = {"https_proxy": "http://p", "ODD": "two\nlines", "SECRET": "hidden-value"}
    done = cli(
        *("submit", "rows.txt", "--env-all", "--env", "SECRET"),
        *("--shell", 'printf "%s|%s|%s" "$https_proxy" "$ODD" "$SECRET" > got'),
        env=env,
    )
    job = int(done.stdout)
    assert "stored with the job" in done.stderr
    assert wait_done(cli, job)["state"] == "succeeded"
    assert (cli.work / "got").read_text() == "http://p|two\nlines|hidden-value"
    assert "hidden-value" not in cli.rows("SELECT env FROM jobs")[0][0]
    for words in (("status", job, "--json"), ("explain", job, "--json"), ("report", job, "-o", "-")):
        assert "two\\nlines" not in cli(*words).stdout


def test_an_environment_that_no_process_could_get_is_refused(cli):
    cli.file("rows.txt", "a\n")
    env = {f"BIG{n}": "x" * 100_000 for n in range(8)}
    done = cli("submit", "rows.txt", "--env-all", "--", "true", env=env, check=2)
    assert "bytes" in done.stderr
    assert "BIG" in done.stderr
    long = cli("submit", "rows.txt", "--env", "A=" + "x" * 131_000, "--", "true", check=None)
    assert long.returncode == 2 or long.returncode == 0
    assert "bug in jobctl" not in long.stderr


def test_bytes_that_are_not_text_reach_the_item(cli):
    """A directory, words, variables, the input's name: byte for byte; on screens and in JSON as \\xff."""
    folder = os.fsencode(cli.work) + b"/caf\xe9"
    os.mkdir(folder)
    with open(folder + b"/ro\xffws.txt", "wb") as file:
        file.write(b"a\n")
    env = {os.fsencode(k): os.fsencode(v) for k, v in cli.env.items()} | {b"LC_X\xff": b"1"}
    script = b'printf "%s|%s|" "$1" "$V" > got; pwd > where'
    done = subprocess.run(
        [*cli.program, "run", b"ro\xffws.txt", "--env", b"V=\xfe", "--", "sh", "-c", script, b"sh", b"w\xff-{}"],
        cwd=folder,
        env=env,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    with open(folder + b"/got", "rb") as file:
        assert file.read() == b"w\xff-a|\xfe|"
    with open(folder + b"/where", "rb") as file:
        assert file.read() == folder + b"\n"
    for text in (
        "status 1",
        "status 1 --json",
        "explain 1",
        "items 1",
        "report 1 -o -",
        "doctor",
        "verify 1",
        "metrics",
    ):
        words = text.split()
        shown = cli(*words)
        assert "bug in jobctl" not in shown.stderr
    document = cli.status(1)
    assert document["cwd"].endswith("/caf\\xe9")
    assert document["input"]["path"] == "ro\\xffws.txt"
    assert "w\\xff-{}" in document["command"]


@pytest.mark.parametrize(
    "words",
    [
        ("submit", "rows.txt", "--name", b"\xff", "--", "true"),
        ("submit", "rows.txt", "--label", b"a=\xff", "--", "true"),
        ("submit", "rows.txt", "--queue", b"\xff", "--", "true"),
        ("submit", "rows.txt", "--key", b"\xff", "--", "true"),
        ("submit", "rows.txt", "--recipe", b"\xff"),
        ("submit", "rows.txt", "--item-key", b"\xff", "--", "true"),
        ("submit", "rows.txt", "--where", b"a == '\xff'", "--", "true"),
        ("submit", b"no\xff.txt", "--", "true"),
        ("status", b"\xff"),
        ("pause", "--queue", b"\xff"),
        ("queue", "set", b"\xff", "slots=1"),
        ("frob\udcff",),
    ],
    ids=str,
)
def test_a_name_that_is_not_text_is_refused(cli, words):
    cli.file("rows.txt", "a\n")
    done = subprocess.run(
        [*cli.program, *words], cwd=cli.work, env=cli.env, capture_output=True, stdin=subprocess.DEVNULL, timeout=60
    )
    assert done.returncode in (2, 7, 9), done.stderr
    assert b"bug in jobctl" not in done.stderr
    assert b"\xff" not in done.stderr


def test_a_reason_and_a_hook_that_are_not_text_are_kept(cli):
    cli.file("rows.txt", "a\n")
    hook = b"cat > /dev/null; printf '\xff' > hooked"
    subprocess.run(
        [*cli.program, "submit", "rows.txt", "--hold", "--on-done", hook, "--", "true"],
        cwd=cli.work, env=cli.env, check=True, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    cli("resume", 1)
    subprocess.run(
        [*cli.program, "pause", "1", "--reason", b"caf\xe9"], cwd=cli.work, env=cli.env, check=True, timeout=60
    )
    assert "caf\\xe9" in cli("explain", "1").stdout
    cli("resume", 1)
    cli("daemon", "start")
    wait_done(cli, 1)
    wait_until(lambda: (cli.work / "hooked").exists(), 60, "the hook")
    wait_until(lambda: (cli.work / "hooked").read_bytes() == b"\xff", 60, "the hook")
    assert "bug" not in cli("notify", "list", "1").stderr


@pytest.mark.parametrize(
    "words",
    few(
        ["status", "submit rows.txt -- true", "run rows.txt -- true", "daemon start", "doctor", "config path", "top"],
        ["status", "config path"],
    ),
)
def test_without_any_home_directory_a_command_says_what_to_set(cli, words):
    """A number without an entry in the list of users and without HOME, as in a container."""
    if os.geteuid() != 0:
        pytest.skip("needs root to become a user that does not exist")
    cli.file("rows.txt", "a\n")
    inner = (
        "import os, sys; os.getuid = os.geteuid = lambda: 54321\n"
        "import pwd\n"
        "def unknown(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = unknown\n"
        "from jobctl.cli.edge import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", inner, *words.split()],
        cwd=cli.work, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "bug in jobctl" not in done.stderr
    if not words.startswith(("config", "top")):
        assert done.returncode == 2, done.stderr
        assert "JOBCTL_HOME" in done.stderr


@pytest.mark.parametrize(
    "odd",
    few(
        [
            *("LC_ALL=C", "LC_ALL=xx_YY.none", "PYTHONIOENCODING=ascii", "TZ=garbage/zone", "COLUMNS=-1"),
            *("COLUMNS=1000000000", "TERM=garbage", "USER=\udcff", "HOME=rel", "HOME=", "XDG_CONFIG_HOME=rel"),
            "XDG_STATE_HOME=\udcff",
        ],
        ["LC_ALL=C", "TZ=garbage/zone", "HOME=", "XDG_CONFIG_HOME=rel"],
    ),
)
def test_odd_surroundings_do_not_cause_a_failure(cli, odd):
    name, _, value = odd.partition("=")
    cli.file("rows.txt", "ä\n")
    cli("submit", "rows.txt", "--name", "größe", "--", "true", env={name: value})
    for words in (("status",), ("status", "1", "--json"), ("items", "1"), ("explain", "1")):
        cli(*words, env={name: value})


def test_a_folder_called_tilde_is_not_the_home_of_a_user_without_one(cli):
    planted = cli.work / "~" / ".config" / "jobctl" / "config.toml"
    planted.parent.mkdir(parents=True)
    planted.write_text('[submit]\non-done = "touch planted"\n')
    inner = (
        "import os, pwd\n"
        "def unknown(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = unknown\n"
        "from jobctl.services.settings.files import settings_files\n"
        "print([file.path for file in settings_files({}, os.getcwd()) if file.exists])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", inner], cwd=cli.work, env={"PATH": "/bin"}, capture_output=True, text=True, timeout=60
    )
    assert "config.toml" not in done.stdout, done.stdout
    assert done.returncode == 0, done.stderr
