"""Secrets: S4 given by name, S5 not given at all, S6 said by an item. They are where they were put, nowhere else."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

import pytest

from jobctl.cli.edge import run
from tests.wait import wait_until

#: The item proves that it has the secret by its hash, then waits to be looked at.
PROOF = (
    'printf "%s" "$TOKEN" | sha256sum > proof.$JOBCTL_ITEM; while [ ! -e go ]; do sleep 0.02; done; echo done; exit 65'
)
DOCUMENTS = (
    ("status", "--json"), ("status", "1", "--json"), ("items", "1", "--json"), ("explain", "1", "--json"),
    ("explain", "1.1", "--json"), ("daemon", "status", "--json"), ("results", "1", "--json"), ("verify", "1", "--json"),
    ("notify", "list", "--json"), ("queue", "list", "--json"), ("doctor", "--json"), ("config", "show", "--json"),
    ("retry", "1", "--dry-run", "--json"), ("status", "1"), ("logs", "1"), ("metrics",), ("report", "1", "-o", "-"),
    ("daemon", "logs", "--all"), ("export", "1", "--joblog", "-"),
)  # fmt: skip


@pytest.fixture
def canary():
    return secrets.token_hex(16)


def holders(root: Path, canary: str) -> list[Path]:
    """The files below a folder that contain it."""
    found = []
    for path in root.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink() and canary.encode() in path.read_bytes():
                found.append(path)
    return found


def command_lines(canary: str) -> list[str]:
    """The processes of this machine with it in their arguments.

    Ours cannot be told from others, so none may have it.
    """
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            text = path.read_bytes()
            if canary.encode() in text:
                found.append(text.decode(errors="replace"))
    return found


def run_job(cli, canary, *options, env=None):
    """Three items that have the secret; looked at while they run and when they are over."""
    cli.file("rows.txt", "a\nb\nc\n")
    cli("daemon", "start", "--slots", 3, env=env)
    cli.submit("rows.txt", "--on-done", "cat > told.json", *options, "--", "sh", "-c", PROOF, env=env)
    wait_until(lambda: sum(path.stat().st_size > 60 for path in cli.work.glob("proof.*")) == 3, 60, "the items to run")
    proofs = {path.read_text().split()[0] for path in cli.work.glob("proof.*")}
    wait_until(lambda: cli.rows("SELECT count(*) FROM attempts") == [(3,)], 60, "the attempts to be recorded")
    assert holders(cli.home.root, canary) == [] and command_lines(canary) == []
    (cli.work / "go").touch()
    cli("wait", "1", check=4)
    wait_until((cli.work / "told.json").exists, 60, "the notification")
    return proofs


@pytest.fixture
def say(cli, capfd, monkeypatch):
    """Run a command in this process and return its output: there are many commands."""
    monkeypatch.setenv("JOBCTL_HOME", str(cli.home.root))

    def ask(words):
        capfd.readouterr()
        run(list(words))
        return "".join(capfd.readouterr())

    return ask


def check(cli, say, canary, given=()):
    """It is in no file of ours, no file that items or notifications made, no document, no message."""
    for words in DOCUMENTS:
        assert canary not in say(words), words
    cli("daemon", "stop")
    assert holders(cli.home.root, canary) == []
    assert [path for path in holders(cli.work, canary) if path not in given] == []


def test_s4_a_secret_named_with_env_is_only_in_the_environment_of_the_items(cli, say, canary):
    proofs = run_job(cli, canary, "--env", "TOKEN", env={"TOKEN": canary})
    assert proofs == {hashlib.sha256(canary.encode()).hexdigest()}
    check(cli, say, canary)


def test_s4_a_secret_of_an_env_file_is_only_there_and_in_the_environment_of_the_items(cli, say, canary):
    file = cli.file("secrets.env", f"TOKEN='{canary}'\n")
    file.chmod(0o600)
    proofs = run_job(cli, canary, "--env-file", file)
    assert proofs == {hashlib.sha256(canary.encode()).hexdigest()}
    check(cli, say, canary, [file])


def test_s4_submit_says_that_others_can_read_the_env_file(cli):
    cli.file("rows.txt", "a\n")
    file = cli.file("secrets.env", "TOKEN=x\n")
    for mode, warned in ((0o640, True), (0o604, True), (0o600, False)):
        file.chmod(mode)
        said = cli("submit", "rows.txt", "--dry-run", "--env-file", "secrets.env", "--", "true").stderr
        told = f"--env-file secrets.env can be read by others (mode {mode:04o}): chmod 600 secrets.env\n"
        assert (told in said) == warned


@pytest.mark.slow
def test_s5_variables_that_were_not_given_reach_no_item(cli, say, canary):
    proofs = run_job(cli, canary, env={"TOKEN": canary, "AWS_SECRET_ACCESS_KEY": canary, "JOBCTL_X": canary})
    assert proofs == {hashlib.sha256(b"").hexdigest()}, "items have the allow-list and what was given"
    check(cli, say, canary)


def test_s6_a_secret_that_an_item_says_goes_no_further_than_its_own_output(cli, say, canary):
    cli.file("rows.txt", "a\nb\n")
    cli("daemon", "start", env={"TOKEN": canary})
    script = 'echo "curl: denied for token=$TOKEN" >&2; echo "$TOKEN"; [ "$1" = a ]'
    given = ("--env", "TOKEN", "--attempts", 1, "--on-done", "cat > told.json")
    cli.submit("rows.txt", *given, "--", "sh", "-c", script, "sh", "{}", env={"TOKEN": canary})
    cli("wait", "1", check=3)
    wait_until((cli.work / "told.json").exists, 60, "the notification")
    assert canary in cli("logs", "1.1").stdout, "its own output is what it is"
    for words in DOCUMENTS:
        if words[0] != "logs":
            assert canary not in say(words), words
    assert "token=***" in say(("explain", "1.2"))
    cli("daemon", "stop")
    assert {path.parent.parent.name for path in holders(cli.home.root, canary)} == {"logs"}
    assert holders(cli.work, canary) == []


def test_s5_the_environment_of_a_daemon_is_not_told_to_others(cli):
    """The kernel's rule, on which S4 rests: others cannot read environments, but every user can read command lines."""
    if os.geteuid() != 0:
        pytest.skip("needs root to become another user")
    cli("daemon", "start")
    pid = os.fork()
    if not pid:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        try:
            with open(f"/proc/{cli.daemon_pid()}/environ", "rb") as file:
                file.read()
        except OSError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
