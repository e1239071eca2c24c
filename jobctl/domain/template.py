"""Command templates: they turn an argv with placeholders into the argv of one item, in bytes and without a shell.

``domain.braces`` decides which braces are placeholders. A template for plain lines without any placeholder gets ``{}``
as its last argument, as with xargs and GNU parallel. A template for rows with columns does not: jobctl cannot know
which of several values was meant, and a command that takes none (``true``, a script that reads the environment) must be
possible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter

from jobctl.domain.braces import ITEM, PATH_FORMS, Names, Piece, Placeholder, ValueSource
from jobctl.domain.bracetext import own_meanings, read_pieces
from jobctl.domain.ports import SLOT_MARK
from jobctl.domain.quoting import GROWTH, QUOTES
from jobctl.errors import UsageError

#: A path form can make an empty value one byte longer (``.``), and no item number has more digits.
_FORM_GROWTH = 1
_ITEM_DIGITS = 20

Value = Callable[[Sequence[bytes], int], bytes]
Render = Callable[[Sequence[bytes], int], tuple[bytes, ...]]
_SEPARATOR = b"\0"


def compile(argv: Sequence[str], columns: Sequence[str] | Names | None) -> Template:
    """Make a template for rows with these columns (None: plain lines).

    Raises UsageError that names an unknown placeholder, its argument and the existing columns.
    """
    if not argv or not argv[0]:
        raise UsageError("there is no command", hint="jobctl submit FILE -- COMMAND ARG...")
    names = columns if isinstance(columns, Names) else Names(columns)
    arguments: list[list[Piece]] = []
    notices: list[str] = []
    keeps_tags = False
    for number, text in enumerate(argv):
        where = f"argument {number} ({text!r})" if number else f"the command ({text!r})"
        if "\0" in text:
            raise UsageError(f"{where} contains a NUL character")
        found = read_pieces(text, names, where)
        arguments.append(found.pieces)
        notices += found.notices
        keeps_tags = keeps_tags or found.keeps_tags
    if any(isinstance(piece, Placeholder) for pieces in arguments for piece in pieces):
        notices += own_meanings(argv, names)
    appended = names.columns is None and not any(isinstance(p, Placeholder) for pieces in arguments for p in pieces)
    if appended:
        arguments.append([Placeholder(ValueSource.FIELD)])
    template = Template(arguments, appended=appended)
    template.notices, template.keeps_tags = notices, keeps_tags
    return template


class Template:
    """A compiled argv template."""

    def __init__(self, arguments: Sequence[Sequence[Piece]], *, appended: bool = False) -> None:
        #: The pieces of each argument, for code that explains or checks a template.
        self.arguments = arguments
        #: True if ``{}`` was added at the end.
        self.appended = appended
        #: Sentences about its doubled braces.
        self.notices: list[str] = []
        #: True if it has tags of another template language, which keep their doubled braces.
        self.keeps_tags = False
        placeholders = [p for pieces in arguments for p in pieces if isinstance(p, Placeholder)]
        #: True if the number of the slot is in it; the executor fills that in.
        self.slotted = any(p.source is ValueSource.SLOT for p in placeholders)
        #: The positions of the columns that it needs, each once.
        self.fields: tuple[int, ...] = tuple(sorted({p.field for p in placeholders if p.source is ValueSource.FIELD}))
        #: True if it is the same for every row.
        self.constant = not placeholders
        self.render: Render = _renderer(arguments, self.slotted)
        self._sizes = [_size(pieces) for pieces in arguments]

    def safe_length(self, argument_limit: int, total_limit: int) -> int:
        """The number of bytes up to which the values of a row can exceed neither limit; negative if any row can."""
        safe = total_limit - sum(fixed for fixed, _ in self._sizes)
        uses = sum(times for _, times in self._sizes)
        bounds = [(argument_limit - fixed) // times for fixed, times in self._sizes if times]
        if any(fixed > argument_limit for fixed, _ in self._sizes) or safe < 0:
            return -1
        return min([safe // uses, *bounds]) if uses else 1 << 62


def _size(pieces: Sequence[Piece]) -> tuple[int, int]:
    """The bytes of an argument without values (with its NUL), and the most that each byte of every value adds."""
    fixed, times = 1, 0
    for piece in pieces:
        if isinstance(piece, str):
            fixed += len(_encoded(piece))
        elif piece.source is ValueSource.FIELD:
            longer, added = GROWTH[piece.quote]
            times += longer
            fixed += longer * _FORM_GROWTH + added
        else:
            fixed += _ITEM_DIGITS
    return fixed, times


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _renderer(arguments: Sequence[Sequence[Piece]], slotted: bool) -> Render:
    if slotted:
        return _by_argument(arguments)
    placeholders = [p for pieces in arguments for p in pieces if isinstance(p, Placeholder)]
    if not placeholders:
        constant = tuple(_encoded("".join(map(str, pieces))) for pieces in arguments)
        return lambda _fields, _item: constant
    return _by_splitting(arguments, placeholders)


def _by_splitting(arguments: Sequence[Sequence[Piece]], placeholders: Sequence[Placeholder]) -> Render:
    # All arguments are filled in by one formatting and cut apart at NULs, which no argument can contain.
    pattern = _SEPARATOR.join(_pattern(pieces) for pieces in arguments)
    if any(p.form or p.quote or p is ITEM for p in placeholders):
        values = [value_of(p) for p in placeholders]
        return lambda fields, item: tuple((pattern % tuple([v(fields, item) for v in values])).split(_SEPARATOR))
    if len(placeholders) == 1:
        only = placeholders[0].field
        return lambda fields, _item: tuple((pattern % (fields[only],)).split(_SEPARATOR))
    pick = itemgetter(*(p.field for p in placeholders))
    return lambda fields, _item: tuple((pattern % pick(fields)).split(_SEPARATOR))


def _pattern(pieces: Sequence[Piece]) -> bytes:
    return b"".join(_encoded(p).replace(b"%", b"%%") if isinstance(p, str) else b"%b" for p in pieces)


def _by_argument(arguments: Sequence[Sequence[Piece]]) -> Render:
    parts = [(_pattern(pieces), [value_of(p) for p in pieces if isinstance(p, Placeholder)]) for pieces in arguments]
    return lambda fields, item: tuple(
        [pattern % tuple([value(fields, item) for value in values]) for pattern, values in parts]
    )


def value_of(placeholder: Placeholder) -> Value:
    """Return a function that takes the value of a placeholder out of a row."""
    if placeholder.source is ValueSource.ITEM:
        return lambda _fields, item: b"%d" % item
    if placeholder.source is ValueSource.SLOT:
        return lambda _fields, _item: SLOT_MARK
    index = placeholder.field
    forms = [PATH_FORMS[placeholder.form]] if placeholder.form else []
    forms += [QUOTES[placeholder.quote]] if placeholder.quote else []
    if not forms:
        return lambda fields, _item: fields[index]
    first, last = forms[0], forms[-1]
    if first is last:
        return lambda fields, _item: first(fields[index])
    return lambda fields, _item: last(first(fields[index]))
