"""The worker process: it calls one function, in groups, one call after the other.

The interpreter of the job loads this module as a file. jobctl need not be installed there, so this module uses only the
standard library of any Python from 3.7 on. Groups arrive on a descriptor that code of the user does not reach by
accident. The outcome of each call is written to memory shared with the supervisor before the next call begins, so the
death of this process loses no outcome of a call that had ended.
"""

from __future__ import annotations

import importlib.util
import marshal
import mmap
import os
import resource
import struct
import sys
import time

TYPE_CHECKING = False  # like typing's own, which costs more to import than all the rest
if TYPE_CHECKING:
    from typing import Any

    from jobctl.worker import call_context, outcomes
    from jobctl.worker import load as loading
    from jobctl.worker.load import Call
else:

    def _from_this_folder(name):
        """The module in this file's folder: another version of jobctl may be installed, or none."""
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
        spec = importlib.util.spec_from_file_location("_jobctl_" + name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    call_context = _from_this_folder("call_context")
    loading = _from_this_folder("load")
    outcomes = _from_this_folder("outcomes")

# The words and the layout of the page are those of jobctl.supervisor.protocol.page; a test compares them.
_CHANNEL_FD = 3  # both move to other numbers at the start
_PAGE_FD = 4
_LOAD = 0
_NOW = struct.Struct("<qqqq")  # index of the running call (-1: none), its start, bytes in stdout and in stderr then
_DONE = struct.Struct("<qqq")  # calls that ended, bytes of their records, how many of them failed
_DONE_AT = 32
_WORD = struct.Struct("<q")
_LIMIT_AT = 56  # written by the supervisor: the first index of a call that must not begin
_FAULT_AT = 64  # one of the three below; of the first two, the record says why
_NOT_LOADED = 1
_SETUP_RAISED = 2
_OUTPUT_SPOILT = 3
_RSS_AT = 72
_TOOK_AT = 80  # nanoseconds from the first call to the end of the last
_RECORDS_AT = 128

#: Bytes at the beginning of a group's output that are compared at its end.
_HEAD = 64

#: A group ends early after more bytes than this: output to the log, records to the page.
_MUCH_OUTPUT = 64 << 10
_MUCH_RECORDED = 128 << 10
#: The duration of a shorter call counts as its processor time: asking for that time would take as long as the call.
_WORTH_ASKING_NS = 100_000
_MARSHAL_VERSION = 2

_json_of = outcomes.json_of  # names of this module, because each call looks them up
_failure = outcomes.failure


def main() -> None:
    """Serve the supervisor until it hangs up."""
    channel, page_fd = call_context.out_of_reach(_CHANNEL_FD, _PAGE_FD)
    os.close(_CHANNEL_FD)
    os.close(_PAGE_FD)
    loading.prepare()
    page, context = _PageWriter(page_fd), call_context.CallContext()
    messages = _messages(channel)
    kind, load = next(messages)
    assert kind == _LOAD
    try:
        call = loading.load(*load[0])
    except BaseException as error:
        context.restore()
        page.refuse(error)
        context.restore()
        _refuse_calls(channel, messages)
        return
    context.remember()
    os.write(channel, b"r")
    runner = _CallRunner(page, context, call)
    runner.job, runner.token_of, runner.named = load[1]
    sys.modules["_jobctl_worker"] = runner  # type: ignore[assignment]  # where jobctl.current() finds it
    try:
        for _, calls in messages:
            runner.run_group(calls)
            os.write(channel, b"d")
    except OSError as problem:  # the worker uses only files, socket and page, which were all open
        _give_up(f"the call closed a descriptor that its worker needs: {problem.strerror}")


def _give_up(reason: str) -> None:
    """End this process and leave the reason as the last line of its stderr."""
    try:
        os.write(2, f"\n{reason}\n".encode())
    finally:
        os._exit(1)


def _refuse_calls(channel: int, messages: Any) -> None:
    """Answer each message with the news that this worker cannot make calls; the page says why."""
    os.write(channel, b"x")
    for _ in messages:
        os.write(channel, b"x")


def _messages(channel: int) -> Any:
    """The messages of the supervisor, until it hangs up."""
    while True:
        header = _read(channel, 4)
        if header is None:
            return
        frame = _read(channel, int.from_bytes(header, "little"))
        if frame is None:
            return
        yield from marshal.loads(frame)  # noqa: S302 - from the supervisor


def _read(channel: int, count: int) -> bytes | None:
    """``count`` bytes; None at the end of the channel."""
    parts = []
    while count:
        try:
            part = os.read(channel, min(count, 1 << 20))
        except OSError:
            return None
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class _PageWriter:
    """The memory that the supervisor reads, even after the death of this process."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.size = os.fstat(fd).st_size
        self.memory = call_context.mapped(fd, self.size)

    def grow(self, size: int) -> None:
        """Enlarge the page for a large record."""
        self.size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        os.ftruncate(self._fd, self.size)
        self.memory = call_context.mapped(self._fd, self.size)

    def refuse(self, error: BaseException) -> None:
        """Write why the worker cannot make calls."""
        in_setup = isinstance(error, loading.SetupError)
        if in_setup and error.__cause__ is not None:
            error = error.__cause__
        if isinstance(error, loading.NotLoadedError):
            print(error, file=sys.stderr)  # noqa: T201
        else:
            outcomes.print_traceback(error)
        cause = outcomes.cause_of(error)
        if not in_setup:
            cause = ("", outcomes.bounded(loading.reason(error)), *cause[2:])
        record = marshal.dumps(cause, _MARSHAL_VERSION)
        end = _RECORDS_AT + len(record)
        if end > self.size:
            self.grow(end)
        self.memory[_RECORDS_AT:end] = record
        _DONE.pack_into(self.memory, _DONE_AT, 0, len(record), 0)
        _WORD.pack_into(self.memory, _FAULT_AT, _SETUP_RAISED if in_setup else _NOT_LOADED)


# ---- calls ----


def _content(payload: bytes, counted: bool | tuple[str | int, ...]) -> bytes:
    """The part of a row that counts, like domain.content: the tokens of a command and of a call must be equal."""
    if isinstance(counted, bool):
        return payload
    if isinstance(counted[0], str):
        import json  # few functions ask

        row = json.loads(payload, parse_int=_spelled, parse_float=_spelled)
        return json.dumps([row.get(name) for name in counted], sort_keys=True).encode()
    fields = payload.split(b"\0")
    return b"\0".join([fields[place] for place in counted])  # type: ignore[index]


def _spelled(number: str) -> dict[str, str]:
    return {"\0": number}


class _CallRunner:
    """Makes the calls of each group and writes their outcomes to the page.

    ``jobctl.current()`` asks it which call runs.
    """

    def __init__(self, page: _PageWriter, context: call_context.CallContext, call: Call) -> None:
        self._page = page
        self._call = call
        self._context = context
        self._is_child = False
        self._heads: dict[int, bytes] = {}  # first bytes of a group's output, by descriptor
        self.job, self.token_of = 0, ""
        self.named: bool | tuple[str | int, ...] = False  # rows are identified by their content, or by these columns
        self.now: tuple[int, int, bytes] | None = None  # the running call
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self._is_child = True

    def identity(self) -> tuple[int, int, int, str]:
        """Job, item, attempt and token of the running call."""
        import hashlib  # few functions ask

        assert self.now is not None
        item, attempt, payload = self.now
        token = hashlib.blake2b(self.token_of.encode() + b"\0", digest_size=16)  # equal to handlers.attempt.Tokens
        token.update(b"\0%b" % _content(payload, self.named) if self.named else b"%d\0%b" % (item, payload))
        return self.job, item, attempt, token.hexdigest()

    def run_group(self, calls: list[tuple[int, int, bytes]]) -> None:
        """Make the calls until the group ends or the supervisor wants the rest back."""
        page, call, restore = self._page, self._call, self._context.restore
        stdout, stderr = self._context.out, self._context.err
        memory = page.memory
        monotonic, lseek = time.monotonic_ns, os.lseek
        now_into, done_into, limit_from = _NOW.pack_into, _DONE.pack_into, _WORD.unpack_from
        wall_us = (time.time_ns() - monotonic()) // 1000
        pos = failed = count = 0
        out_end, err_end = lseek(stdout, 0, 2), lseek(stderr, 0, 2)
        cpu_ns = time.process_time_ns()
        group_began = monotonic()
        for index, self.now in enumerate(calls):
            item, attempt, payload = self.now
            began = monotonic()
            now_into(memory, 0, index, began, out_end, err_end)
            # Read the limit only after the call is announced. Otherwise both sides could miss the other's news.
            if index >= limit_from(memory, _LIMIT_AT)[0]:
                break
            result: Any
            try:
                value = call(payload)
                result = None if value is None else _json_of(value)
            except BaseException as error:
                restore()
                result = _failure(error)
                failed += 1
            if self._is_child:  # the function forked, and the child returns here as well
                os._exit(0)
            used_us = (monotonic() - began) // 1000
            cpu_us = used_us
            if used_us * 1000 > _WORTH_ASKING_NS:
                cpu_us = (time.process_time_ns() - cpu_ns) // 1000
                cpu_ns = time.process_time_ns()
            restore()
            out, err = lseek(stdout, 0, 2), lseek(stderr, 0, 2)
            if out == out_end and err == err_end:
                span = (out_end, 0, err_end, 0)
            else:
                span = (out_end, max(0, out - out_end), err_end, max(0, err - err_end))
                self._check_output((stdout, out_end, out), (stderr, err_end, err))
            record = marshal.dumps(
                (item, attempt, wall_us + began // 1000, used_us, cpu_us, *span, result), _MARSHAL_VERSION
            )
            out_end, err_end = out, err
            end = pos + len(record)
            if _RECORDS_AT + end > page.size:
                page.grow(_RECORDS_AT + end)
                memory = page.memory
            memory[_RECORDS_AT + pos : _RECORDS_AT + end] = record
            pos = end
            count = index + 1
            done_into(memory, _DONE_AT, count, pos, failed)
            if pos > _MUCH_RECORDED or out_end > _MUCH_OUTPUT or err_end > _MUCH_OUTPUT:
                break
        self._end_group(group_began, out_end, err_end)

    def _end_group(self, began: int, out_end: int, err_end: int) -> None:
        """Write to the page that no call runs, how long the group took and how much memory this process has used."""
        self.now = None
        if self._heads:
            self._check_heads()
        memory = self._page.memory
        _WORD.pack_into(memory, _TOOK_AT, time.monotonic_ns() - began)
        _NOW.pack_into(memory, 0, -1, 0, out_end, err_end)
        _WORD.pack_into(memory, _RSS_AT, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    def _check_output(self, *streams: tuple[int, int, int]) -> None:
        """Check the output of a call: ``open("/dev/stdout", "w")`` truncates the output of earlier calls."""
        for fd, before, after in streams:
            if after < before:
                _WORD.pack_into(self._page.memory, _FAULT_AT, _OUTPUT_SPOILT)
            elif after and fd not in self._heads:
                self._heads[fd] = os.pread(fd, _HEAD, 0)

    def _check_heads(self) -> None:
        """After a group: if its output begins with other bytes than before, a call has overwritten it."""
        for fd, head in self._heads.items():
            if os.pread(fd, len(head), 0) != head:
                _WORD.pack_into(self._page.memory, _FAULT_AT, _OUTPUT_SPOILT)
        self._heads.clear()
