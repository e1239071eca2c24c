"""The parts of a supervisor, the change from one engine to the next, and the end of the supervisor."""

from __future__ import annotations

import os
import select
import socket
import time

from jobctl.process import ulimit  # now: a process that has used up its descriptors can import nothing
from jobctl.process.identity import Tagger
from jobctl.process.leaders import Leaders
from jobctl.process.own_log import say
from jobctl.supervisor.attempts import Attempts
from jobctl.supervisor.backlog import Dispatch
from jobctl.supervisor.barred import BarredAttempts
from jobctl.supervisor.calls.kept_calls import holds_any
from jobctl.supervisor.endings import DEFAULT_GRACE_S, Endings
from jobctl.supervisor.engine_process import EngineProcess
from jobctl.supervisor.kept_outcomes import KeptOutcomes
from jobctl.supervisor.kept_starts import KeptStarts
from jobctl.supervisor.options import Options
from jobctl.supervisor.pressure import NEVER
from jobctl.supervisor.protocol import wire
from jobctl.supervisor.protocol.fields import id_of
from jobctl.supervisor.service_manager import ServiceManager

#: The longest time for the end of everything, in addition to the grace of the running items.
_LEAVE_EXTRA_S = 10.0
#: Pause before the next engine when the disk is full or fails. This is never a reason to give up.
_NOT_NOW_PAUSE_S = 2.0
_FAILED_STARTS = 3
#: At most this many engines start after a stop was requested. Where no engine can live, the stop must still end.
_SUCCESSORS_IN_STOP = 2
_WITHOUT_ENGINE = "it stops without an engine, because none can work: running items finish, their outcomes are kept"


class SurvivingRecords:
    """The records that survive a killed supervisor, with what an earlier supervisor left in them."""

    __slots__ = ("barred", "outcomes", "starts", "table")

    def __init__(self, starts: KeptStarts, outcomes: KeptOutcomes, table: Leaders, barred: BarredAttempts) -> None:
        self.starts = starts
        self.outcomes = outcomes
        self.table = table
        self.barred = barred


