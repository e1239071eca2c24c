"""Forms: plain ones, which work without a script, with a label for every field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from jobctl.render.report.svg import text_of


class Field(NamedTuple):
    """One field of a form."""

    name: str
    label: str
    value: str = ""
    hint: str = ""
    now: str = ""  # the value that counts if the field stays empty
    choices: Sequence[tuple[str, str]] = ()  # value and words; without any, the field takes a text
    is_long: bool = False


def field(each: Field, prefix: str = "") -> str:
    """A label with its field; ``prefix`` makes the identifiers of two forms on one page different."""
    name = text_of(f"{prefix}{each.name}")
    hint = f'<small id="{name}-hint">{text_of(each.hint)}</small>' if each.hint else ""
    described = f' aria-describedby="{name}-hint"' if each.hint else ""
    common = f'id="{name}" name="{text_of(each.name)}"{described}'
    if each.choices:
        options = "".join(_option(value, words, each.value) for value, words in each.choices)
        control = f"<select {common}>{options}</select>"
    else:
        now = f' placeholder="{text_of(each.now)}"' if each.now else ""
        value = f' value="{text_of(each.value)}"' if each.value else ""
        control = f'<input type="text" {common}{value}{now} autocomplete="off" spellcheck="false" maxlength="1000">'
    wide = " long" if each.is_long else ""
    return f'<div class="field{wide}"><label for="{name}">{text_of(each.label)}</label>{control}{hint}</div>'


def _option(value: str, words: str, chosen: str) -> str:
    selected = " selected" if value == chosen else ""
    return f'<option value="{text_of(value)}"{selected}>{text_of(words)}</option>'


def fields(found: Iterable[Field], prefix: str = "") -> str:
    """Several fields next to each other, as far as there is room."""
    return f'<div class="fields">{"".join(field(each, prefix) for each in found)}</div>'


def hidden(values: Mapping[str, str]) -> str:
    """Fields that nobody sees."""
    pairs = values.items()
    return "".join(f'<input type="hidden" name="{text_of(key)}" value="{text_of(value)}">' for key, value in pairs)


def button_form(action: str, words: str, values: Mapping[str, str] | None = None, kind: str = "") -> str:
    """A form that is only a button."""
    style = f' class="{kind}"' if kind else ""
    return (
        f'<form method="post" action="{text_of(action)}">{hidden(values or {})}'
        f"<button{style}>{text_of(words)}</button></form>"
    )


def asking(summary: str, inside: Iterable[str], *, key: str, is_open: bool = False) -> Iterator[str]:
    """A part that opens when it is asked for: a form that should not be sent by one touch, or a long one."""
    yield f'<details class="asking" id="{text_of(key)}"{" open" if is_open else ""}>'
    yield f"<summary>{text_of(summary)}</summary>"
    yield from inside
    yield "</details>"


def address(path: str, values: Mapping[str, str | int]) -> str:
    """An address with those of the values that are not empty."""
    query = urlencode({key: value for key, value in values.items() if value not in ("", 0)})
    return f"{path}?{query}" if query else path


def hint_markup(hint: str) -> str:
    """What to do next: a command looks like one, a sentence does not."""
    return f"<code>{text_of(hint)}</code>" if hint.startswith("jobctl ") else text_of(hint)


def link(path: str, words: str) -> str:
    """A link; both are text."""
    return f'<a href="{text_of(path)}">{text_of(words)}</a>'
