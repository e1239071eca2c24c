"""The table of job options against everything that is made from it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

from jobctl.cli.app import command_tree
from jobctl.cli.completion import values
from jobctl.cli.completion.tree import Node
from jobctl.domain import call, job_options, option_values
from jobctl.domain.job_options import BY_NAME, OPTIONS, JobOption, by_panel
from jobctl.domain.policy import MAX_COUNT, Policy, faults_of_policy
from jobctl.services.control.rules import LIMITS_OF_QUEUES, RULES
from jobctl.services.settings.keys import KEYS, RECIPE_KEYS
from jobctl.sources.options import INPUT_FORMATS

TREE = {node.name: node for node in command_tree().walk()}
MAN = Path(__file__).parents[2] / "man"
PANELS = {option.panel for option in OPTIONS}
#: What submit or run takes although it says nothing of the job.
OF_THE_COMMAND = {"--start-daemon", "--wait"}
#: What the policy keeps although no option of its own sets it.
NOT_GIVEN = {"max_crashes", "min_finished", "deadline_at", "timeouts_s", "only_new", "new_by"}
#: Keys of recipes that are not options: FILE -- COMMAND gives the first.
OF_RECIPES = {"command", "summary", "http"}
NOW = 1_795_458_511_000_000
#: A value for every option whose parser takes no free text.
SAMPLES = {
    **dict.fromkeys(("timeout", "grace", "deadline", "not-before"), "5m"),
    **dict.fromkeys(("retry-on", "no-retry-on"), "1,75"),
    **dict.fromkeys(("call", "call-setup", "undo-call"), "shop.prices:update"),
    "label": ("team=web",),
    "new-by": "email,amount",
    "resources": "gpu=1",
    "backoff": "2sx4..60s",
    "max-failures": "5%",
    "rate": "60/m",
    "output-cap": "1M",
}


def sample(option: JobOption) -> object:
    if option.choices:
        return option.choices[-1]
    return SAMPLES.get(option.name, 2 if option.number else ("x",) if option.multiple else "x")


def named(option: JobOption) -> str:
    return option.name


@pytest.mark.parametrize("node", [TREE["submit"], TREE["run"]], ids=lambda node: node.name)
def test_the_commands_have_the_options_of_the_table_in_its_order(node: Node) -> None:
    found = [option for option in node.options if option.panel in PANELS]
    assert [(option.long, option.panel, option.metavar, option.help, option.multiple) for option in found] == [
        (f"--{row.name}", row.panel, row.metavar, row.help, row.multiple) for row in by_panel(OPTIONS)
    ]
    names = [tuple(filter(None, (row.short, f"--{row.name}"))) for row in by_panel(OPTIONS)]
    assert [option.names for option in found] == names


def test_submit_has_no_other_options_but_its_own() -> None:
    others = {option.long for option in TREE["submit"].own_options} - {f"--{row.name}" for row in OPTIONS}
    assert others == OF_THE_COMMAND


def test_every_key_has_a_row_and_every_row_its_key() -> None:
    assert [key.name for key in KEYS if key.section == "submit"] == [
        row.name for row in OPTIONS if row.kept == "settings"
    ]
    assert {key.name for key in RECIPE_KEYS} - OF_RECIPES == {row.name for row in OPTIONS if row.kept}
    assert [row.name for row in OPTIONS if (row.safe is None) != (not row.kept)] == []


def test_retry_has_the_rules_of_set_and_those_of_a_new_round() -> None:
    found = {option.long: option for option in TREE["retry"].options if option.panel == "Rules of the new round"}
    rows = {f"--{row.name}": row for row in OPTIONS if row.effect or row.of_rounds}
    assert list(found) == list(rows)
    for name, row in rows.items():
        assert found[name].metavar == (f"{row.metavar}|none" if row.can_be_none else row.metavar)
        assert "default" not in found[name].help  # without the option, the rule of the job stays
        assert found[name].help[:12] == row.help[:12]


def test_set_changes_the_options_that_the_table_names() -> None:
    assert set(RULES) == {row.name for row in OPTIONS if row.effect}
    assert set(LIMITS_OF_QUEUES) == {row.name for row in OPTIONS if row.of_queues}
    for command, rows in (("set", RULES), ("queue set", LIMITS_OF_QUEUES)):
        argument = TREE[command].arguments[-1]
        assert values.of_argument(TREE[command], argument).words == tuple(f"{name}=" for name in rows)


@pytest.mark.parametrize("row", RULES.values(), ids=named)
def test_values_of_set_are_parsed_from_text(row: JobOption) -> None:
    assert option_values.read_text(row, str(sample(row))) == option_values.read(row, sample(row))
    if row.can_be_none:
        assert option_values.read_text(row, "none") is None


def test_every_field_of_the_policy_has_a_row() -> None:
    assert {row.field for row in OPTIONS if row.field} | NOT_GIVEN == {field.name for field in fields(Policy)}


@pytest.mark.parametrize("row", [row for row in OPTIONS if row.field], ids=named)
def test_a_parsed_value_can_be_stored_and_is_checked_when_it_is_loaded(row: JobOption) -> None:
    policy = Policy().changed(**option_values.policy_fields(row, option_values.read(row, sample(row)), NOW))
    stored = json.loads(json.dumps(policy.to_json()))
    assert faults_of_policy(stored) == set()
    assert Policy.from_json(stored) == policy
    assert faults_of_policy(stored | {row.field: {"damaged": []}}) == {row.field}


@pytest.mark.parametrize("row", [row for row in OPTIONS if row.parse], ids=named)
def test_parsers_belong_to_the_domain(row: JobOption) -> None:
    module, _, name = row.parse.partition(":")
    assert module.startswith("jobctl.domain.")
    parser: Callable[..., object] = getattr(import_module(module), name)
    assert parser.__doc__
    assert option_values.read(row, sample(row)) is not None


@pytest.mark.parametrize("row", [row for row in OPTIONS if row.check], ids=named)
def test_checks_look_at_this_machine(row: JobOption) -> None:
    module, _, name = row.check.partition(":")
    assert module.startswith("jobctl.process.")
    assert getattr(import_module(module), name).__doc__


def test_numbers_have_limits() -> None:
    assert job_options.MOST == MAX_COUNT
    for row in OPTIONS:
        assert (row.lowest is None) or (row.number and not row.parse), row.name
        assert row.lowest is None or row.lowest <= row.highest, row.name


def test_an_option_is_changed_or_left_alone_but_never_half() -> None:
    for row in OPTIONS:
        assert not row.of_queues or row.effect, row.name
        assert not row.can_be_none or row.effect or row.kept, row.name
        assert not row.choices or not row.parse, row.name
        assert not (row.number or row.choices or row.multiple) or row.metavar, row.name


@pytest.mark.parametrize("row", OPTIONS, ids=named)
def test_completions_offer_words_that_can_be_typed(row: JobOption) -> None:
    found = values.of_option(next(option for option in TREE["submit"].options if option.long == f"--{row.name}"))
    if row.choices:
        assert found.words == row.choices
    elif row.completes:
        assert found.kind == row.completes


def test_choices_are_those_of_the_code() -> None:
    assert BY_NAME["format"].choices == INPUT_FORMATS
    assert BY_NAME["call-style"].choices == call.STYLES


def test_the_manual_has_every_row_where_it_belongs() -> None:
    config, rules = ((MAN / page).read_text() for page in ("man5/jobctl-config.5", "man1/jobctl-set.1"))
    for row in OPTIONS:
        for page in ("submit", "run"):
            assert f"\\-{row.name}" in (MAN / f"man1/jobctl-{page}.1").read_text().replace("Fl ", "\\")
        assert bool(re.search(rf"(?m)^\.It Cm {row.name}$", config)) == bool(row.kept), row.name
        assert bool(re.search(rf"(?m)^\.It Cm {row.name} Ns =", rules)) == bool(row.effect), row.name


def test_the_page_on_settings_names_the_options_that_can_be_none() -> None:
    page = (MAN / "man5/jobctl-config.5").read_text()
    sentence = page.partition("On the command line, the value")[2].partition("removes")[0]
    limits = {f"-{row.name}" for row in OPTIONS if row.can_be_none and not row.number}
    assert set(re.findall(r"Fl (-[a-z-]+)", sentence)) == limits


def test_the_table_imports_nothing_heavy() -> None:
    imported = re.findall(r"(?m)^(?:from|import) (\S+)", Path(job_options.__file__).read_text())
    assert imported == ["typing"]
