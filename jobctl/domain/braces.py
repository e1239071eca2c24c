"""Interprets braces: as placeholders, as text, or as mistakes. ``domain.bracetext`` reads them.

- ``{}`` the line or the first column, ``{name}`` a column, ``{3}`` the third column unless one is named ``3``,
  ``{#}`` the number of the item, ``{%}`` the number of the slot.
- ``{.} {/} {//} {/.}`` the value without extension, base name, folder, base name without extension; also ``{name.}
  {name/} {name//} {name/.}``. A column that is really called ``name.`` wins over the path form.
- ``{:q} {name:q} {name/.:json} {2:url}``: the same, quoted for a text that something evaluates (``domain.quoting``). A
  column that is really called ``name:q`` wins over the form; ``{name:q:q}`` is that column, quoted.
- ``{{`` and ``}}`` are a literal ``{`` and ``}``, except in a text that has tags of another template language, such as
  ``{{.State.Status}}`` (``domain.doubled_braces``).

Any other ``{text}`` is refused, because a misspelt column must never run a million times as text. Braces stay as
they are only where they cannot be a misspelt column: ``{text}`` with one of the characters of ``_SYNTAX`` that no
column name of this input has (``awk '{print $1}'``, ``{"a": 1}``), a ``{`` that is followed by another ``{`` before
its ``}`` (``{"id": "{id}"}``), a brace without a partner, and statements of Jinja (``{% if x %}``). ``}}`` at the end
of nested JSON closes two such braces if no brace of the argument is doubled at its opening. An argument that has both
single literal braces and doubled ones is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from jobctl.domain.quoting import QUOTES, listed
from jobctl.errors import UnknownColumn

_SYNTAX = frozenset("\"'`$:;,=()<>[]|&!?*\\@^~+\n\t\r")
_COLUMN_NUMBER = re.compile(r"[1-9][0-9]{0,5}")
#: ``kubectl -o jsonpath={.metadata.name}``; ``{.tar.gz}`` is a misspelt form.
_JSON_PATH = re.compile(r"(?:\.[A-Za-z_][\w-]*){2,}(?<!\.gz)(?<!\.bz2)(?<!\.xz)(?<!\.zst)")
#: Separators of fields in files that are called CSV although their separator is not a comma.
_OTHER_DELIMITERS = {";": "semicolon", "\t": "tab", "|": "pipe"}


class ValueSource(Enum):
    """The sources of a placeholder's value."""

    FIELD = "field"
    ITEM = "item"
    SLOT = "slot"


def _without_extension(value: bytes) -> bytes:
    stem, dot, extension = value.rpartition(b".")
    return stem if dot and b"/" not in extension else value


def _base(value: bytes) -> bytes:
    return value.rpartition(b"/")[2]


def _folder(value: bytes) -> bytes:
    folder, slash, _ = value.rstrip(b"/").rpartition(b"/")
    if not slash:
        return b"/" if value.startswith(b"/") else b"."
    return folder.rstrip(b"/") or b"/"


def _base_without_extension(value: bytes) -> bytes:
    return _without_extension(_base(value))


#: Path forms after GNU parallel; the longer spelling is tried first. A newline is a character like any other.
PATH_FORMS: dict[str, Callable[[bytes], bytes]] = {
    "/.": _base_without_extension,
    "//": _folder,
    "/": _base,
    ".": _without_extension,
}


class Placeholder(NamedTuple):
    """One placeholder: the value of a field, perhaps through a path form and quoted, or the number of item or slot."""

    source: ValueSource
    field: int = 0
    form: str = ""
    quote: str = ""


ITEM = Placeholder(ValueSource.ITEM)
SLOT = Placeholder(ValueSource.SLOT)
Piece = str | Placeholder


