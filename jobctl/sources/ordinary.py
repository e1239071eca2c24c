"""Reads elements with the usual spelling as text, because an XML parser takes long.

A sheet has millions of cells, and almost all have the same form. Regular expressions read those. Everything else goes
to the parser, in order, so that both ways give the same result.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

#: The most bytes that are kept until an element is complete.
_LONGEST = 1 << 20
_DECLARATION = re.compile(rb'(?:\xef\xbb\xbf)?<\?xml version="1\.0"(?: encoding="(?i:utf-8|us-ascii)")?[^?<>]*\?>')
_CHARACTER = r"[^<>&\x00-\x08\x0b-\x1f\ufffe\uffff]"
#: Text between tags without special characters, except for the entities, which ``read_entities`` replaces.
TEXT = rf"{_CHARACTER}*(?:&(?:amp|lt|gt|quot|apos);{_CHARACTER}*)*"
_ATTRIBUTE = re.compile(r' ([A-Za-z][A-Za-z0-9:]*)="([^"<>&\x00-\x1f\ufffe\uffff]*)"')
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


class OrdinaryReader(Protocol):
    """Reads ordinary elements."""

    #: The end of such an element: ``</row>``.
    ending: bytes

    def read_ordinary(self, text: str) -> bool:
        """Read an element, given without its ending; False leaves it to the parser."""


class Feeder:
    """Feeds a part to a reader of ordinary elements and, where that fails, to the parser."""

    def __init__(self, reader: OrdinaryReader, parse: Callable[[bytes], None]) -> None:
        self._reader = reader
        self._parse = parse
        self._rest = b""
        self._is_first = self._is_ordinary = True

    def feed(self, piece: bytes) -> None:
        """Feed a piece of the part. Raises the errors of the reader and the parser."""
        piece = self._rest + piece
        self._rest = b""
        if self._is_first:
            self._is_first = False
            if (declaration := _DECLARATION.match(piece)) is not None:
                self._parse(declaration[0])
                piece = piece[declaration.end() :]
        # A comment, CDATA or an instruction may contain text that looks like an element.
        self._is_ordinary = self._is_ordinary and b"<!" not in piece and b"<?" not in piece
        if self._is_ordinary:
            piece = self._read_ordinary(piece)
        if piece:
            self._parse(piece)

    def close(self) -> None:
        """Parse the rest. Raises the errors of the parser."""
        self._parse(self._rest)

    def _read_ordinary(self, piece: bytes) -> bytes:
        """Read complete elements and keep the rest; returns what the parser must read instead."""
        ending = self._reader.ending
        complete, found, self._rest = piece.rpartition(ending)
        if len(self._rest) > _LONGEST:  # it ends within a tag, so from now on only the parser knows the place
            self._is_ordinary, self._rest = False, b""
            return piece
        try:
            elements = complete.decode().split(ending.decode()) if found else []
        except UnicodeDecodeError:
            return complete + ending
        for element in elements:
            if not self._reader.read_ordinary(element):
                self._parse(element.encode() + ending)
        return b""


def attributes_of(text: str, name: str) -> dict[str, str] | None:
    """The attributes of an ordinary start tag with this name, None for other text."""
    text = text.lstrip(" \n\t")
    if not (text.startswith(f"<{name}") and text.endswith(">")):
        return None
    *found, rest = _ATTRIBUTE.split(text[len(name) + 1 : -1])
    attributes = dict(zip(found[1::3], found[2::3], strict=True))
    is_ordinary = not rest and not any(found[::3]) and len(attributes) * 3 == len(found)
    return attributes if is_ordinary else None


def read_entities(text: str) -> str:
    """A text with its entities replaced."""
    if "&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
    return text
