"""Doubled braces: where they are a literal brace, and where they are a tag of another template language.

``{{name}}`` is how a literal ``{name}`` is written. Docker, kubectl, gh, helm, Jinja, Mustache and others write their
own tags with doubled braces too: ``{{.State.Status}}``, ``{{range .}}``, ``{{ item }}``, ``{{#each rows}}``. A tag that
lost a brace would be wrong for every item, so it stays as it is, and so does every closed pair in a text that has
such a tag (``{{end}}``, ``{{name}}``). ``notices`` reports every other text that loses a brace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

#: A closed pair; it may contain placeholders: ``{{.Labels.{name}}}``.
_PAIR = re.compile(r"\{\{((?:[^{}]|\{[^{}]*\})*)\}\}")
_REST = r"""(?:"[^"]*"|'[^']*'|[=!<>]=|[^:;='"])*\Z"""
#: Text that can only be a tag. A name before a colon, an equals sign, a comma or a semicolon is code or JSON instead.
_TAG = re.compile(
    r"""[-~]?\s*[.$\#/^>&!*@]\s*[A-Za-z_("'.$]"""  # .State.Status, $x, #each rows, /each, > partial
    r"""|[-~]?\s*\.\s*[-~]?\Z"""
    r"""|[-~]?\s*(?:"[^"{}]*"|'[^'{}]*'|`[^`{}]*`)\s*[-~]?\Z"""  # "\n"
    rf"""|(?:[-~]\s*|\s+)[A-Za-z_][\w.]*(?![\w.]|\s*(?:[:;,]|=(?!=))){_REST}"""  # item with blanks around, - end -
    rf"""|[A-Za-z_][\w.]*\s+[^\s:;=,]{_REST}"""  # range ., json .State
    r"""|[A-Za-z_]\w*(?:\.\w+)+\Z"""  # item.name
    r"""|\s*[A-Za-z_][\w.]*\s*\|[^|]"""  # name | upper
    r"""|[A-Za-z_][\w.]*\([^;]*\)\s*\Z""",  # now()
    re.DOTALL,
)
#: ``{% if x %}`` and ``{# comment #}`` of Jinja and similar languages.
_STATEMENTS = re.compile(r"\{(%[^{}]+%|#[^{}]+#)\}")
#: A variable in every template language.
_NAME = re.compile(r"\{\{\s*[A-Za-z_]\w*\s*\}\}")
_SHOWN = 3
_LONGEST = 60

IsPlaceholder = Callable[[str], bool]


class Pair(NamedTuple):
    """A closed pair of doubled braces: their positions, and the text between them."""

    begin: int
    end: int
    inner: str


def is_tag(inner: str) -> bool:
    """True if ``{{inner}}`` can only be a tag of another template language."""
    return _TAG.match(inner) is not None


def kept_pairs(text: str, is_placeholder: IsPlaceholder) -> list[Pair]:
    """The pairs that stay unchanged: all pairs of a text that has a tag which is not a placeholder of this input."""
    pairs = [Pair(found.start(), found.end() - 2, found[1]) for found in _PAIR.finditer(text)]
    pairs = [pair for pair in pairs if not pair.inner.startswith("{")]
    tags = [pair.inner for pair in pairs if is_tag(pair.inner)] + _STATEMENTS.findall(text)
    if any(not is_placeholder(inner) for inner in tags):
        return pairs
    return []


def notices(text: str, where: str, halved: Sequence[int], kept: Sequence[Pair], known: IsPlaceholder) -> Iterator[str]:
    """The warning about a text whose doubled braces at ``halved`` became single while others stayed doubled."""
    changed = list(dict.fromkeys(_halved(text, halved)))
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        pairs = ", ".join(f"{_short(pair)} as {_short(single)}" for pair, single in changed[:_SHOWN])
        name = next((pair for pair, _ in changed if _NAME.fullmatch(pair)), "")
        both = f"; to pass both braces write {{{{{_short(name)}}}}}" if name else ""
        yield f"{where}: doubled braces are literal single ones, so it passes {pairs}{more}{both}"
    for inner in dict.fromkeys(pair.inner for pair in kept if pair.inner[:1].isalnum() and known(pair.inner)):
        yield f"{where}: {{{{{inner}}}}} is passed as it is, like the other tags there; the value is {{{inner}}}"


def _halved(text: str, halved: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Each pair that lost braces, and its new text. Braces that were written four times are intended."""
    done = 0
    for at in halved:
        if at < done:
            continue
        if text.startswith(text[at] * 4, at):
            done = at + 4
            continue
        found = _PAIR.match(text, at)
        pair = text[at : at + 2] if found is None else found[0]
        done = at + len(pair)
        if found is not None or text[at] == "{":
            yield pair, pair[1:-1] if found is not None else pair[1:]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
