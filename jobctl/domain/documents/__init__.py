"""The types of the JSON documents that jobctl prints, writes and sends.

One module for each kind of document. Services build the documents, and ``cli``, ``tui`` and ``render`` read them; mypy
checks every key. The JSON Schemas that ship with jobctl are generated from these types (``python -m jobctl.schemas``).

A type may carry more than mypy reads: ``Annotated[T, Keywords(...), "..."]`` has keywords of JSON Schema and a
description. A ``NotRequired`` key is one that an older document may lack, or that only some documents have.

Commands import these modules for type checking only (``if TYPE_CHECKING:``): a document is a plain dictionary at run
time, and the types would slow down the start of every command.
"""