class SupervisorState:
    """The parts of a supervisor, and its decisions about its engine and its own end."""

    def __init__(self, options: Options, records: SurvivingRecords) -> None:
        self.options = options
        self.manager = ServiceManager(os.environ)  # before anything inherits the environment
        self.poll = select.poll()
        tagger = Tagger(options.store_id)
        self.engine = EngineProcess(options.engine, options.store_id, tagger, self.poll)
        self.attempts = Attempts(options.store_id, tagger, self.engine.tell, self.poll, options.part)
        self.kept_outcomes = records.outcomes
        self.barred = records.barred
        self._continue(records)
        if options.guest_fd >= 0:
            self.engine.attach(socket.socket(fileno=options.guest_fd))
        self.endings = Endings(self.attempts, tagger, self.log)
        self.fresh = True  # no engine has handed over any attempt
        self.stop = 0  # the stop that was requested: 1 = politely, 2 = now
        self.stop_by = NEVER
        self.leave_by = NEVER
        self.exit_code = 0
        self.drains = False  # no engine can work with this supervisor any more
        self.failed_starts = 0
        self.successors = _SUCCESSORS_IN_STOP
        #: This process shall become the supervisor of the jobctl that is installed now.
        self.restarts = False

    def _continue(self, records: SurvivingRecords) -> None:
        """Take over what an earlier supervisor left, and keep the records of this one in the same files."""
        attempts = self.attempts
        attempts.use_table(records.table)
        attempts.backlog.note = records.starts.note
        attempts.outcomes.update({id_of(outcome): outcome for outcome in records.outcomes.load()})
        attempts.save = records.outcomes.put
        if self.options.lock:  # a guest keeps nothing, because no later supervisor would report it
            attempts.calls_path = os.path.join(os.path.dirname(self.options.lock), "calls")
        if holds_any(attempts.calls_path):
            attempts.expect_calls()
        self.barred.watch(self.poll, time.monotonic())
        for sentence in self.barred.sentences():
            self.log(sentence)

    def start_engine(self) -> None:
        """Start the next engine, or plan another try if the machine has no room."""
        try:
            self.engine.start(fresh=self.fresh)
        except OSError as problem:
            self.log(f"cannot start the engine now: {problem.strerror}")
            self._note_failed_start(problem)
            if self.stop and not self.drains:
                self.drain(_WITHOUT_ENGINE)
        self.endings.engine_pid = self.engine.pid

    def _note_failed_start(self, problem: OSError) -> None:
        """Report a first engine that cannot start: the command that waits for it would otherwise wait for ever."""
        self.failed_starts += 1
        if self.engine.has_adopted or self.leave_by != NEVER:
            return
        if ulimit.is_out_of_files(problem) or self.failed_starts >= _FAILED_STARTS:
            self.options.report(f"error {ulimit.in_words(problem)}")
            self.leave(1, DEFAULT_GRACE_S, time.monotonic())

    def engine_ended(self, status: int, now: float) -> None:
        """The engine ended: leave if its work is done, otherwise plan what follows it."""
        if status == 0:
            self.leave(0, DEFAULT_GRACE_S, now)
            return
        code = os.waitstatus_to_exitcode(status)
        self.log(f"the engine ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}")
        if not self.engine.has_adopted:
            self.options.report(f"error the engine ended with {code} before it was ready")
            self.leave(1, DEFAULT_GRACE_S, now)
        elif code == wire.OTHER_JOBCTL:
            self.drain("jobctl was upgraded under this daemon, which starts again when the running items have finished")
            self.restarts = not self.stop
        elif code == wire.REPLACED:
            self.drain("files of the database were removed or replaced: running items finish, their outcomes are kept")
        elif code == wire.STORE_GONE:
            self.leave(1, DEFAULT_GRACE_S, now)
        elif self.stop and (code == wire.NOT_NOW or not self.successors):
            self.drain(_WITHOUT_ENGINE)
        elif code == wire.NOT_NOW:
            self.engine.start_at = now + _NOT_NOW_PAUSE_S
        elif self.engine.replace(now):
            self.successors -= bool(self.stop)
        else:
            self.log("the engine died too often: giving up")
            self.leave(1, DEFAULT_GRACE_S, now)

    def ask_to_stop(self, now: float) -> None:
        """Stop politely at the first request, at once at the second; the engine is asked first."""
        self.manager.tell("STOPPING=1")
        self.stop = min(2, self.stop + 1)
        self.restarts = False
        if not self.engine.pid and self.engine.start_at != NEVER:
            self.engine.start_at = now  # a stop does not wait for the pause between two starts
        self.engine.tell(wire.STOP, self.stop)
        self.engine.flush()
        if self.stop == 2 and self.stop_by == NEVER:
            graces = [line.extra.grace_s for line in self.attempts.backlog.lines.values()]
            grace_s = max(graces, default=0.0)
            self.stop_by = now + grace_s + _LEAVE_EXTRA_S
            if self.drains:
                self.leave(1, grace_s, now)

    def recall(self, job: int | None, now: float) -> None:
        """Give back attempts that have not begun, of one job or of all."""
        self.give_back(self.attempts.backlog.recall(job))
        if self.attempts.calls is not None:
            self.attempts.calls.recall(job, now)

    def give_back(self, dispatches: list[Dispatch]) -> None:
        """Return attempts to the engine: they did not start."""
        for dispatch in dispatches:
            self.engine.tell(wire.RETURNED, id_of(dispatch))

    def drain(self, why: str) -> None:
        """Continue without an engine: start nothing, keep outcomes, and leave when the running items have ended."""
        self.log(why)
        self.drains = True
        self.engine.start_at = NEVER
        self.give_back(self.attempts.backlog.recall(None))

    def leave(self, code: int, grace_s: float, now: float) -> None:
        """End everything that runs, then the loop; ``code`` is the exit code unless an earlier call has set one."""
        if self.leave_by == NEVER:
            self.exit_code = code
        self.leave_by = now + grace_s + _LEAVE_EXTRA_S
        self.engine.start_at = NEVER
        self.recall(None, now)
        self.endings.end_everything(wire.INTERRUPTED, grace_s, now)

    @staticmethod
    def log(text: str) -> None:
        """Write a line to the daemon's log."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        say(f"{stamp} supervisor: {text}")
