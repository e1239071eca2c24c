"""Another version of a package, one that is missing or broken, files of the user with names of modules, and the
settings of the interpreter: jobctl works, or names what to type."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import jobctl as package
from jobctl.cli.installed import NEEDS, requirement
from tests.cli.every_command import every_command
from tests.stages import few

ROOT = Path(package.__file__).parents[1]
MISSING = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
"""


@pytest.fixture
def run(home, tmp_path):
    """Runs ``python -m jobctl`` with what a test puts into ``before``, the first place that Python looks at."""
    (tmp_path / "before").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "rows.jsonl").write_text('{"a": 1}\n')

    usual = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "JOBCTL_HOME": str(home.root),
        "PYTHONPATH": f"{tmp_path}/before:{ROOT}",
    }

    def call(*words, options=(), **env):
        return subprocess.run(
            [sys.executable, *options, "-m", "jobctl", *map(str, words)],
            cwd=tmp_path / "here",
            env={name: value for name, value in (usual | env).items() if value},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    return call


def _put(tmp_path, name, version, text=""):
    folder = tmp_path / "before"
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(f"__version__ = {version!r}\n{text}")
    about = folder / f"{name}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_the_needs_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    stated = [entry.partition(";")[0].strip() for entry in project["dependencies"]]
    assert stated == [requirement(name) for name in NEEDS]


@pytest.mark.parametrize("version", few(["0.29.2", "0.30.0", "1.0", "0.25.9", "0.9.4"], ["1.0", "0.25.9"]))
def test_another_typer_is_named_by_every_command(run, tmp_path, version):
    _put(tmp_path, "typer", version, "raise TypeError('as typer 0.29 does')" if version == "1.0" else "")
    said = f"jobctl needs typer 0.26 to 0.28, and typer {version} is installed here"
    hint = "pip install 'typer>=0.26,<0.29'"
    for words in (["status"], ["submit", "--help"], []):
        done = run(*words)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines()[0] == f"jobctl: {said}"
        assert done.stderr.splitlines()[-1] == f"  {hint}"
    done = run("daemon", "status", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["schema"], document["exit_code"]) == (1, "jobctl.error/1", 1)
    assert (document["error"]["message"], document["error"]["hint"]) == (said, hint)
    assert run("--version").returncode == 0


@pytest.mark.parametrize("name", few(["typer", "rich", "platformdirs", "orjson", "sqlmodel"], ["rich", "orjson"]))
def test_a_package_that_is_missing_is_named(run, tmp_path, name):
    (tmp_path / "before" / "sitecustomize.py").write_text(MISSING.format(name=name))
    env = {"JOBCTL_HOME": None} if name == "platformdirs" else {}
    words = ["submit", "rows.jsonl", *(["--dry-run"] if name == "rich" else []), "--", "true"]
    done = run(*words, **env)
    if name == "sqlmodel":  # commands do without it
        assert done.returncode == 0
        return
    assert done.returncode == 1, done.stderr
    expected = f"jobctl: the package {name}, which jobctl needs, is not installed\n  pip install '{requirement(name)}'"
    assert expected in done.stderr
    assert "bug" not in done.stderr and "Traceback" not in done.stderr
    if name != "rich":  # with which pages are drawn, and documents are not
        assert json.loads(run("--json", *words, **env).stdout)["error"]["code"] == "package"


def test_a_package_that_cannot_be_loaded_or_is_too_old_is_named(run, tmp_path):
    (tmp_path / "before" / "orjson").mkdir()
    (tmp_path / "before" / "orjson" / "__init__.py").write_text("from orjson import nothing\n")
    done = run("submit", "rows.jsonl", "--", "true")
    assert "the package orjson is installed and cannot be loaded" in done.stderr
    assert "pip install --force-reinstall 'orjson>=3.10'" in done.stderr
    shutil.rmtree(tmp_path / "before" / "orjson")
    _put(tmp_path, "orjson", "2.6.8")
    done = run("submit", "rows.jsonl", "--", "true")
    assert "jobctl needs orjson 3.10 or newer, and orjson 2.6.8 is installed here" in done.stderr
    assert done.returncode == 1


def test_a_file_of_the_user_with_the_name_of_a_package_is_named(run, tmp_path):
    (tmp_path / "before" / "typer.py").write_text("")
    done = run("status")
    assert done.returncode == 1
    assert f"jobctl needs the package typer, and Python finds {tmp_path}/before/typer.py in its place" in done.stderr


def test_files_in_the_present_folder_are_not_modules_of_jobctl(run, tmp_path):
    names = [
        "json",
        "typer",
        "rich",
        "orjson",
        "logging",
        "sqlite3",
        "shlex",
        "random",
        "gc",
        "jobctl_plugin",
        "typing",
    ]
    for name in (*names, "select", "signal", "platformdirs", "dataclasses", "inspect", "ast", "tomllib", "pysqlite3"):
        (tmp_path / "here" / f"{name}.py").write_text(f"raise SystemExit('this is {name}.py of the user')\n")
    for words in (["run", "rows.jsonl", "-q", "--", "true"], ["status", "last"], ["submit", "--help"]):
        done = run(*words)
        assert done.returncode == 0, done.stderr
        assert "of the user" not in done.stderr


HELP = """
import json
from jobctl.cli.app import command_tree
print(json.dumps([[node.name, node.help] for node in command_tree().walk()]))
"""


@pytest.mark.slow
def test_help_is_the_same_without_docstrings(run):
    def texts(*options):
        done = subprocess.run(
            [sys.executable, *options, "-c", HELP], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        return dict(json.loads(done.stdout))

    as_usual, optimised = texts(), texts("-OO")
    assert optimised == as_usual
    assert set(every_command()) <= set(as_usual)
    assert all(as_usual.values())
    assert run("submit", "--help", PYTHONOPTIMIZE="2").stdout == run("submit", "--help").stdout
    assert run("--help", PYTHONOPTIMIZE="2").stdout == run("--help").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "env"),
    [
        (("-OO",), {}),
        (("-O",), {}),
        (("-P",), {}),
        (("-s", "-E"), {}),
        ((), {"PYTHONWARNINGS": "error"}),
        ((), {"PYTHONDEVMODE": "1"}),
        ((), {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}),
        ((), {"PYTHONIOENCODING": "ascii"}),
        ((), {"PYTHONINSPECT": "1"}),
        ((), {"PYTHONMALLOC": "debug"}),
        ((), {"COLUMNS": "0", "LINES": "0"}),
        ((), {"COLUMNS": "99999999", "LINES": "x"}),
    ],
    ids=str,
)
def test_the_essentials_under_any_setting_of_the_interpreter(run, options, env):
    done = run("run", "rows.jsonl", "--", "echo", "ü", "{a}", options=options, **env)
    assert done.returncode == 0, done.stderr
    assert "succeeded" in done.stderr
    for words in (["status"], ["status", "last"], ["items", "last"], ["logs", "last.1"], ["explain", "last.1"]):
        done = run(*words, options=options, **env)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        assert done.stdout
        assert "Traceback" not in done.stderr and "Warning" not in done.stderr, done.stderr
