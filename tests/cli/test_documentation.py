"""README.md and the man pages agree with the code: exit codes, defaults, names of variables, keys, formats."""

from __future__ import annotations

import importlib.resources
import inspect
import json
import re
import shlex
from pathlib import Path

import pytest

from jobctl.cli.app import command_tree
from jobctl.domain import blocker_kinds
from jobctl.domain.blocker_kinds import BlockerKind
from jobctl.domain.durations import format_duration
from jobctl.domain.endings import Ending
from jobctl.domain.event_types import TYPES
from jobctl.domain.outcome import failure_code
from jobctl.domain.policy import Policy
from jobctl.domain.states import ItemState, JobState
from jobctl.errors import Exit
from jobctl.handlers import attempt
from jobctl.handlers.environment import submitter_environment
from jobctl.notify import command
from jobctl.services import notify
from jobctl.services.status import document as status
from jobctl.services.status import process_waits
from jobctl.services.why import attention
from jobctl.sources import options
from jobctl.supervisor import job_plan as plan
from tests.cli.test_man import check, find
from tests.documentation import PAGES, README, blocks, mentions, schedule_and_command

#: Of a process that Ctrl-C ended, as shells have it.
INTERRUPTED = 130
CRONTAB = [(block.where, line) for block in blocks() for line in block.crontab]
HELP = {option.long: option.help for option in command_tree().children[0].options}


def page(name: str) -> str:
    return next(path for path in PAGES if path.name == name).read_text(encoding="utf-8")


