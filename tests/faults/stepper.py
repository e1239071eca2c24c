"""Stops a process between two instructions: a few hundred steps after it got a lock of SQLite's.

The WAL-reset bug of SQLite 3.7 to 3.51.2 needs a checkpointer that is interrupted between two reads of memory, after it
got the checkpoint lock. Scheduling hits that gap once in thousands of checkpoints; a debugger hits it at will.
Linux on x86-64 alone: ``works`` tells.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys

_ATTACH, _DETACH, _GET_REGISTERS, _SET_REGISTERS, _STEP, _SYSCALL, _SET_OPTIONS = 16, 17, 12, 13, 9, 24, 0x4200
_TRACE_SYSCALLS = 1
_SYSCALL_STOP = signal.SIGTRAP | 0x80
_FCNTL, _SETLK, _WRITE_LOCK = 72, 6, 1
#: In the file of the WAL index: its locks begin at byte 120, the second one is for checkpoints.
_CHECKPOINT_LOCK_AT = 121
#: Fields of user_regs_struct.
_ORIG_RAX, _RSI, _RDX, _RIP, _FIELDS = 15, 13, 12, 16, 27
_BREAKPOINT, _SYSCALL_CODE = b"\xcc", b"\x0f\x05"

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class GoneError(Exception):
    """The process has ended."""


def works() -> bool:
    """Whether this machine is of the kind that can be stepped."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


class Stepped:
    """A child of this process, held; as a context it is let go at the end."""

    def __init__(self, pid: int) -> None:
        """Raises GoneError."""
        self.pid = pid

    def __enter__(self) -> Stepped:
        self._trace(_ATTACH)
        self._wait()
        self._trace(_SET_OPTIONS, _TRACE_SYSCALLS)
        return self

    def __exit__(self, *_: object) -> None:
        _libc.ptrace(_DETACH, self.pid, None, None)

    def run_to_checkpoint_lock(self, attempts: int = 400) -> bool:
        """Continue until it has asked for the lock that only one checkpointer has at a time; False if it did not."""
        for _ in range(attempts):
            self._until_syscall()
            if self._asks_for_lock():
                self._until_syscall()  # its end
                return True
            self._until_syscall()
        return False

    def path(self, longest: int = 2_000) -> list[int]:
        """Addresses of all instructions up to its next system call, which it does one by one."""
        addresses: list[int] = []
        while len(addresses) < longest:
            addresses.append(self._registers()[_RIP])
            if self._read(addresses[-1], 2) == _SYSCALL_CODE:
                break
            self._trace(_STEP)
            self._wait()
        return addresses

    def run_to(self, address: int) -> bool:
        """Continue until it is about to run this instruction; False if a system call came first."""
        code = self._read(address, 1)
        self._write(address, _BREAKPOINT)
        try:
            self._trace(_SYSCALL)
            found = self._wait() == signal.SIGTRAP
        finally:
            self._write(address, code)
        if found:
            registers = list(self._registers())
            registers[_RIP] = address
            data = struct.pack(f"<{_FIELDS}Q", *registers)
            self._trace(_SET_REGISTERS, ctypes.cast(data, ctypes.c_void_p).value)
        return found

    def _until_syscall(self) -> None:
        status = None
        while status != _SYSCALL_STOP:
            self._trace(_SYSCALL)
            status = self._wait()

    def _asks_for_lock(self) -> bool:
        registers = self._registers()
        if registers[_ORIG_RAX] != _FCNTL or registers[_RSI] != _SETLK:
            return False
        kind, _, start, _ = struct.unpack("<hhxxxxqq", self._read(registers[_RDX], 24))
        return bool(kind == _WRITE_LOCK and start == _CHECKPOINT_LOCK_AT)

    def _registers(self) -> tuple[int, ...]:
        data = ctypes.create_string_buffer(8 * _FIELDS)
        self._trace(_GET_REGISTERS, ctypes.addressof(data))
        return struct.unpack(f"<{_FIELDS}Q", data.raw)

    def _read(self, address: int, length: int) -> bytes:
        with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
            memory.seek(address)
            return memory.read(length)

    def _write(self, address: int, data: bytes) -> None:
        with open(f"/proc/{self.pid}/mem", "wb", buffering=0) as memory:
            memory.seek(address)
            memory.write(data)

    def _trace(self, request: int, data: int | None = None) -> None:
        if _libc.ptrace(request, self.pid, None, data) < 0:
            raise GoneError(os.strerror(ctypes.get_errno()))

    def _wait(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        if not os.WIFSTOPPED(status):
            raise GoneError("it has ended")
        return os.WSTOPSIG(status)
