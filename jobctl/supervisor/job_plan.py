"""The plan for starting the attempts of one job: environment, directory, umask, program, output files."""

from __future__ import annotations

import errno
import os
import stat

from jobctl.supervisor import spawn
from jobctl.supervisor.backlog import Dispatch
from jobctl.supervisor.devices import VARIABLE
from jobctl.supervisor.output import JobOutput, Scratch
from jobctl.supervisor.protocol import fields

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

#: Runs the file named by the first argument. Other modules in its folder cannot be imported by accident.
LOAD_FILE = (
    b"import importlib.util as u, sys\n"
    b"s = u.spec_from_file_location('_jobctl_file', sys.argv[1])\n"
    b"m = u.module_from_spec(s)\n"
    b"s.loader.exec_module(m)\n"
    b"m.main()\n"
)
_WORKER_FILE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "worker", "main.py")
_SLOT_MARK = b"\0slot\0"  # equals domain.ports.SLOT_MARK; a test compares them


class NoOutputError(Exception):
    """The output files cannot be opened now. The attempt has not failed."""


class PressureError(Exception):
    """The machine has no room for another process now. The attempt has not failed."""


class JobPlan:
    """The part that all attempts of a job share, from the fields of a domain.ports.JobSpec."""

    def __init__(self, spec: tuple[Any, ...], part: tuple[int, int]) -> None:
        self.job: int = spec[fields.SPEC_JOB]
        self.output = JobOutput(spec[fields.SPEC_LOG_DIR], spec[fields.SPEC_OUTPUT_CAP], part)
        self.workers: dict[int, Any] = {}  # workers that take calls, by slot
        self.call_s: float | None = None  # mean seconds of a call, with everything around it
        self.devices: tuple[bytes, ...] = ()  # devices of the process that starts next
        self._launchers: tuple[Sequence[bytes], ...] = spec[fields.SPEC_LAUNCHERS]
        self.update(spec)

    def update(self, spec: tuple[Any, ...]) -> None:
        """Adopt changed fields; the folder of the output stays."""
        self.timeout_s: float | None = spec[fields.SPEC_TIMEOUT_S]
        self._timeouts_s: tuple[float, ...] = spec[fields.SPEC_TIMEOUTS_S]
        self.grace_s: float = spec[fields.SPEC_GRACE_S]
        self.output.cap = spec[fields.SPEC_OUTPUT_CAP]
        self._slotted: bool = spec[fields.SPEC_SLOTTED]
        self.call: tuple[Any, ...] | None = spec[fields.SPEC_CALL]  # fields of a CallSpec
        self.gpus: int = spec[fields.SPEC_GPUS]
        #: A worker gets one call at a time, so that it is known whether the call started.
        self.alone: bool = spec[fields.SPEC_ALONE]
        self.leftovers: str = spec[fields.SPEC_LEFTOVERS]
        if self._launchers != spec[fields.SPEC_LAUNCHERS]:
            self._launchers = spec[fields.SPEC_LAUNCHERS]
            for worker in list(self.workers.values()):
                worker.replace()
        self._place: tuple[bytes, int] = (spec[fields.SPEC_CWD], spec[fields.SPEC_UMASK])
        self._env = dict(spawn.split(pair) for pair in spec[fields.SPEC_ENV])
        self._shared: list[bytes] | None = None  # the variables that all attempts have in common
        self._path = self._env.get(b"PATH")
        self._programs: dict[bytes, bytes] = {}

    def limit_s(self, dispatch: Dispatch) -> float | None:
        """The time limit of an attempt in seconds; None = it has none."""
        if not self._timeouts_s:
            return self.timeout_s
        *_, limit = dispatch
        return self._timeouts_s[min(limit, len(self._timeouts_s) - 1)]

    def start(self, dispatch: Dispatch, slot: int, cookie: bytes) -> tuple[int, Scratch]:
        """Start an attempt; returns its pid and its output files.

        Raises CannotStartError if the command is at fault, PressureError or NoOutputError if the machine is.
        """
        _, _, _, argv, env, _ = dispatch
        argv = self._argv(argv, slot)
        try:
            scratch = self.output.scratch(slot)
        except OSError as problem:
            raise NoOutputError(f"output files of job {self.job}: {problem.strerror}") from problem
        return self._spawn(argv, self._environment(slot, cookie, env), (scratch.out, scratch.err)), scratch

    def start_worker(self, slot: int, cookie: bytes, more: tuple[int, ...]) -> tuple[int, Scratch]:
        """Like ``start``, for a worker that makes calls; ``more`` become its descriptors from 3 on."""
        assert self.call is not None
        python: bytes = self.call[fields.CALL_PYTHON]
        try:
            scratch = self.output.lend()
        except OSError as problem:
            raise NoOutputError(f"output files of job {self.job}: {problem.strerror}") from problem
        try:
            argv = (python, b"-c", LOAD_FILE, os.fsencode(_WORKER_FILE))
            files = (scratch.out, scratch.err, *more)
            return self._spawn(argv, self._environment(slot, cookie, ()), files), scratch
        except (PressureError, spawn.CannotStartError):
            self.output.take_back(scratch)
            raise

    def _environment(self, slot: int, cookie: bytes, own: tuple[bytes, ...]) -> list[bytes]:
        """NAME=VALUE for one attempt. ``own`` variables have the same names in all attempts of a job."""
        if self._shared is None:
            names = {
                b"JOBCTL_SLOT",
                b"JOBCTL_COOKIE",
                *([VARIABLE] if self.gpus else ()),
                *(spawn.split(pair)[0] for pair in own),
            }
            self._shared = [b"%b=%b" % pair for pair in self._env.items() if pair[0] not in names]
        shared = self._shared
        if self.gpus:
            shared = [*shared, b"%b=%b" % (VARIABLE, b",".join(self.devices))]
        if own and own[-1].startswith(b"JOBCTL_SLOT="):  # a cluster counts slots over all workers
            return [*shared, b"JOBCTL_COOKIE=%b" % cookie, *own]
        return [*shared, b"JOBCTL_SLOT=%d" % slot, b"JOBCTL_COOKIE=%b" % cookie, *own]

    def _argv(self, argv: tuple[bytes, ...], slot: int) -> tuple[bytes, ...]:
        if not self._slotted:
            return argv
        number = b"%d" % slot
        return tuple(argument.replace(_SLOT_MARK, number) for argument in argv)

    def _spawn(self, argv: tuple[bytes, ...], env: list[bytes], files: tuple[int, ...]) -> int:
        name = argv[0]
        cached = self._programs.get(name)
        program = name
        try:
            program = cached or self._find(name)
            if self._launchers:
                argv = self._launched(program, argv)
                program = argv[0]
            return spawn.spawn(argv, program, env, self._place, files)
        except spawn.DirectoryError as problem:
            if problem.errno in spawn.PRESSURE_ERRNOS:
                raise PressureError(f"working directory: {problem.strerror}") from problem
            text = f"working directory {spawn.show(self._place[0])}: {problem.strerror}"
            raise spawn.CannotStartError(problem.errno or 0, text) from problem
        except OSError as problem:
            self._programs.pop(name, None)
            if cached and problem.errno == errno.ENOENT:  # the program has moved since it was found
                return self._spawn(argv, env, files)
            if problem.errno in spawn.PRESSURE_ERRNOS:
                raise PressureError(f"starting a process: {problem.strerror}") from problem
            raise spawn.CannotStartError(problem.errno or 0, self._explain(problem, program, argv)) from problem
        except ValueError as problem:  # NUL in an argument or in the environment
            raise spawn.CannotStartError(errno.EINVAL, f"{spawn.show(name)}: {problem}") from problem

    def _explain(self, problem: OSError, program: bytes, argv: tuple[bytes, ...]) -> str:
        try:
            with spawn.entered(self._place[0]):
                return spawn.explain(problem, program, argv)
        except spawn.DirectoryError:  # the directory was removed meanwhile
            return spawn.explain(problem, program, argv)

    def _launched(self, program: bytes, argv: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """The arguments of a program that launchers start. Raises OSError, CannotStartError.

        This function examines the program itself: a launcher that cannot start it would only exit with 126 or 127, as
        any command can, and its message would be output of the item.
        """
        with spawn.entered(self._place[0]):
            if not stat.S_ISREG(os.stat(program).st_mode) or not os.access(program, os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        words = [word for name, *rest in self._launchers for word in (spawn.find_tool(name), *rest)]
        return (*words, program, *argv[1:])

    def _find(self, name: bytes) -> bytes:
        with spawn.entered(self._place[0]):
            program = self._programs[name] = spawn.find_program(name, self._path)
        return program
