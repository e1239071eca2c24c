"""Reads a multipart form while it arrives: one part with the file, and fields with options."""

from __future__ import annotations

from typing import NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from jobctl.http.problems import Refused

#: The most bytes of all fields that are not files, and the most fields.
_FIELDS_LIMIT = 64 << 10
_MOST_FIELDS = 100


class PartHead(NamedTuple):
    """The head of the part that has the file."""

    name: str  # of the file
    content_type: str


class FormReader:
    """Reads the form piece by piece. ``file`` is known when the first bytes of the file are returned."""

    def __init__(self, content_type: str) -> None:
        """Raises Refused for a content type without a usable boundary."""
        _, parameters = parse_options_header(content_type)
        self.fields: list[tuple[str, str]] = []
        self.file: PartHead | None = None
        self._headers: dict[bytes, bytes] = {}
        self._header = [b"", b""]
        self._field: bytearray | None = None
        self._field_name = ""
        self._fields_size = self._fields_begun = 0
        self._content: list[bytes] = []
        self._is_complete = False
        boundary = parameters.get(b"boundary")
        if not boundary:
            raise _broken("its Content-Type has no boundary")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._add_to_name,
                    "on_header_value": self._add_to_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_head,
                    "on_part_data": self._add,
                    "on_part_end": self._end,
                    "on_end": self._complete,
                },
            )
        except FormParserError as error:
            raise _broken(str(error)) from None

    def feed(self, data: bytes) -> bytes:
        """Return the next bytes of the file. Raises Refused for a form that is broken, or has two files."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _broken(str(error)) from None
        content, self._content = self._content, []
        return b"".join(content)

    def finish(self) -> None:
        """Raises Refused for a form that ends too early, or has no file."""
        if not self._is_complete:
            raise _broken("it ends too early")
        if self.file is None:
            raise Refused(
                422, "the form has no file", code="usage", hint="name the file in its part: curl -F file=@orders.csv"
            )

    def _begin(self) -> None:
        self._headers = {}

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = [b"", b""]

    def _end_head(self) -> None:
        _, found = parse_options_header(self._headers.get(b"content-disposition"))
        if b"name" not in found:
            raise _broken("a part has no name")
        name = found[b"name"].decode("utf-8", "replace")
        if b"filename" not in found:
            self._begin_field(name)
            return
        if self.file is not None:
            raise Refused(422, "the form has two files", code="usage", hint="one job has one file: send two requests")
        content_type = self._headers.get(b"content-type", b"").decode("latin-1")
        self.file = PartHead(found[b"filename"].decode("utf-8", "replace"), content_type)
        self._field = None

    def _begin_field(self, name: str) -> None:
        self._fields_begun += 1
        if self._fields_begun > _MOST_FIELDS:
            raise Refused(413, f"the form has more than {_MOST_FIELDS} fields", hint="leave some out")
        self._field, self._field_name = bytearray(), name

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._content.append(data[start:end])
            return
        self._fields_size += end - start
        if self._fields_size > _FIELDS_LIMIT:
            raise Refused(
                413,
                f"the fields of the form have more than {_FIELDS_LIMIT >> 10} KiB",
                hint="send the rows as a file: curl -F file=@orders.csv",
            )
        self._field += data[start:end]

    def _end(self) -> None:
        if self._field:  # a browser sends the fields that are left empty as well
            self.fields.append((self._field_name, self._field.decode("utf-8", "replace")))
        self._field = None

    def _complete(self) -> None:
        self._is_complete = True


def _broken(problem: str) -> Refused:
    return Refused(400, f"the multipart form is broken: {problem}", code="invalid_form", hint="curl -F makes good ones")
