"""The mark that gives a type its keywords of JSON Schema."""

from __future__ import annotations


class Keywords:
    """Keywords of JSON Schema for ``Annotated``: ``Annotated[int, Keywords(minimum=0)]``.

    A class and not a dictionary, because a union of types must be able to hash what is in it.
    """

    def __init__(self, **keywords: object) -> None:
        self.keywords = keywords
