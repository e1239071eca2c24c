"""The entry point of the engine process. The supervisor starts it and hands over one end of a socket pair."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import sys
from typing import NoReturn

from jobctl.domain.ports import Executor
from jobctl.engine.attempts import recovery
from jobctl.engine.errors import Fenced, Limited, Replaced, StoreGone, Unwritten
from jobctl.engine.loop import Engine
from jobctl.engine.options import EngineOptions
from jobctl.errors import Busy, JobctlError, OlderDaemon
from jobctl.executors.local import LocalExecutor
from jobctl.process import moment
from jobctl.process.evidence import guests_of
from jobctl.process.own_log import say, say_traceback
from jobctl.process.start_options import StartOptions
from jobctl.process.sweep import sweep
from jobctl.process.wakeup import WakeUp
from jobctl.store import daemon, elsewhere, sqlite
from jobctl.store.database import Database
from jobctl.store.opening import integrity, removed, trouble
from jobctl.store.opening.open import open_database
from jobctl.supervisor.devices import FreeDevices
from jobctl.supervisor.protocol import wire

#: The threshold of the garbage collector. Thousands of attempts come and go and make no cycles, and at the default
#: threshold the collector takes a sixth of an engine's time.
_COLLECT_AFTER = 50_000
_OLDER_AFTER = 50


def main() -> None:
    """Run until the work is done or a stop is requested; the exit code says whether another engine must follow."""
    os.umask(0o077)
    gc.set_threshold(_COLLECT_AFTER, _OLDER_AFTER, _OLDER_AFTER)
    options = StartOptions.from_argv(sys.argv[1:])
    if os.environ.get("JOBCTL_WIRE") != str(wire.VERSION):
        _leave_to_older(options)
    executor = LocalExecutor.from_fd()
    try:
        code = _work(options, executor)
    except EOFError:
        # The supervisor is dead and no longer holds the lock. Processes that it left behind must not outlive it.
        sweep(options.store_id, folder=str(options.home.root))
        code = 1
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)  # a thread may still write result files; the next engine writes them again


def _executor(options: StartOptions, local: LocalExecutor, database: Database) -> Executor:
    """The executor that the options name. Raises Elsewhere if items may still run on another cluster."""
    must_check = local.fresh and not options.forget_cluster  # now, while the starting command waits for an answer
    if must_check and not options.cluster:
        elsewhere.check(database)
    if options.spawners > 1 and not options.cluster:
        from jobctl.executors.split import split

        return split(local, options.spawners, guests_of(options.store_id))
    if not options.cluster:
        return local
    from jobctl.executors.cluster.compose import cluster_executor

    executor = cluster_executor(options.cluster, local, database)
    if must_check:
        executor.connect()
        if recovery.is_another(database, executor):
            elsewhere.check(database, options.cluster)
    return executor


def _leave_to_older(options: StartOptions) -> NoReturn:
    """Leave, because the supervisor is of another jobctl release: it drains, and then the daemon starts again."""
    with contextlib.suppress(JobctlError, sqlite.Error):
        database = open_database(options.home)
        found = daemon.load(database)
        if found is not None:
            daemon.save(database, dataclasses.replace(found, state="draining", engine_pid=0))
        database.close()
    os._exit(wire.OTHER_JOBCTL)


def _cannot_begin(error: sqlite.Error | OSError, options: StartOptions, executor: LocalExecutor) -> int:
    """Tell the command that starts the daemon at once. A daemon that is up does not end because a disk is full."""
    text = _in_words(error, options)
    if not executor.up or trouble.file_limit(str(options.home.root)):
        executor.refuse(text)
        return 1
    say(f"the engine cannot start: {text}")
    return wire.NOT_NOW


def _in_words(error: BaseException, options: StartOptions) -> str:
    problem = trouble.explain(error, str(options.home.root))
    return f"{problem.message}; {problem.hint}" if problem is not None else f"{type(error).__name__}: {error}"


def _work(options: StartOptions, executor: LocalExecutor) -> int:
    """Begin and run the engine. Returns its exit code."""
    try:
        database, engine = _begin(options, executor)
    except OlderDaemon:
        return wire.OTHER_JOBCTL
    except JobctlError as error:
        if executor.up and isinstance(error, Busy):
            return wire.NOT_NOW
        executor.refuse(f"{error.message}; {error.hint}" if error.hint else error.message)
        return 1
    except (sqlite.Error, OSError) as error:
        return _cannot_begin(error, options, executor)
    code = _run(engine, database, options, executor)
    if code == 0:
        with contextlib.suppress(sqlite.OperationalError):  # the disk is full: then the next engine checks the database
            integrity.end(database)
            database.checkpoint()
        database.close()
    return code


def _begin(options: StartOptions, executor: LocalExecutor) -> tuple[Database, Engine]:
    wake = WakeUp(options.home.wake)
    # Our supervisor has the lock. Until it gets its first attempt, only this engine uses the database.
    database = open_database(
        options.home,
        create=not executor.up,  # an engine that follows another must not replace a store that was removed
        lock_holder=os.getppid() if executor.fresh else None,
    )
    integrity.begin(database)
    chosen = _executor(options, executor, database)
    cluster = recovery.ClusterChoice(options.cluster, options.forget_cluster)
    engine_options = EngineOptions(
        options.slots, options.scope, options.drain, bool(options.cluster), cluster, FreeDevices().total
    )
    engine = Engine(database, chosen, options.home, engine_options, wake, moment.now())
    engine.begin(moment.now(), fresh=executor.fresh and chosen is executor)
    return database, engine


def _run(engine: Engine, database: Database, options: StartOptions, executor: LocalExecutor) -> int:
    try:
        engine.run()
    except StoreGone:
        say(f"the store at {options.home.root} was removed: all its processes end")
        return wire.STORE_GONE
    except Limited as problem:
        executor.refuse(f"{problem}; raise it with ulimit -f unlimited, then start jobctl again")
    except Replaced as problem:
        name = str(problem)
        say(f"{options.home.root / name} was removed or replaced: {removed.rescue(database, name, moment.now())}")
        return wire.REPLACED
    except Unwritten as problem:
        say(f"it stops; outcomes that cannot be written are kept for the next daemon: {problem}")
        return wire.NOT_NOW
    except Fenced:
        say("another engine owns the database now; this one ends")
    except EOFError:
        raise
    except Exception:
        say_traceback()
    else:
        return 0
    return 1
