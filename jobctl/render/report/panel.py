"""A job as a piece of HTML for a notebook: the words of the report, without its style sheet.

A notebook shows it between other outputs, so it has no ids, no classes and no style sheet, which would change them. Its
colours are legible on light and on dark pages, and its text has the colour of the notebook.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobctl.domain.wording import number, plural
from jobctl.render.causes import cause_text, hidden_causes
from jobctl.render.report.page import bar_parts, bar_words, count_facts, pace_facts
from jobctl.render.report.sections import prospect_of
from jobctl.render.report.svg import text_of

if TYPE_CHECKING:
    from jobctl.domain.documents.failures import CauseBlock
    from jobctl.domain.documents.status import StatusDocument

_COLORS = {"succeeded": "#2f9e5b", "failed": "#d23c3c", "running": "#d99a1c", "waiting": "#9aa4af"}
_LEFT = 'style="text-align: left"'
#: Causes of failure that are shown.
_CAUSES = 5


def job_panel(status: StatusDocument) -> str:
    """The state of a job with its bar, its figures, the causes of failure and the next command."""
    parts = [
        "<div>",
        f"<p><b>job {status['job']} {text_of(status['name'])}: {text_of(status['state'])}</b><br>"
        f"{text_of(status['state_reason'])}</p>",
        _bar(status),
        _figures(status),
        *(f"<p>{text_of(found['message'])}{_command(found['action'])}</p>" for found in status["attention"]),
        *_causes(status),
        *_next(status),
        "</div>",
    ]
    return "".join(parts)


def _bar(status: StatusDocument) -> str:
    boxes = "".join(
        f'<rect x="{part.left}" y="0" width="{part.width}" height="10" fill="{_COLORS[part.kind]}">'
        f"<title>{part.tip}</title></rect>"
        for part in bar_parts(status)
    )
    return (
        f'<svg role="img" aria-label="{bar_words(status)}" viewBox="0 0 1000 10" preserveAspectRatio="none"'
        f' width="100%" height="10">{boxes}</svg>'
    )


def _figures(status: StatusDocument) -> str:
    facts = [*count_facts(status), *pace_facts(status)]
    heads = "".join(f'<th scope="col" {_LEFT}>{text_of(name)}</th>' for name, _ in facts)
    cells = "".join(f"<td {_LEFT}>{text_of(value)}</td>" for _, value in facts)
    return f"<table><thead><tr>{heads}</tr></thead><tbody><tr>{cells}</tr></tbody></table>"


def _causes(status: StatusDocument) -> Iterator[str]:
    groups = status["failures"]["groups"][:_CAUSES]
    if not groups:
        return
    heads = "".join(f'<th scope="col" {_LEFT}>{name}</th>' for name in ("items", "cause", "message", "a retry"))
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(map(_cause, groups))}</tbody></table>"
    if hidden := hidden_causes(status, len(groups)):
        yield f"<p>and {text_of(hidden)}</p>"


def _cause(group: CauseBlock) -> str:
    code = f"<code>{text_of(group['code'])}</code>"
    cells = (number(group["count"]), code, text_of(cause_text(group)), text_of(prospect_of(group)))
    return f"<tr>{''.join(f'<td {_LEFT}>{cell}</td>' for cell in cells)}</tr>"


def _next(status: StatusDocument) -> Iterator[str]:
    """The retry, or else the command that is most likely wanted."""
    retry = status["retry"]
    if retry["command"]:
        yield f"<p>{plural(retry['items'], 'item')} would run again:{_command(retry['command'])}</p>"
    elif status["next"]:
        yield f"<p>To see more:{_command(status['next'][0])}</p>"


def _command(command: str | None) -> str:
    return f"<br><code>{text_of(command)}</code>" if command else ""
