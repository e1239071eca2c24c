"""The documents of jobctl as records: dictionaries whose keys are attributes as well.

``job.status().counts.failed`` and ``job.status()["counts"]["failed"]`` are the same number. A record is a ``dict``, so
``json.dumps``, ``pickle``, ``copy`` and comparisons work as they do with any dictionary. ``jobctl.library.documents``
has a class with types for each kind of document.

Three rules hold at run time and for type checkers:

* A key that is the name of a method of ``dict``, as ``items`` or ``values``, is read with brackets only, and
  ``record.items`` stays the method. Otherwise ``json.dumps`` and ``dict(record)`` would not work.
* The attribute of a key that only some documents have is None where it is missing; brackets raise KeyError.
* The values that users have named stay plain dictionaries: a row, a returned value, the labels of a job. Their keys are
  words of the user.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from jobctl.domain.nearest import did_you_mean

#: The most characters of a value, and of all values, that ``repr`` shows.
_VALUE_CHARACTERS, _SHOWN_CHARACTERS = 40, 160


class Record(dict[str, Any]):
    """A document, or a part of one, whose keys are attributes as well. Attributes cannot be set.

    >>> counts = Record(total=3, failed=1)
    >>> (counts.failed, counts["failed"])
    (1, 1)
    """

    __slots__ = ()

    #: The class of the value of a key, or of the entries of its list; several if that differs between documents.
    _blocks: ClassVar[Blocks] = {}
    #: The keys that only some documents have.
    _optional: ClassVar[frozenset[str]] = frozenset()

    # Type checkers do not see this method: to them, a class has the keys of its document and no others.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            try:
                return self[name]
            except KeyError:
                if name in self._optional:
                    return None
            hint = "" if name.startswith("_") else did_you_mean(name, self)
            raise AttributeError(f"{type(self).__name__} has no key {name}" + (f"; {hint}" if hint else ""))

    def __dir__(self) -> Iterator[str]:
        yield from super().__dir__()
        yield from (key for key in self if key.isidentifier())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(_shown(self))})"


Blocks: TypeAlias = Mapping[str, type[Record] | tuple[type[Record], ...]]
R = TypeVar("R", bound=Record)


def wrap(document: Mapping[str, Any], kind: type[R]) -> R:
    """Return a document as a record of this class, and its parts as records of theirs. The document stays as it is."""
    record = kind(document)
    for key, block in kind._blocks.items():
        value = record.get(key)
        if isinstance(value, list):
            record[key] = [_wrapped(entry, block) for entry in value]
        elif value is not None:
            record[key] = _wrapped(value, block)
    return record


def _wrapped(value: Any, block: type[Record] | tuple[type[Record], ...]) -> Any:
    if not isinstance(value, dict):
        return value
    return wrap(value, _nearest(value, block) if isinstance(block, tuple) else block)


def _nearest(value: Mapping[str, Any], kinds: tuple[type[Record], ...]) -> type[Record]:
    """Return the class that knows most of the keys, and has the fewest others."""
    known = {kind: kind.__annotations__.keys() for kind in kinds}
    return max(kinds, key=lambda kind: (len(known[kind] & value.keys()), -len(known[kind] - value.keys())))


def _shown(record: Record) -> Iterator[str]:
    """Yield the keys with short values, until the text is long enough; ``...`` for the others."""
    left = _SHOWN_CHARACTERS
    for key, value in record.items():
        if key == "schema":
            continue
        text = f"{key}={_value(value)}"
        left -= len(text)
        if left < 0:
            yield "..."
            return
        yield text


def _value(value: object) -> str:
    if isinstance(value, Record):
        return f"{type(value).__name__}(...)"
    if isinstance(value, list | dict):
        brackets = "[]" if isinstance(value, list) else "{}"
        return f"{brackets[0]}{len(value)} entries{brackets[1]}" if value else brackets
    # Only the beginning of a long text is looked at: a value may have megabytes.
    text = repr(value[:_VALUE_CHARACTERS] if isinstance(value, str) else value)
    return text if not isinstance(value, str) or len(value) <= _VALUE_CHARACTERS else f"{text[:-1]}...{text[-1]}"
