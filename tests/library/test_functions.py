"""Function objects as the work of a job: by their name, in the Python that has them, or refused."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import jobctl
from jobctl.library import functions
from jobctl.library.functions import importable


class Shop:
    @classmethod
    def order(cls, row: Any) -> Any:
        return row

    @staticmethod
    def price(row: Any) -> Any:
        return row

    def method(self, row: Any) -> Any:
        return row


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


@decorated
def wrapped(row: Any) -> Any:
    return row


def replaced(row: Any) -> Any:
    return row


original = replaced


def replaced(row: Any) -> Any:  # type: ignore[no-redef]
    return row


def test_a_function_is_named_by_its_module_and_its_place_there() -> None:
    assert importable(functions.importable) == (
        "jobctl.library.functions:importable",
        str(Path(jobctl.__file__).parents[1]),
    )
    assert importable(json.dumps) == ("json:dumps", ""), "every process of this Python finds it"
    assert importable(Shop.order).target.endswith(":Shop.order")
    assert importable(Shop.price).target.endswith(":Shop.price")
    assert importable(wrapped).target.endswith(":wrapped")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda row: row, "is a lambda"),
        ((lambda: lambda: test_a_function_is_named_by_its_module_and_its_place_there)(), "is a lambda"),
        (Shop().method, "is a method of an object"),
        (functools.partial(json.dumps), "has no name to import it by"),
        (original, "leads to something else"),
    ],
)
def test_a_function_without_a_way_to_import_it_is_refused(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(jobctl.UsageError, match=message) as caught:
        importable(function)
    assert "module" in (caught.value.hint or "") or "function" in (caught.value.hint or "")


def test_a_function_inside_another_one_is_refused() -> None:
    def inner(row: Any) -> Any:
        return row

    with pytest.raises(jobctl.UsageError, match="is a function inside another one"):
        importable(inner)


SCRIPT = """
import json
import jobctl


def double(n):
    return n * 2


def main():
    store = jobctl.Store(HOME)
    job = store.run(rows=[{"n": 1}, {"n": 2}], call=double)
    print(json.dumps([job.status().command, [item.result for item in job.items()]]))
"""


def script(folder: Path, end: str) -> str:
    return SCRIPT.replace("HOME", repr(str(folder / "state"))) + end


GUARD = '\nif __name__ == "__main__":\n    main()\n'


def run(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run Python from another folder than that of the script."""
    (folder / "elsewhere").mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder / "elsewhere",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(jobctl.__file__).parents[1]), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_script_gives_a_function_of_its_own(tmp_path: Path) -> None:
    """The worker imports the script by its name, although it is neither installed nor in the current folder."""
    path = tmp_path / "score.py"
    path.write_text(script(tmp_path, GUARD))
    done = run(tmp_path, path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["score:double", [2, 4]]


def test_a_script_that_would_submit_in_every_worker_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "score.py"
    path.write_text(script(tmp_path, "\nmain()\n"))
    done = run(tmp_path, path)
    assert done.returncode != 0
    assert "the module submits a job while it is imported" in done.stderr
    assert not (tmp_path / "state" / "jobctl.db").exists()


def test_a_script_whose_name_is_not_that_of_a_module_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "my-score.py"
    path.write_text(script(tmp_path, GUARD))
    done = run(tmp_path, path)
    assert "double is in my-score.py, which is not the name of a module" in done.stderr


def test_a_function_of_an_interactive_session_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", script(tmp_path, "\nmain()\n"))
    assert "double is a function of an interactive session" in done.stderr


def test_a_program_that_is_run_as_a_module_gives_its_functions(tmp_path: Path) -> None:
    package = tmp_path / "elsewhere" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "prices.py").write_text(script(tmp_path, GUARD))
    done = run(tmp_path, "-m", "shop.prices")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["shop.prices:double", [2, 4]]


def test_a_function_that_is_called_may_submit_a_job(tmp_path: Path) -> None:
    """It is refused only while a module is imported."""
    path = tmp_path / "fan.py"
    path.write_text(
        f"import jobctl\nSTORE = jobctl.Store({str(tmp_path / 'state')!r})\n"
        'def fan_out(n):\n    return STORE.submit(rows=[{"n": n}], command=["true"], name="part").id\n'
        'if __name__ == "__main__":\n    print(list(STORE.run(rows=[{"n": 1}], call=fan_out).items())[0].result)\n'
    )
    done = run(tmp_path, path)
    assert done.stdout == "2\n", done.stderr
    assert jobctl.Store(tmp_path / "state").job("part").id == 2
