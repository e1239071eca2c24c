"""Settings: which one wins, where it came from, and what is said about mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from jobctl.domain.job_options import OPTIONS
from jobctl.services.settings.files import settings_files
from jobctl.services.settings.keys import KEYS, RECIPE_KEYS
from jobctl.services.settings.settings import load_settings, variable
from tests.trusted import write_trusted


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder, which is the working directory, and next to it the folders of the user and the system."""
    for name in list(os.environ):
        if name.startswith("JOBCTL_"):
            monkeypatch.delenv(name)
    for name in ("project/deep/er", "user/jobctl", "system/jobctl"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "system"))
    monkeypatch.setenv("JOBCTL_HOME", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path / "project" / "deep" / "er")
    return tmp_path


def write(place: Path, where: str, text: str) -> Path:
    files = {"project": "project/jobctl.toml", "user": "user/jobctl/config.toml", "system": "system/jobctl/config.toml"}
    path = place / files[where]
    path.write_text(text)
    return path


def policy_of(jobctl, *words: str) -> dict:
    Path("rows.txt").write_text("a\nb\n")
    submitted = jobctl("submit", "rows.txt", "--json", *words, "--", "true")
    assert submitted.code == 0, submitted.err + submitted.out
    return submitted.document["policy"]


def test_the_nearer_layer_wins(place: Path, jobctl, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = ["system", "user", "project"]
    for slots, layer in enumerate(layers, 1):
        write(place, layer, f"[submit]\nslots = {slots}\n")
        assert policy_of(jobctl)["slots"] == slots
    monkeypatch.setenv("JOBCTL_SUBMIT_SLOTS", "4")
    assert policy_of(jobctl)["slots"] == 4
    assert policy_of(jobctl, "--slots", "5")["slots"] == 5


def test_layers_add_up_key_by_key_and_none_takes_away(place: Path, jobctl) -> None:
    write(place, "user", '[submit]\ntimeout = "5m"\nattempts = 7\n')
    write(place, "project", '[submit]\nmax-failures = "5%"\ntimeout = 90\n')
    policy = policy_of(jobctl)
    assert (policy["timeout_s"], policy["attempts"], policy["max_failures"]) == (90.0, 7, "5%")
    assert policy_of(jobctl, "--timeout", "none")["timeout_s"] is None


def test_show_names_the_source_of_each_value(place: Path, jobctl, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(place, "user", '[output]\ncolor = "never"\n[submit]\nslots = 3\n')
    monkeypatch.setenv("JOBCTL_SUBMIT_SLOTS", "2")
    values = {row["key"]: row for row in jobctl("config", "show", "--json").document["values"]}
    assert values["submit.slots"] == {
        "key": "submit.slots",
        "value": 2,
        "source": "environment",
        "where": "JOBCTL_SUBMIT_SLOTS",
    }
    assert values["output.color"]["where"] == str(path)
    assert values["submit.attempts"]["source"] == "default"
    assert f"user {path}" in jobctl("config", "show").out


def test_path_lists_the_files_that_are_read(place: Path, jobctl) -> None:
    user, project = write(place, "user", ""), write(place, "project", "")
    lines = jobctl("config", "path").out.splitlines()
    assert lines[0] == f"project\t{project}\tread, not trusted yet"
    assert lines[1] == f"user\t{user}\tread"
    assert lines[2].endswith("does not exist")


MISTAKES = {
    "unknown key": ("[submit]\nslot = 2\n", "unknown key 'slot' in [submit]", "did you mean slots?"),
    "unknown section": ("[submitt]\n", "there is no section [submitt]", "did you mean submit?"),
    "no section": ("submit = 3\n", "submit is a section", "[submit]"),
    "wrong type": ('[submit]\nslots = "four"\n', '[submit] slots = "four": it must be a whole number from 1', ""),
    "true is not a number": ("[submit]\nslots = true\n", "[submit] slots = true: it must be", ""),
    "not a duration": ('[submit]\ntimeout = "soon"\n', "[submit] timeout: 'soon' is not a duration", "2h30m"),
    "not one of": ('[submit]\nhalt = "later"\n', "'later' is not known", "soon or now"),
    "color": ('[output]\ncolor = "blue"\n', "[output] color: 'blue' is not known", "auto or always or never"),
    "not TOML": ("[submit\n", "is not TOML", "jobctl-config(5)"),
    "a recipe without a name": ("recipe = 3\n", "a recipe is a table with a name", "[recipe.thumbnails]"),
    "a recipe's key": ("[recipe.x]\ncomand = ['a']\n", "unknown key 'comand' in [recipe.x]", "did you mean command?"),
    "a recipe's command": ("[recipe.x]\ncommand = 'a b'\n", 'command = "a b": it must be a list of words', ""),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_the_message_about_a_mistake_names_file_key_and_form(place: Path, jobctl, case: str) -> None:
    text, message, hint = MISTAKES[case]
    path = write(place, "project", text)
    said = jobctl("config", "trust") if "recipe" in case else jobctl("config", "show")
    assert said.code == 2
    assert str(path) in said.err
    assert message in said.err
    assert hint in said.err


def test_a_mistake_in_the_environment(place: Path, jobctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBCTL_SUBMIT_TIMOUT", "5m")
    said = jobctl("config", "show")
    assert said.code == 2
    assert "did you mean JOBCTL_SUBMIT_TIMEOUT?" in said.err
    monkeypatch.delenv("JOBCTL_SUBMIT_TIMOUT")
    monkeypatch.setenv("JOBCTL_SUBMIT_SLOTS", "many")
    assert "JOBCTL_SUBMIT_SLOTS" in jobctl("config", "show").err


def test_a_mistake_does_not_keep_status_from_answering(place: Path, jobctl) -> None:
    write(place, "project", "[output]\ncolour = 1\n")
    assert jobctl("status").code == 0


def test_a_project_file_that_others_can_write_is_passed_by(place: Path, jobctl) -> None:
    path = write(place, "project", "[submit]\nslots = 9\n")
    path.chmod(0o666)
    assert policy_of(jobctl)["slots"] is None
    assert f"project\t{path}\tnot read: everybody can write it" in jobctl("config", "path").out
    rows = place / "rows.txt"
    rows.write_text("1\n")
    said = f"{path} is not read: everybody can write it"
    assert said in jobctl("submit", rows, "-n", "--", "true").err
    assert said in jobctl("submit", rows, "-n", "--recipe", "thumbnails").err


def test_relative_paths_begin_at_the_file(place: Path) -> None:
    write_trusted(write(place, "project", ""), '[submit]\nenv-file = "secrets.env"\n')
    settings = load_settings(os.environ, os.getcwd())
    assert settings.value("submit", "env-file") == str(place / "project" / "secrets.env")


def test_a_default_of_the_daemon_and_of_colours(place: Path, jobctl, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobctl.cli.session import Session
    from jobctl.services.daemon.options import daemon_slots
    from jobctl.services.settings.settings import load_settings

    write(place, "user", '[daemon]\nslots = 7\n[output]\ncolor = "always"\n')
    settings = load_settings(os.environ, os.getcwd())
    assert daemon_slots(None, settings) == 7
    assert daemon_slots(2, settings) == 2
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with open(os.devnull, "w") as stream:
        assert Session().colors(stream)
        monkeypatch.setenv("NO_COLOR", "1")
        assert not Session().colors(stream)


@pytest.mark.parametrize("variables", [{}, {"XDG_CONFIG_HOME": "/x/config", "XDG_CONFIG_DIRS": "/a:/b"}])
def test_places_are_those_of_the_system(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = {place.layer: place.path for place in settings_files(os.environ, "/")}
    assert found["user"] == str(platformdirs.user_config_path("jobctl", appauthor=False) / "config.toml")
    assert found["system"] == str(platformdirs.site_config_path("jobctl", appauthor=False) / "config.toml")


def test_every_key_is_an_option_and_every_variable_its_own() -> None:
    options = {option.name for option in OPTIONS}
    assert {key.name for key in KEYS if key.section == "submit"} <= options
    assert {key.name for key in RECIPE_KEYS} - {"command", "summary", "http"} <= options
    assert len({variable(key.section, key.name) for key in KEYS}) == len(KEYS)


def test_without_a_file_nothing_is_imported_for_it(place: Path) -> None:
    code = (
        "import sys; from jobctl.cli.edge import run; run(['submit', 'rows.txt', '-q', '--', 'true']);"
        "print(sorted({'tomllib', 'jobctl.services.settings.keys'} & set(sys.modules)))"
    )
    Path("rows.txt").write_text("a\n")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"
    assert json.loads(found.stdout.splitlines()[0]) == 1
