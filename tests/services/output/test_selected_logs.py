"""The output of selected items: of those that have run, and of those that run while they are followed."""

from __future__ import annotations

import pytest

from jobctl.domain.selection import Selection
from jobctl.domain.spans import parse_spans, spans_of
from jobctl.domain.states import ItemState
from jobctl.errors import UsageError
from jobctl.services.control.targets import Target
from jobctl.services.output.log_documents import Outputs
from jobctl.services.output.logs import Choice, attempts
from tests.factories import SUBMITTED_AT

FAILED = (ItemState.FAILED,)


@pytest.fixture
def job(store, home):
    """Six items that ended: two succeeded, two failed with exit 22 and two at their time limit, one of these later."""
    number = store.job("ssffff", state="partial", started_at=1, finished_at=2)
    for item in (5, 6):
        store.attempt(number, item, ending=2, code=15, message="stopped", duration_us=item * 10_000_000)
    store.failure(number, 2, samples="[3, 4]")
    store.failure(number, 1, code="timeout", message="stopped", samples="[5]")
    store.failure(number, 1, code="timeout", message="stopped late", samples="[6]")
    store.database.execute("UPDATE attempts SET failure = (SELECT failure FROM items i WHERE i.item = attempts.item)")
    home.job_logs(number).mkdir(parents=True)
    return number


SELECTIONS = [
    (Selection(FAILED), [3, 4, 5, 6]),
    (Selection(causes=("timeout",)), [5, 6]),
    (Selection(causes=("timeout:3",)), [6]),
    (Selection((ItemState.SUCCEEDED,), items=parse_spans("2-5", "--items")), [2]),
    (Selection(where="id > 2 and duration < 55"), [3, 4, 5]),
    (Selection(where="id in (1, 6)"), [1, 6]),
    (Selection(FAILED, where="exit_code == 22 and url ~ '4$'"), [4]),
    (Selection(unknown=True), []),
    (Selection(where="cause == 'timeout' and outcome.outcome == 'unknown' and attempts == 1"), [5, 6]),
]


@pytest.mark.parametrize(("selection", "items"), SELECTIONS)
def test_the_outputs_of_selected_items(job, store, selection, items):
    found = attempts(store.database, [Target(job)], Choice(selection, now=SUBMITTED_AT))
    assert [attempt.item for _, attempt in found] == items
    found = attempts(store.database, [Target(job, 4, 6)], Choice(Selection(FAILED), now=SUBMITTED_AT))
    assert [attempt.item for _, attempt in found] == [4, 5, 6]


@pytest.mark.parametrize(("selection", "items"), SELECTIONS)
def test_the_same_items_are_followed(job, home, selection, items):
    if selection.unknown:
        items = [5, 6]  # by their endings; the rows of the causes say otherwise
    outputs = Outputs(home, [str(job)], Choice(selection, now=SUBMITTED_AT), ("out", "err"))
    follower = outputs.follower(None)
    if outputs.follows_endings:
        assert [attempt.item for _, attempt in outputs.chosen_endings(follower)] == items
    else:
        assert [event.item for event in follower.events() if event.over] == items


def test_only_numbers_and_values_of_rows_are_known_before_the_end(job, home):
    def follows_endings(selection):
        return Outputs(home, [str(job)], Choice(selection, now=SUBMITTED_AT), ("out",)).follows_endings

    assert not follows_endings(Selection(items=spans_of([1]), where="id > 2 or item < 3"))
    assert follows_endings(Selection(where="id > 2 and duration > 3"))
    assert follows_endings(Selection(FAILED))


def test_one_item_that_is_not_selected_is_not_followed(job, home):
    for where, count in (("id == 4", 1), ("id == 5", 0)):
        outputs = Outputs(home, [f"{job}.4"], Choice(Selection(where=where), now=SUBMITTED_AT), ("out",))
        assert sum(event.over is not None for event in outputs.follower(None).events()) == count


def test_states_that_logs_cannot_show(job, home):
    with pytest.raises(UsageError, match="logs acts on items"):
        Outputs(home, [str(job)], Choice(Selection((ItemState.UNPROCESSED,))), ("out",))
    running = Outputs(home, [str(job)], Choice(Selection((ItemState.RUNNING,))), ("out",))
    with pytest.raises(UsageError, match="logs --follow acts on items that are succeeded, failed"):
        running.follower(None)


def test_a_selection_of_nothing_says_so(job, jobctl):
    done = jobctl("logs", job, "--cause", "exit_9")
    assert (done.code, done.out) == (0, "")
    assert done.err.strip() == f"job {job}: none of its 6 items have the cause exit_9"
    assert "none of its 6 items fit" in jobctl("logs", job, "--where", "id > 90", "--json").err
    assert "1.2 names items" in jobctl("logs", f"{job}.2", "--items", "3").err
