"""The page of the items of a job: the list with its conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.durations import format_duration
from jobctl.domain.states import ItemState
from jobctl.render.pages.forms import Field, address, fields, link
from jobctl.render.pages.frame import Live, Page
from jobctl.render.plain import row_text
from jobctl.render.report.page import state_mark
from jobctl.render.report.svg import text_of

if TYPE_CHECKING:
    from jobctl.domain.documents.causes import CausesDocument, ListedCauseBlock
    from jobctl.domain.documents.items import ItemBlock, ItemsDocument

_TITLES = (">item", "state", ">attempts", "ended with", ">took", "message", "row")
#: The most characters of a message or a row in the list.
_MOST = 300


class ItemList(NamedTuple):
    """What a list of items shows."""

    document: ItemsDocument
    causes: CausesDocument
    given: Mapping[str, str]  # the conditions, by name
    after: int = 0  # the number of the item before the page
    note: str = ""  # why there are none


def item_list_page(found: ItemList) -> Page:
    """The page of a list of items."""
    job, name = found.document["job"], found.causes["name"]
    title = f"Items of job {job}, {name}"
    base = f"/jobs/{job}/items"
    live = Live(address(base, {**found.given, "after": found.after, "part": "live"}), f"/jobs/{job}/changes", title)
    return Page(title, list(_list(found, base)), "", live)


def _list(found: ItemList, base: str) -> Iterator[str]:
    job = found.document["job"]
    name = found.causes["name"]
    yield f'<div class="heading"><h1>Items of {link(f"/jobs/{job}", f"job {job} {name}")}</h1></div>'
    yield from _conditions(found, base)
    if not found.document["items"]:
        yield f'<p class="empty">{text_of(found.note or "There are no such items.")}</p>'
    else:
        yield '<section class="list"><table class="cards" role="table"><caption class="unseen">Items</caption>'
        yield f'<thead role="rowgroup"><tr role="row">{"".join(map(_title, _TITLES))}</tr></thead>'
        yield '<tbody role="rowgroup">'
        for item in found.document["items"]:
            yield _row(item, base)
        yield "</tbody></table></section>"
    yield from _paging(found, base)


def _title(title: str) -> str:
    return f'<th scope="col" role="columnheader"{" class=number" if title[0] == ">" else ""}>{title.lstrip(">")}</th>'


def _conditions(found: ItemList, base: str) -> Iterator[str]:
    given = found.given
    states = [("", "in any state"), *((state.word, state.word) for state in ItemState)]
    causes = [("", "any"), *((each["cause"], shortened(_cause(each), 80)) for each in found.causes["causes"])]
    shown = [
        Field("state", "State", given.get("state", ""), choices=states),
        Field("cause", "Cause of failure", given.get("cause", ""), choices=causes),
        Field("items", "Numbers", given.get("items", ""), now="1-100,250"),
        Field("where", "Where", given.get("where", ""), now="size > 100 and duration > 60", is_long=True),
    ]
    yield f'<form class="conditions" method="get" action="{text_of(base)}" role="search" aria-label="Items">'
    yield f'{fields(shown)}<p class="buttons"><button>Show</button> {link(base, "All items")}</p></form>'


def _cause(each: ListedCauseBlock) -> str:
    return f"{each['cause']}: {each['message']}"


def _row(item: ItemBlock, base: str) -> str:
    place = f"{base}/{item['item']}"
    cells = (
        ("item", link(place, str(item["item"])), "number key alone"),
        ("state", state_mark(item["state"]), "state-cell"),
        ("attempts", str(item["attempts"] or ""), "number"),
        ("ended with", text_of(_ended(item)), "nowrap"),
        ("took", "" if item["duration_s"] is None else format_duration(item["duration_s"]), "number"),
        ("message", text_of(shortened(item["message"] or "")), "words"),
        ("row", f"<code>{text_of(shortened(row_text(item['row'])))}</code>", "words"),
    )
    made = "".join(f'<td role="cell" data-title="{title}" class="{style}">{cell}</td>' for title, cell, style in cells)
    return f'<tr role="row" id="item-{item["item"]}">{made}</tr>'


def _ended(item: ItemBlock) -> str:
    """As ``jobctl items`` says it: the signal, the exit code, or the cause."""
    return item["signal"] or ("" if item["exit_code"] is None else str(item["exit_code"])) or item["code"] or ""


def shortened(words: str, limit: int = _MOST) -> str:
    """A text with at most this number of characters."""
    return words if len(words) <= limit else words[: limit - 1] + "…"


def _paging(found: ItemList, base: str) -> Iterator[str]:
    links = [link(address(base, found.given), "First page")] if found.after else []
    if found.document["next"] is not None:
        links.append(link(address(base, {**found.given, "after": found.document["next"]}), "Next page"))
    if links:
        yield f'<nav class="paging" aria-label="Pages">{" ".join(links)}</nav>'
