"""The views of a job while a program waits for it."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from IPython import display

from jobctl.errors import UsageError
from jobctl.library import documents
from jobctl.library.notebook import NotebookView, is_notebook
from jobctl.library.progress import LineView, ScreenView, shown
from jobctl.library.records import wrap
from jobctl.services.status.document import job_documents
from tests.factories import SECOND, SUBMITTED_AT


@pytest.fixture
def statuses(store: Any, home: Any) -> list[documents.StatusDocument]:
    """A job that runs, and one that has ended."""
    running = store.job("srq", state="running", started_at=SUBMITTED_AT)
    ended = store.job("ssf", state="partial", started_at=SUBMITTED_AT, finished_at=SUBMITTED_AT + SECOND)
    found = job_documents(store.database, home, [running, ended], SUBMITTED_AT + SECOND, program="jobctl")
    return [wrap(document, documents.StatusDocument) for document in found]


def test_a_function_gets_each_status(statuses: list[documents.StatusDocument]) -> None:
    seen: list[str] = []
    with shown(lambda status: seen.append(status.state)) as view:
        for status in statuses:
            view(status)
    assert seen == ["running", "partial"]


@pytest.mark.parametrize("progress", [None, False])
def test_nothing_is_shown_unless_it_is_asked_for(
    progress: Any, statuses: list[documents.StatusDocument], capfd: pytest.CaptureFixture[str]
) -> None:
    with shown(progress) as view:
        view(statuses[0])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("progress", ["rich", True])
def test_a_pipe_gets_plain_lines(
    progress: Any, statuses: list[documents.StatusDocument], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not is_notebook()
    with shown(progress) as view:
        assert isinstance(view, LineView)
        for status in (statuses[0], *statuses):
            view(status)
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in said] == ["job 1 running", "job 2 partial"]


def test_an_unknown_word_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="progress='tqdm' is not known") as caught:
        shown("tqdm")  # type: ignore[arg-type]
    assert "rich, notebook" in str(caught.value.hint)


class _Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


def test_a_screen_shows_the_page_and_leaves_the_summary(statuses: list[documents.StatusDocument]) -> None:
    stream = _Terminal()
    with ScreenView(stream, "Ctrl-C leaves; the work continues") as view:
        view(statuses[0])
        assert "Ctrl-C leaves" in stream.getvalue()
        view(statuses[1])
    left = stream.getvalue().rpartition("\x1b[?1049l")[2]
    assert left.startswith("job 2 (")
    assert "\x1b" not in left
    quick = _Terminal()
    with ScreenView(quick, "") as view:
        view(statuses[1])
    assert "\x1b" not in quick.getvalue()


class _Handle:
    def __init__(self, log: list[Any]) -> None:
        self._log = log

    def update(self, shown: Any) -> None:
        self._log.append(shown)


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the output of a cell has shown, one after the other."""
    log: list[Any] = []

    def show(what: Any, *, display_id: bool) -> _Handle:
        log.append(what)
        return _Handle(log)

    monkeypatch.setattr(display, "display", show)
    return log


def test_a_notebook_without_widgets_writes_its_output_again(
    statuses: list[documents.StatusDocument], cell: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with shown("notebook") as view:
        assert isinstance(view, NotebookView)
        for status in (statuses[0], *statuses):
            view(status)
    assert [type(output) for output in cell] == [display.HTML, display.HTML]
    assert ["running" in cell[0].data, "partial" in cell[1].data] == [True, True]


def test_a_widget_changes_in_place_and_leaves_plain_html(
    statuses: list[documents.StatusDocument], cell: list[Any]
) -> None:
    with shown("notebook") as view:
        view(statuses[0])
        (widget,) = cell
        assert "job 1" in widget.value
        view(statuses[1])
        assert "job 2" in widget.value
    assert type(cell[-1]) is display.HTML
    assert "job 2" in cell[-1].data
