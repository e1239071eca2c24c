"""What a person can do with a job or an item: plain forms, which a browser sends without a script."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.wording import plural
from jobctl.render.pages.forms import Field, asking, button_form, fields, hidden, hint_markup
from jobctl.render.pages.rule_fields import rule_fields, rules_of_job, rules_of_round
from jobctl.render.report.svg import text_of

if TYPE_CHECKING:
    from jobctl.domain.documents.failures import CauseBlock
    from jobctl.domain.documents.items import ItemBlock
    from jobctl.domain.documents.status import StatusDocument

#: What a person should know before filling a form in.
_EMPTY = "An empty field leaves a rule as it is."


class RefusedForm(NamedTuple):
    """A form that a person sent and that was refused: it is shown again, with the reason."""

    action: str  # retry, set, cancel...
    given: Mapping[str, str]
    problem: str
    hint: str = ""


def actions(status: StatusDocument, refused: RefusedForm | None = None) -> Iterator[str]:
    """The buttons of a job; ``refused`` is a form that is shown again with the reason."""
    base = f"/jobs/{status['job']}"
    if refused is not None:
        yield _problem(refused)
    yield '<div class="actions">'
    if not status["done"]:
        if status["state"] == "paused":
            yield button_form(f"{base}/resume", "Resume", kind="main")
        elif status["state"] != "cancelling":
            yield button_form(f"{base}/pause", "Pause")
        yield from asking("Change rules", _set_form(status, refused), key="set", is_open=_is(refused, "set"))
        yield from asking("Cancel", _cancel_form(status, refused), key="cancel", is_open=_is(refused, "cancel"))
    if status["retry"]["available"]:
        yield from asking("Retry", _retry_form(status, refused), key="retry-form", is_open=_is(refused, "retry"))
    undo = status.get("undo")
    if undo is not None and undo["command"] and status["done"]:
        yield from asking("Take rows back", _undo_form(status), key="undo", is_open=_is(refused, "undo"))
    yield "</div>"


def _is(refused: RefusedForm | None, action: str) -> bool:
    return refused is not None and refused.action == action


def _problem(refused: RefusedForm) -> str:
    """The reason why a form was refused."""
    hint = f"<br>{hint_markup(refused.hint)}" if refused.hint else ""
    return f'<p class="problem" role="alert">{text_of(refused.problem)}{hint}</p>'


def _given(refused: RefusedForm | None, action: str) -> dict[str, str]:
    return dict(refused.given) if refused is not None and refused.action == action else {}


def _form(status: StatusDocument, action: str) -> str:
    return f'<form method="post" action="/jobs/{status["job"]}/{action}">'


def _cancel_form(status: StatusDocument, refused: RefusedForm | None) -> Iterator[str]:
    counts = status["counts"]
    left = counts["queued"] + counts["retrying"]
    parts = [f"{plural(counts['running'], 'running item')} will be ended"] if counts["running"] else []
    parts += [f"{plural(left, 'waiting item')} will not run"] if left else []
    yield _form(status, "cancel")
    yield f"<p>{text_of('; '.join(parts) or 'Nothing is running')}. What succeeded stays.</p>"
    yield fields([Field("reason", "Reason", _given(refused, "cancel").get("reason", ""), is_long=True)], "cancel-")
    box = '<input type="checkbox" name="now" value="true">'
    yield f'<p class="buttons"><label>{box} at once, without a grace period</label>'
    yield f'<button class="danger">Cancel job {status["job"]}</button></p></form>'


def _retry_form(status: StatusDocument, refused: RefusedForm | None) -> Iterator[str]:
    retry = status["retry"]
    yield _form(status, "retry")
    note = f" {retry['note']}" if retry.get("note") else ""
    yield f"<p>{plural(retry['items'], 'item')} would run again{text_of(note)}. {_EMPTY}</p>"
    given = _given(refused, "retry") or _suggested(retry["command"] or "")
    yield hidden({name: given[name] for name in ("cause", "state", "items", "where") if given.get(name)})
    yield from rule_fields(status, rules_of_round(), given, "retry-")
    if retry["outcome_unknown"]:
        checked = " checked" if given.get("unknown") or "--unknown" in (retry["command"] or "") else ""
        box = f'<input type="checkbox" name="unknown" value="true"{checked}>'
        words = (
            f"also {plural(retry['outcome_unknown'], 'item')} of which it is not known whether they had their effect"
        )
        yield f"<p><label>{box} {words}</label></p>"
    yield '<p class="buttons"><button class="main">Retry</button></p></form>'


def _suggested(command: str) -> dict[str, str]:
    """The rules of the command that the status suggests: without them the items would fail again."""
    words, known = command.split(" && ")[-1].split(), rules_of_round()
    pairs = itertools.pairwise(words)
    return {name: value for word, value in pairs if (name := word.removeprefix("--")) in known and word != name}


def _set_form(status: StatusDocument, refused: RefusedForm | None) -> Iterator[str]:
    yield _form(status, "set")
    yield f"<p>{_EMPTY}</p>"
    yield from rule_fields(status, rules_of_job(), _given(refused, "set"), "set-")
    yield '<p class="buttons"><button class="main">Change</button></p></form>'


def _undo_form(status: StatusDocument) -> Iterator[str]:
    yield _form(status, "undo")
    yield f"<p>{plural(status['counts']['succeeded'], 'row')} that succeeded can be taken back, the newest first. "
    yield "This is a job of its own.</p>"
    yield f'<p class="buttons"><button class="danger">Take the rows of job {status["job"]} back</button></p></form>'


def retry_cause(status: StatusDocument, group: CauseBlock, word: str) -> str:
    """The button that retries the items of one cause, if the job is done."""
    if not status["done"] or not group["count"]:
        return ""
    values = {"cause": word} | ({"unknown": "true"} if group["outcome"] == "unknown" else {})
    return button_form(f"/jobs/{status['job']}/retry", f"Retry {plural(group['count'], 'item')}", values)


def item_actions(item: ItemBlock, *, is_done: bool) -> Iterator[str]:
    """The buttons of an item, if it has any; ``is_done`` says whether its job is done."""
    base = f"/jobs/{item['job']}/items/{item['item']}"
    if is_done and item["state"] in ("failed", "unprocessed"):
        yield f'<div class="actions">{button_form(f"{base}/retry", "Retry this item", kind="main")}</div>'
    if not is_done and item["state"] in ("queued", "running", "retrying"):
        ask = button_form(f"{base}/cancel", f"Cancel item {item['item']}", kind="danger")
        yield '<div class="actions">'
        yield from asking("Cancel", ["<p>The job continues without this item.</p>", ask], key="cancel")
        yield "</div>"
