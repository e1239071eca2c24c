"""The frame of every page: head, navigation, the part that changes, and the lines for messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jobctl.render.report.svg import text_of

#: The pages of the navigation; only who may submit has the second one.
_PLACES = (("/", "Jobs"), ("/recipes", "Recipes"))


class Viewer(NamedTuple):
    """The person who reads a page, as far as pages differ."""

    may_submit: bool = True
    may_control: bool = True
    can_sign_out: bool = False


class Frame(NamedTuple):
    """What all pages of one answer share: the reader, and the folder of the static files."""

    viewer: Viewer = Viewer()
    static: str = "/static"


class Live(NamedTuple):
    """The part of a page that the script keeps up to date."""

    part: str  # the address of the part alone
    changes: str  # the address of the stream that tells of changes
    title: str  # the title of the page now
    says: str = ""  # what a screen reader says when it changes
    output: str = ""  # the attempt whose output is below it: when it changes, the script reads that again


class Page(NamedTuple):
    """One page. ``body`` is markup; the other fields are text."""

    title: str
    body: Iterable[str]
    place: str = ""  # the address of its place in the navigation
    live: Live | None = None  # the body changes
    below: Iterable[str] = ()  # markup below the body that does not change
    said: str = ""  # the answer to what the person did


def markup(page: Page, frame: Frame) -> str:
    """The whole page as HTML."""
    return "\n".join(_lines(page, frame)) + "\n"


def live_part(live: Live, body: Iterable[str]) -> str:
    """The part of a page that changes, which the script compares with what it shows."""
    values = {"part": live.part, "changes": live.changes, "title": live.title, "says": live.says, "output": live.output}
    attributes = " ".join(f'data-{name}="{text_of(value)}"' for name, value in values.items())
    inside = "\n".join(body)
    return f'<div id="live" {attributes}>\n{inside}\n</div>'


def _lines(page: Page, frame: Frame) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield from _head(page, frame)
    yield "<body>"
    yield '<a class="skip" href="#content">Skip to the content</a>'
    yield from _navigation(page, frame)
    yield '<p id="connection" class="connection" role="status"></p>'
    yield '<main id="content" tabindex="-1">'
    if page.said:
        yield f'<p class="said" role="status">{text_of(page.said)}</p>'
    yield from page.body if page.live is None else [live_part(page.live, page.body)]
    yield from page.below
    yield "</main>"
    yield '<p id="announcement" class="unseen" role="status"></p>'
    yield "</body>"
    yield "</html>"


def _head(page: Page, frame: Frame) -> Iterator[str]:
    static = text_of(frame.static)
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f"<title>{text_of(page.title)} - jobctl</title>"
    yield f'<link rel="icon" type="image/svg+xml" href="{static}/icon.svg">'
    yield f'<link rel="stylesheet" href="{static}/report.css">'
    yield f'<link rel="stylesheet" href="{static}/page.css">'
    yield f'<script type="module" src="{static}/jobctl.js"></script>'
    yield "</head>"


def _navigation(page: Page, frame: Frame) -> Iterator[str]:
    yield '<header class="top"><nav aria-label="jobctl">'
    yield '<a class="brand" href="/">jobctl</a>'
    for address, name in _PLACES if frame.viewer.may_submit else _PLACES[:1]:
        here = ' aria-current="page"' if page.place == address else ""
        yield f'<a href="{address}"{here}>{name}</a>'
    yield "</nav>"
    if frame.viewer.can_sign_out:
        yield '<form method="post" action="/sign-out"><button class="quiet">Sign out</button></form>'
    yield "</header>"
