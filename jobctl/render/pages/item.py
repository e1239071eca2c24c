"""The page of an item: its row, its attempts, and its output, which the script continues."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import plural, size
from jobctl.render.inert import inert_log
from jobctl.render.pages.actions import item_actions
from jobctl.render.pages.forms import address, link
from jobctl.render.pages.frame import Live, Page, Viewer
from jobctl.render.pages.items import shortened
from jobctl.render.report.page import notice, state_mark
from jobctl.render.report.sections import time_markup, titles, wide
from jobctl.render.report.svg import escaped, text_of

if TYPE_CHECKING:
    from jobctl.domain.documents.explain import AttemptBlock, ExplainDocument
    from jobctl.domain.documents.items import ItemBlock

#: The most characters of a value of the row.
_MOST_OF_A_VALUE = 4_000


class Output(NamedTuple):
    """The end of one stream of an attempt."""

    stream: str  # stdout | stderr
    text: str | None  # None if it cannot be read here
    begin: int  # the bytes before the text
    end: int  # the bytes until its end
    is_running: bool


class ItemPage(NamedTuple):
    """What the page of an item shows."""

    item: ItemBlock
    explained: ExplainDocument
    outputs: list[Output]
    attempt: int | None  # whose output it is
    given: int | None  # the attempt that the address names
    is_done: bool  # the job
    viewer: Viewer
    said: str = ""


def item_page(found: ItemPage) -> Page:
    """The page of an item; its output is below the part that changes, because the script continues it."""
    item = found.item
    title = f"{item['state']}: item {item['job']}.{item['item']} of {found.explained['name']}"
    base = f"/jobs/{item['job']}/items/{item['item']}"
    shown: dict[str, str | int] = {"part": "live", "attempt": found.given or 0}
    live = Live(
        address(base, shown), f"/jobs/{item['job']}/changes", title, f"item {item['state']}", str(found.attempt or "")
    )
    return Page(title, list(_item(found)), "", live, list(_outputs(found, base)), found.said)


def _item(found: ItemPage) -> Iterator[str]:
    item, job = found.item, found.item["job"]
    yield '<header class="job">'
    name = found.explained["name"]
    yield f'<p class="soft">{link(f"/jobs/{job}", f"job {job} {name}")}, '
    yield f"{link(f'/jobs/{job}/items', 'all items')}</p>"
    yield f"<h1>item {job}.{item['item']} {state_mark(item['state'])}</h1>"
    yield f"<p>{text_of(found.explained['item_reason'] or '')}</p>"
    yield from map(notice, found.explained["holds"])
    yield from _undo(item)
    if found.viewer.may_control:
        yield from item_actions(item, is_done=found.is_done)
    yield "</header>"
    yield '<section id="row"><h2>Row</h2><dl class="facts">'
    for name, value in _row_values(item):
        yield f"<dt>{text_of(name)}</dt><dd>{text_of(value)}</dd>"
    yield "</dl></section>"
    yield from _attempts(found)


def _undo(item: ItemBlock) -> Iterator[str]:
    undo = item.get("undo")
    if undo:
        name = f"{undo['job']}.{undo['item']}"
        place = link(f"/jobs/{undo['job']}/items/{undo['item']}", f"item {name}")
        yield f"<p>{'It was taken back by' if undo['state'] == 'succeeded' else 'It is taken back by'} {place}.</p>"


def _row_values(item: ItemBlock) -> Iterator[tuple[str, str]]:
    row = item["row"]
    if isinstance(row, dict):
        for name, value in row.items():
            yield str(name), _value(value)
    else:
        yield "line", _value(row)
    if item["result"] is not None:
        yield "result", shortened(json.dumps(item["result"], ensure_ascii=False), _MOST_OF_A_VALUE)


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shortened(text, _MOST_OF_A_VALUE)


def _attempts(found: ItemPage) -> Iterator[str]:
    attempts = found.explained["attempts"]
    if not attempts:
        return
    base = f"/jobs/{found.item['job']}/items/{found.item['item']}"
    yield f'<section id="attempts"><h2>Attempts</h2>{wide("Attempts")}<table>'
    yield titles((">attempt", ">round", ">slot", "started", "took", "outcome", "message"))
    for each in attempts:
        yield _attempt(each, base)
    yield "</table></div></section>"


def _attempt(each: AttemptBlock, base: str) -> str:
    took = "" if each["duration_s"] is None else format_duration(each["duration_s"])
    shown = link(f"{base}?attempt={each['attempt']}#output", str(each["attempt"]))
    numbers = "".join(f'<td class="number">{value}</td>' for value in (shown, each["round"], each["slot"]))
    message = text_of(shortened(each["message"] or "", 1_000))
    return (
        f'<tr>{numbers}<td class="nowrap">{time_markup(each["started_at"])}</td><td class="nowrap">{took}</td>'
        f'<td class="nowrap">{text_of(each["outcome"] or "running")}</td><td>{message}</td></tr>'
    )


def _outputs(found: ItemPage, base: str) -> Iterator[str]:
    yield '<div id="output">'
    for each in found.outputs:
        yield from _output(each, f"/v1{base}/logs/{each.stream}?attempt={found.attempt}")
    if not found.outputs:
        yield '<section><h2>Output</h2><p class="soft">The item has not run yet.</p></section>'
    yield "</div>"


def _output(each: Output, source: str) -> Iterator[str]:
    """One stream. The text has no markup and no control character, whatever the item wrote."""
    follows = f' data-follow="{text_of(source)}" data-offset="{each.end}"' if each.is_running else ""
    yield f'<section class="output"><h2 id="{each.stream}">{each.stream}</h2>'
    if each.text is None:
        yield '<p class="soft">It cannot be read on this machine.</p></section>'
        return
    if each.begin:
        yield f'<p class="soft">{size(each.begin)} before this are in the {link(source, "whole output")}.</p>'
    # A parser drops a line feed that follows the tag.
    yield f'<pre class="log" tabindex="0" role="region" aria-labelledby="{each.stream}"{follows}>'
    yield f"{escaped(inert_log(each.text))}</pre>"
    state = "it is still running" if each.is_running else plural(each.end, "byte")
    yield f'<p class="soft">{state}, {link(source, "as a file")}</p></section>'
