"""Pages with a message alone: an error, and how to sign in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jobctl.render.pages.forms import hint_markup, link
from jobctl.render.pages.frame import Page
from jobctl.render.report.svg import text_of


def error_page(title: str, message: str, hint: str | None = None, details: Sequence[str] = ()) -> Page:
    """An error in the words of the commands."""

    def body() -> Iterator[str]:
        yield f'<section class="problem"><h1>{text_of(title)}</h1><p>{text_of(message)}</p>'
        if details:
            yield f"<ul>{''.join(f'<li>{text_of(line)}</li>' for line in details)}</ul>"
        if hint:
            yield f"<p>{hint_markup(hint)}</p>"
        yield f"<p>{link('/', 'All jobs')}</p></section>"

    return Page(title, list(body()))


def sign_in_page() -> Page:
    """How to open the pages: the server prints a link that is valid once."""

    def body() -> Iterator[str]:
        yield "<section><h1>Sign in</h1><p>This browser has no session, or the session has ended.</p>"
        yield "<p>Type this on the machine of the server, and open the link that it prints. The link works once:</p>"
        yield "<pre>jobctl serve link</pre>"
        yield '<p class="soft">Programs send a token instead: <code>jobctl serve token add NAME --scope read</code></p>'
        yield "</section>"

    return Page("Sign in", list(body()))
