"""The output of the calls of one worker, which write to the same pair of files one after the other.

A call can overwrite what earlier calls wrote. The supervisor notices that, and each output that may be damaged says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from jobctl.supervisor import streams
from jobctl.supervisor.calls.records import OutputSpan
from jobctl.supervisor.output import empty, is_untouched
from jobctl.supervisor.protocol.page import OUTPUT_SPOILT, SharedPage
from jobctl.supervisor.running import Running

_SPOILT = b"\n[jobctl: a call in the same worker wrote over this file; output of this call may be missing or changed]\n"

#: (log, the numbers to add to offsets in stdout and in stderr, the spans if they have changed)
GroupOutputPlace = tuple[int, int, int, list[OutputSpan] | None]
NOWHERE_AT_ALL: GroupOutputPlace = (0, 0, 0, None)


class GroupOutput:
    """The pair of files that a worker was lent, and the way of its contents into the log of the job."""

    __slots__ = ("_page", "_worker", "is_log", "is_spoilt")

    def __init__(self, worker: Running, page: SharedPage) -> None:
        self._worker = worker
        self._page = page
        self.is_log = False  # the pair itself became a log, because the disk had no room for a copy
        self.is_spoilt = False  # a call changed the files that it shares with other calls

    def keep(
        self, begin: tuple[int, int], until: tuple[int, int] | None, spans: Callable[[], list[OutputSpan]]
    ) -> GroupOutputPlace:
        """Keep what several calls wrote, one after the other, from ``begin`` on (stdout, stderr).

        Without ``until``, no process may write to the pair, and it is empty afterwards. ``spans`` is called only if an
        output may be over the cap, or if a call spoilt the pair; then every output of the group gets a note.
        """
        scratch = self._worker.scratch
        if self.is_log:
            return scratch.number, 0, 0, None
        if self._page.fault() == OUTPUT_SPOILT or not is_untouched(scratch):
            self.is_spoilt = True
        ends = until or (os.lseek(scratch.out, 0, os.SEEK_END), os.lseek(scratch.err, 0, os.SEEK_END))
        lengths = (max(0, ends[0] - begin[0]), max(0, ends[1] - begin[1]))
        place = NOWHERE_AT_ALL
        if any(lengths):
            try:
                place = self._append(begin, lengths, spans)
            except OSError:  # no room for a second copy: the pair itself becomes the log, and the worker must stop
                self.is_log = True
                return scratch.number, 0, 0, None
        if until is None and any(ends):
            empty(scratch)
        return place

    def _append(
        self, begin: tuple[int, int], lengths: tuple[int, int], spans: Callable[[], list[OutputSpan]]
    ) -> GroupOutputPlace:
        output, scratch = self._worker.plan.output, self._worker.scratch
        number, out_size, err_size = output.open_log(bool(lengths[0]), bool(lengths[1]))
        offsets = out_off, err_off = out_size - begin[0], err_size - begin[1]
        if self.is_spoilt or any(map(output.is_over, lengths)):
            return number, out_off, err_off, [self._append_span(span, offsets) for span in spans()]
        output.append(output.out_log, scratch.out, lengths[0], begin[0])
        output.append(output.err_log, scratch.err, lengths[1], begin[1])
        return number, out_off, err_off, None

    def _append_span(self, span: OutputSpan, offsets: tuple[int, int]) -> OutputSpan:
        output, scratch = self._worker.plan.output, self._worker.scratch
        note = _SPOILT if self.is_spoilt else b""
        out, out_len, err, err_len = span
        return (
            output.out_log.size - offsets[0],
            output.append(output.out_log, scratch.out, out_len, out, note),
            output.err_log.size - offsets[1],
            output.append(output.err_log, scratch.err, err_len, err, note),
        )

    def span_after(self, starts: tuple[int, int]) -> OutputSpan:
        """The place of the output from these offsets in stdout and stderr to the end."""
        scratch = self._worker.scratch
        out_end = os.lseek(scratch.out, 0, os.SEEK_END)
        err_end = os.lseek(scratch.err, 0, os.SEEK_END)
        out, err = min(starts[0], out_end), min(starts[1], err_end)
        return out, out_end - out, err, err_end - err

    def tails(self, span: OutputSpan | None) -> tuple[bytes, bytes]:
        """The last bytes of one output in stdout and in stderr; empty without it."""
        if span is None:
            return b"", b""
        scratch = self._worker.scratch
        out, out_len, err, err_len = span
        out_tail, err_tail = streams.tail(scratch.out, out + out_len), streams.tail(scratch.err, err + err_len)
        return out_tail[-out_len:] if out_len else b"", err_tail[-err_len:] if err_len else b""
