"""Items with a priority for processor and disk, as they find it themselves."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from jobctl.domain.policy import Policy
from jobctl.errors import UsageError
from jobctl.process import priority
from tests.e2e.conftest import PATIENCE_S
from tests.wait import wait_until

#: Writes how nice the item is, and its class for the disk.
SHOW = ("sh", "-c", 'echo "$(nice) $(ionice -p $$)" >> said')
OWN = os.getpriority(os.PRIO_PROCESS, 0)
NOBODY = 65534

needs_ionice = pytest.mark.skipif(not shutil.which("ionice"), reason="ionice is not installed")


def said(cli) -> list[str]:
    return (cli.work / "said").read_text().splitlines()


@needs_ionice
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--nice", 5), f"{OWN + 5} none: prio 0"),
        (("--nice", 0), f"{OWN} none: prio 0"),
        (("--ionice", "idle"), f"{OWN} idle"),
        (("--ionice", "best-effort"), f"{OWN} best-effort: prio 4"),
        (("--nice", 19, "--ionice", "best-effort:7"), f"{min(OWN + 19, 19)} best-effort: prio 7"),
    ],
)
def test_an_item_has_the_priorities_that_were_given(cli, words, found):
    cli.file("rows.txt", "a\n")
    cli("run", "rows.txt", "-q", *words, "--", *SHOW)
    assert said(cli) == [found]


def test_what_an_item_starts_has_them_too(cli):
    cli.file("rows.txt", "a\n")
    cli("run", "rows.txt", "-q", "--nice", 3, "--", "sh", "-c", "(nice >> said) & wait; sh -c 'nice >> said'")
    assert said(cli) == [str(OWN + 3)] * 2


@needs_ionice
def test_calls_have_them(cli):
    cli.file("rows.txt", "a\nb\n")
    cli.file(
        "prices.py",
        "import os, subprocess\n"
        "def update(line):\n"
        "    disk = subprocess.run(['ionice', '-p', str(os.getpid())], capture_output=True, text=True).stdout\n"
        "    with open('said', 'a') as file: file.write(f'{os.getpriority(os.PRIO_PROCESS, 0)} {disk}')\n",
    )
    cli("run", "rows.txt", "-q", "--nice", 4, "--ionice", "idle", "--call", "prices:update")
    assert said(cli) == [f"{OWN + 4} idle"] * 2


def test_a_retry_and_another_daemon_keep_them(cli):
    cli.file("rows.txt", "a\n")
    cli("daemon", "start")
    job = cli.submit("rows.txt", "--nice", 6, "--attempts", 1, "--", "sh", "-c", "nice >> said; test -e go")
    cli.wait_state(job, "failed")
    cli("daemon", "stop")
    (cli.work / "go").touch()
    cli("daemon", "start")
    cli("retry", job)
    cli.wait_state(job, "succeeded")
    assert said(cli) == [str(OWN + 6)] * 2
    assert cli.status(job)["policy"]["nice"] == 6
    assert "nice 6" in cli("status", job).stdout


@needs_ionice
def test_set_changes_them_for_items_that_start_from_then_on(cli):
    cli.file("rows.txt", "a\nb\nc\n")
    cli("daemon", "start")
    script = 'echo "$(nice) $(ionice -p $$)" >> said; until test -e "go.$0"; do sleep 0.05; done'
    job = cli.submit("rows.txt", "--slots", 1, "--ionice", "idle", "--", "sh", "-c", script, "{}")
    for row, settings in (("a", ("nice=7", "ionice=best-effort:2")), ("b", ("nice=0", "ionice=none")), ("c", ())):
        wait_until(lambda row=row: cli.document(job)["counts"]["running"] == 1, PATIENCE_S, f"the start of {row}")
        wait_until((cli.work / "said").exists, PATIENCE_S, "its first line")
        wait_until(lambda row=row: len(said(cli)) == "abc".index(row) + 1, PATIENCE_S, f"what {row} says")
        if settings:
            cli("set", job, *settings)
        (cli.work / f"go.{row}").touch()
    cli.wait_state(job, "succeeded")
    assert said(cli) == [f"{OWN} idle", f"{OWN + 7} best-effort: prio 2", f"{OWN} none: prio 0"]


def test_set_refuses_what_submit_refuses(cli):
    cli.file("rows.txt", "a\n")
    job = cli.submit("rows.txt", "--hold", "--", "true")
    for setting, message in (
        ("nice=20", ("nice=20: 20 is more than 19\n", "\n  give 19 or less")),
        ("nice=none", ("nice=none: 'none' is not a whole number",)),
        ("ionice=fast", ("ionice=fast: 'fast' is not known\n", "\n  use one of idle, best-effort, best-effort:0")),
    ):
        said = cli("set", job, setting, check=2).stderr
        assert all(text in said for text in message), said
    assert cli.status(job)["policy"]["nice"] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--nice", 20), ("--nice: 20 is more than 19\n", "\n  give 19 or less")),
        (("--nice", "-21"), ("--nice: -21 is less than -20\n", "\n  give -20 or more")),
        (("--nice", "low"), ("--nice: 'low' is not a whole number",)),
        (("--ionice", "realtime"), ("--ionice 'realtime' is not known\n", "\n  use one of idle, best-effort,")),
        (("--ionice", "best-effort:8"), ("--ionice 'best-effort:8' is not known\n", "\n  did you mean best-effort:")),
    ],
)
def test_a_bad_value_is_refused_with_what_to_type(cli, words, message):
    cli.file("rows.txt", "a\n")
    said = cli("submit", "rows.txt", *words, "--", "true", check=2).stderr
    assert all(text in said for text in message), said
    assert cli("status", "--json").stdout.count('"job"') == 0


def test_settings_recipes_and_the_command_line_give_them(cli):
    cli.file("rows.txt", "a\n")
    folder = cli.work / ".config" / "jobctl"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        '[submit]\nnice = 3\nionice = "idle"\n[recipe.gentle]\nnice = 9\ncommand = ["true"]\n'
    )
    said_in = (("--", "true"), ("--recipe", "gentle"), ("--nice", 1, "--ionice", "none", "--", "true"))
    policies = [cli.status(cli.submit("rows.txt", *words))["policy"] for words in said_in]
    assert [(policy["nice"], policy["ionice"]) for policy in policies] == [(3, "idle"), (9, "idle"), (1, None)]
    (folder / "config.toml").write_text("[submit]\nnice = 30\n")
    message = "[submit] nice: 30 is more than 19; it must be a whole number from -20 to 19"
    assert message in cli("submit", "rows.txt", "--", "true", check=2).stderr


def test_a_user_may_not_raise_a_priority_and_root_may(cli):
    cli.file("rows.txt", "a\n")
    if os.geteuid() == 0:
        cli("run", "rows.txt", "-q", "--nice=-2", "--", "sh", "-c", "nice >> said")
        assert said(cli) == [str(max(OWN - 2, -20))]
    child = os.fork()
    if not child:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setresuid(NOBODY, NOBODY, NOBODY)
            priority.check_nice(1)
            priority.check_nice(-1)
        except UsageError as error:
            code = 0 if "-1 raises the priority of items" in error.message and "0 to 19" in error.hint else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert os.getpriority(os.PRIO_PROCESS, 0) == OWN


def test_without_ionice_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(os, "defpath", "/nonexistent")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UsageError) as caught:
        priority.check_ionice("idle")
    assert "ionice" in caught.value.message
    assert "install util-linux" in caught.value.hint


def test_a_job_without_priorities_has_no_launcher_and_an_old_policy_has_none():
    assert Policy().launchers == ()
    old = {name: value for name, value in json.loads(json.dumps(Policy().to_json())).items() if "nice" not in name}
    assert Policy.from_json(old) == Policy().changed(leftovers=old["leftovers"])
