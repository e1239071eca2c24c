"""The error tree: what a program can rely on."""

from __future__ import annotations

import pickle
import traceback
from typing import Any

import jobctl
from jobctl import errors
from jobctl.http.problems import Refused
from jobctl.sources.problems import Problems, RowsRejected

#: What the classes need that need more than a message.
ARGUMENTS: dict[type[errors.JobctlError], tuple[Any, ...]] = {
    RowsRejected: ("bad", Problems()),
    Refused: (409, "bad"),
}


def tree(kind: type[errors.JobctlError]) -> list[type[errors.JobctlError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in tree(child))]


def test_every_class_of_the_tree_is_a_public_name() -> None:
    for kind in tree(errors.JobctlError):
        if kind.__module__ == "jobctl.errors":
            assert getattr(jobctl, kind.__name__) is kind
    assert jobctl.RowsRejected is RowsRejected


def test_errors_cross_to_another_process() -> None:
    # Classes of tests are not of jobctl, and which ones there are depends on the tests that ran before.
    for kind in {kind for kind in tree(errors.JobctlError) if kind.__module__.startswith("jobctl.")}:
        error = kind(*ARGUMENTS.get(kind, ("bad",)), hint="correct it", details=["line 2"])
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert (str(again), again.message, again.hint, again.details) == ("bad", "bad", "correct it", ("line 2",))
        assert (again.code, again.exit_code) == (error.code, error.exit_code)


def test_a_library_that_copies_exceptions_may_set_their_notes() -> None:
    error = errors.Busy("bad", hint="correct it", details=["line 2"])
    error.add_note("in the task nightly")
    copied = errors.Busy("bad", hint="correct it", details=["line 2"])
    copied.__notes__ = error.__notes__
    assert copied.__notes__ == error.__notes__ == ["  line 2", "  correct it", "in the task nightly"]
    copied.__notes__ = ["another"]
    assert copied.__notes__ == ["  line 2", "  correct it", "another"]


def test_a_traceback_has_the_details_and_the_hint() -> None:
    error = errors.InputRejected("2 rows are bad", hint="correct them", details=["line 2: x"])
    assert traceback.format_exception(error)[-3:] == [
        "jobctl.errors.InputRejected: 2 rows are bad\n",
        "  line 2: x\n",
        "  correct them\n",
    ]
    error.hint = None
    error.add_note("in the task nightly")
    assert traceback.format_exception(error)[-2:] == ["  line 2: x\n", "in the task nightly\n"]