@dataclass(frozen=True, slots=True)
class Names:
    """The columns that placeholders may name; none for an input of plain lines."""

    columns: Sequence[str] | None
    #: For a job that an earlier version accepted: what looks like an unknown form was text to that version.
    stored: bool = False
    #: True if tags of other template languages keep their doubled braces; they did not in the first versions.
    keeps_tags: bool = True

    def is_known(self, inner: str) -> bool:
        """True if ``{inner}`` is a placeholder."""
        return self.find(inner) is not None

    def find(self, inner: str) -> Placeholder | None:
        """The placeholder that is written ``{inner}``, None if it is not a placeholder."""
        if inner in ("#", "%"):
            return ITEM if inner == "#" else SLOT
        if inner == "" or inner in PATH_FORMS:
            return Placeholder(ValueSource.FIELD, 0, inner)
        index = self._column(inner)
        if index is not None:
            return Placeholder(ValueSource.FIELD, index)
        for form in PATH_FORMS:
            index = self._column(inner.removesuffix(form)) if inner.endswith(form) else None
            if index is not None:
                return Placeholder(ValueSource.FIELD, index, form)
        return self._quoted(inner)

    def _quoted(self, inner: str) -> Placeholder | None:
        plain, colon, quote = inner.rpartition(":")
        found = self.find(plain) if colon and quote in QUOTES else None
        if found is None or found.source is not ValueSource.FIELD:
            return found  # the number of an item or slot needs no quotes
        return found._replace(quote=quote)

    def _column(self, name: str) -> int | None:
        columns = ["line"] if self.columns is None else self.columns
        if self.columns is not None and name in columns:
            return columns.index(name)
        number = int(name) if _COLUMN_NUMBER.fullmatch(name) else 0
        return number - 1 if 1 <= number <= len(columns) else None

    def could_be(self, inner: str) -> bool:
        """True if ``{inner}`` may be a misspelt column or form, and not the syntax of another language."""
        plain, colon, quote = inner.rpartition(":")
        if colon and not self.stored and quote.isalpha() and quote.isascii():
            if quote in QUOTES:
                return not plain or self.could_be(plain)
            if self.find(plain) is not None and (plain or len(quote) > 1):  # "{:d}" is a format of many languages
                return True
        if _JSON_PATH.fullmatch(inner) and inner.lstrip(".") not in (self.columns or ()):
            return False
        if inner[:1] in ("%", "#") and inner[:1] == inner[-1:] and len(inner) > 2:  # a statement or comment of Jinja
            return False
        strange = _SYNTAX.intersection(inner)
        return bool(inner.strip()) and not any(all(s not in c for c in self.columns or ()) for s in strange)

    def unknown(self, inner: str, where: str) -> UnknownColumn:
        """The error for a placeholder that names nothing."""
        plain, colon, quote = inner.rpartition(":")
        if colon and self.find(plain) is not None:
            return UnknownColumn(
                f"unknown form :{quote} of the placeholder {{{inner}}} in {where}; there are {listed()}",
                hint=_literal(inner),
            )
        if colon and quote in QUOTES:
            return self.unknown(plain, where)
        if self.columns is None:
            columns = "a line has no columns, only {}"
        elif self.columns:
            columns = f"the columns are {_listed(self.columns)}"
        else:
            columns = "the input has no row, and so no columns"
        return UnknownColumn(f"unknown placeholder {{{inner}}} in {where}; {columns}", hint=self._meant(inner))

    def _meant(self, inner: str) -> str:
        from difflib import get_close_matches

        from jobctl.domain.lookalike import lookalike

        literal = _literal(inner)
        if self.columns is None:
            return f"if the file is a table, say which: --format csv, tsv or jsonl; {literal}"
        same = lookalike(inner, self.columns)
        if same is not None:
            number = str(same.place + 1)
            by_number = f" or {{{number}}}, its number" if number not in self.columns else ""
            return f"did you mean column {same.name!a}? {same.difference}; write {{{same.name}}}{by_number}"
        close = get_close_matches(inner.rstrip("./"), self.columns, 1, 0.6)
        if close:
            return f"did you mean {{{close[0]}}}? {literal[0].upper()}{literal[1:]}"
        if not self.columns:
            return f"is this the right file? {literal[0].upper()}{literal[1:]}"
        if self.columns[0].startswith("sep="):
            return "the first line is a note to Excel and no header: take it out"
        named = [name for mark, name in _OTHER_DELIMITERS.items() if mark in self.columns[0]]
        if len(self.columns) == 1 and named:
            return f"are the fields separated by something else? See --delimiter {named[0]}"
        return literal


def _literal(inner: str) -> str:
    from jobctl.domain.doubled_braces import is_tag  # only messages need it

    if is_tag(inner):
        return (
            f"{{{{{inner}}}}} is passed as it is, with both braces; for single ones write {{{inner.rstrip()};}} or"
            f" {{{inner.rstrip()},}} if its language allows that, or put the text into a script"
        )
    return f"for literal braces write {{{{{inner}}}}}"


def _listed(columns: Sequence[str], most: int = 20) -> str:
    more = f" and {len(columns) - most} more" if len(columns) > most else ""
    return ", ".join(columns[:most]) + more