def words(text: str) -> set[str]:
    """Names in a page: of keys, states, codes, variables."""
    return set(re.findall(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*", text.replace("\\-", "-").replace("\\&", "")))


def section(text: str, title: str) -> str:
    return re.split(r"(?m)^\.Sh ", text.partition(f".Sh {title}\n")[2])[0]


@pytest.mark.parametrize(("where", "line"), CRONTAB)
def test_a_line_of_a_crontab_has_nothing_that_cron_reads_otherwise(where, line):
    command = schedule_and_command(line)[1]
    assert not re.search(r"(?<!\\)%", command), f"{where}: cron ends the command at a bare %"
    assert not re.search(r"(?<![\w/.-])jobctl ", command), f"{where}: the PATH of cron does not have jobctl"


def test_there_are_lines_for_cron_in_readme_and_pages():
    assert {where.split(":")[0] for where, _ in CRONTAB} >= {"README.md", "jobctl.1", "jobctl-run.1", "jobctl-daemon.1"}


def _calls() -> list[tuple[str, str]]:
    shown = [(block.where, line) for block in blocks() for line in block.lines]
    form = r"(?<![\w/.-])jobctl (?:[^|&;>)'\"#]|'[^']*'|\"[^\"]*\")*"
    found = [(where, text.strip()) for where, line in [*shown, *mentions()] for text in re.findall(form, line)]
    return [(where, text) for where, text in dict.fromkeys(found) if where.startswith("README")]


@pytest.mark.parametrize(("where", "line"), [call for call in _calls() if not call[1].startswith("jobctl retry 1")])
def test_a_command_in_readme_has_options_that_exist(where, line):
    node, rest = find(shlex.split(line)[1:])
    check(node, rest[: rest.index("--")] if (node.takes_words or node.needs_dashes) and "--" in rest else rest)


def test_the_exit_codes_of_readme_and_of_the_main_page_are_those_of_the_code():
    ours = {int(code) for code in Exit} | {INTERRUPTED}
    table = README.partition("\n## Exit codes\n")[2].partition("\n## ")[0]
    assert {int(code) for code in re.findall(r"(?m)^\| (\d+) \|", table)} == ours
    assert {int(code) for code in re.findall(r"(?m)^\.It (\d+)$", section(page("jobctl.1"), "EXIT STATUS"))} == ours


def test_the_defaults_in_the_help_are_those_of_the_code():
    policy = Policy()
    backoff = f"{policy.backoff.base_s:g}sx{policy.backoff.factor:g}..{policy.backoff.cap_s:g}s"
    assert f"default: {policy.attempts}." in HELP["--attempts"]
    assert f"default: {backoff}." in HELP["--backoff"]
    assert f"default: {format_duration(policy.grace_s)}." in HELP["--grace"]
    assert f"default: {policy.output_cap >> 20}M." in HELP["--output-cap"]
    assert f"after {policy.min_finished} are processed" in HELP["--max-failures"]
    assert "none" not in HELP["--rate"] and policy.rate is None
    assert policy.leftovers == "wait" and "wait for them (default)" in HELP["--leftovers"]
    assert policy.on_crash == "requeue" and "items again (default)" in HELP["--on-crash"]
    assert policy.halt == "soon" and "finish (default)" in HELP["--halt"]


def test_the_states_are_those_of_the_code():
    text = words(section(page("jobctl.1"), "STATES"))
    assert {str(state) for state in JobState} | {state.word for state in ItemState} <= text


def test_the_causes_of_failures_are_on_the_page_of_the_document():
    codes = {failure_code(ending, 1) for ending in Ending} - {"exit_1", "sighup"}
    assert codes | {"disk_full", "env_missing"} <= words(page("jobctl-status.5"))


def test_the_codes_of_attention_are_on_the_page_of_the_document():
    said = "\n".join(inspect.getsource(module) for module in (attention, process_waits, notify, status))
    codes = set(re.findall(r"Attention\(\s*\"([a-z_]+)\"", said))
    codes |= set(re.findall(r": \"([a-z_]+)\"", inspect.getsource(attention._process_waits)))
    codes |= {kind.notice for kind in vars(blocker_kinds).values() if isinstance(kind, BlockerKind) and kind.notice}
    assert len(codes) > 10
    assert codes <= words(page("jobctl-status.5"))


def _keys(schema: object) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    found = set(schema.get("properties", {}))
    for inner in (*schema.get("properties", {}).values(), schema.get("items")):
        found |= _keys(inner)
    return found


@pytest.mark.parametrize("name", ["status-1", "status_list-1"])
def test_every_key_of_the_schema_is_on_the_page_of_the_document(name):
    path = importlib.resources.files("jobctl") / "schemas" / f"{name}.json"
    keys = _keys(json.loads(path.read_text(encoding="utf-8")))
    assert len(keys) >= 4
    assert keys - words(page("jobctl-status.5")) == set()


def test_every_schema_is_named():
    shipped = importlib.resources.files("jobctl") / "schemas"
    text = section(page("jobctl-status.5"), "SCHEMAS")
    assert [path.name for path in shipped.iterdir() if path.name.endswith(".json") and path.name not in text] == []


def test_every_type_of_event_is_listed_with_its_meaning():
    text = " ".join(section(page("jobctl-events.1"), "EVENTS").split())
    missing = [each.name for each in TYPES.values() if f".It Cm {each.name} {each.meaning}" not in text]
    assert missing == []


def test_the_variables_of_items_are_on_the_page_about_them():
    code = inspect.getsource(attempt) + inspect.getsource(plan)
    ours = set(re.findall(r"JOBCTL_(?:JOB|ITEM|ATTEMPT|SLOT|KEY|TOKEN|COOKIE)\b", code))
    assert {"JOBCTL_COOKIE", "JOBCTL_SLOT", "JOBCTL_TOKEN"} <= ours
    inherited = set(submitter_environment({"PATH": "x", "HOME": "x", "LC_ALL": "x", "TZ": "x", "OTHER": "x"}))
    text = section(page("jobctl-input.5"), "ENVIRONMENT OF ITEMS")
    assert ours <= words(text)
    assert inherited - {"LC_ALL"} <= words(text) and "LC_*" in text


def test_the_variables_of_a_notified_command_are_on_the_page_of_submit():
    code = inspect.getsource(command.hook_environment)
    names = set(re.findall(r'"([A-Z]+)":', code)) | {"TOTAL", "SUCCEEDED", "FAILED", "UNPROCESSED"}
    assert {f"JOBCTL_{name}" for name in names} <= words(page("jobctl-submit.1"))


def test_the_variables_that_commands_read_are_on_the_main_page():
    text = section(page("jobctl.1"), "ENVIRONMENT")
    read = set()
    for path in Path(inspect.getfile(Policy)).parents[1].glob("cli/*.py"):
        read |= set(re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', path.read_text(encoding="utf-8")))
    for name in read - {"COLUMNS", "LINES", "TERM", "PATH"}:
        assert name in text or name.startswith("_"), name


def test_the_suffixes_of_files_are_on_the_page_of_inputs():
    text = page("jobctl-input.5")
    assert [suffix for suffix in (*options.NAME_SUFFIXES, *options.PACKED) if suffix not in text] == []
    listed = section(text, "FORMATS")
    assert [name for name in options.INPUT_FORMATS if f".It Cm {name}" not in listed] == []
