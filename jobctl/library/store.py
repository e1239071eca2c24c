"""``jobctl.Store``: the queue of this user, for programs."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from jobctl.config import Home, find_home
from jobctl.errors import UsageError
from jobctl.library.given import text_of
from jobctl.library.records import wrap
from jobctl.library.selecting import Texts, event_id, job_conditions
from jobctl.library.store_in_hints import hints_name_the_store
from jobctl.process import moment

if TYPE_CHECKING:
    from jobctl.domain.job_filter import JobList
    from jobctl.library.documents import DaemonDocument, PreviewDocument, PruneDocument, StatusListDocument
    from jobctl.library.events import Events
    from jobctl.library.job import Job
    from jobctl.library.options import Command, Duration, File, Moment, Rows, RunOptions, SubmitOptions
    from jobctl.library.progress import Progress
    from jobctl.library.submitting import Prepared, Wanted
    from jobctl.process.start_options import StartOptions
    from jobctl.services.settings.settings import Settings

_log = logging.getLogger("jobctl")
_OF_RUN = ("executor", "scheduler", "scheduler_file", "cluster", "workers", "tls_ca", "tls_cert", "tls_key", "insecure")


@hints_name_the_store
class Store:
    """A store of jobs: the rows, their outcomes and their output. No daemon is needed, except to run what is submitted.

    ``home`` is the folder of the store, by default ``JOBCTL_HOME`` or that of the user, as on the command line.
    ``project`` is a folder, by default the current one: its ``jobctl.toml`` counts if you trust it (``jobctl config
    trust``), and items run in it. Settings of the user and of the environment count as on the command line.

    Several threads may use one store at once, and a child that was forked may use the store of its parent: every call
    opens a connection of its own. Notes about settings that are ignored go to the logger ``jobctl``.

    Raises UsageError for a ``home`` that is not an absolute path, and for a ``project`` that is not a folder.

    >>> import jobctl
    >>> store = jobctl.Store()
    >>> job = store.submit(rows=[{"id": 1}, {"id": 2}], command=["echo", "{id}"])
    >>> job.status().counts.total
    2
    """

    def __init__(
        self, home: str | os.PathLike[str] | None = None, *, project: str | os.PathLike[str] | None = None
    ) -> None:
        given = None if home is None else os.fspath(home)
        #: The places of the store, for the services.
        self.place: Home = find_home(given)
        #: The command line of jobctl for this store, which the documents and messages name.
        self.program: str = _program(given)
        #: The folder of the project, absolute; None = the current one at each call.
        self.project: str | None = None if project is None else _folder(os.fspath(project))

    @property
    def home(self) -> Path:
        """The folder of the store."""
        return self.place.root

    @property
    def _program(self) -> str:
        return self.program

    @property
    def folder(self) -> str:
        """The folder from which the project file is looked for."""
        return self.project or os.getcwd()

    def __repr__(self) -> str:
        return f"Store({str(self.home)!r})"

    @overload
    def submit(
        self,
        file: File | None = None,
        *,
        rows: Rows | None = None,
        command: Command | None = None,
        dry_run: Literal[False] = False,
        wait: bool = False,
        start_daemon: bool = False,
        **options: Unpack[SubmitOptions],
    ) -> Job: ...

    @overload
    def submit(
        self,
        file: File | None = None,
        *,
        rows: Rows | None = None,
        command: Command | None = None,
        dry_run: Literal[True],
        wait: bool = False,
        start_daemon: bool = False,
        **options: Unpack[SubmitOptions],
    ) -> PreviewDocument: ...

    def submit(
        self,
        file: File | None = None,
        *,
        rows: Rows | None = None,
        command: Command | None = None,
        dry_run: bool = False,
        wait: bool = False,
        start_daemon: bool = False,
        **options: Unpack[SubmitOptions],
    ) -> Job | PreviewDocument:
        """Accept rows as a job, which a daemon runs; returns the job when it is safe on disk.

        The rows come from ``file`` (a path, ``"-"`` or an open binary stream) or from ``rows``: dictionaries, named
        tuples, dataclasses or texts in a list, a generator, a DataFrame of pandas or polars or a table of pyarrow.
        ``command`` is a list of words with placeholders such as ``{id}``; ``shell`` and ``call`` are other kinds of
        work. ``call`` takes ``"module:function"`` or a function that can be imported by its name, also one of the
        program itself if that starts its work under ``if __name__ == "__main__"``. The ``options`` are those of
        ``jobctl submit``, with ``_`` for ``-`` and the same defaults; durations also take seconds or a ``timedelta``,
        times also a ``datetime``. None is an option that is not given.

        ``dry_run`` checks everything, changes nothing, and returns what would be accepted. ``wait`` returns when the
        job is done. ``start_daemon`` starts a daemon if none is running.

        Raises UsageError for an option or a command, InputRejected for the rows, with the first problems as
        ``details``; KeyConflict if ``key`` belongs to other work; NotFound for a recipe or a job of ``after``. Nothing
        was accepted then.

        >>> store.submit(rows=[{"id": 1}], command=["true", "{id}"], slots=4, timeout="5m", key="2026-11-29").replayed
        False
        """
        from jobctl.library.submitting import Wanted

        wanted = Wanted(file, rows, command, dict(options), starts_daemon=start_daemon)
        return self._submit(wanted, dry_run=dry_run, wait=wait)

    def _submit(
        self, wanted: Wanted, *, dry_run: bool, wait: bool, look: Callable[[], None] | None = None
    ) -> Job | PreviewDocument:
        """Submit work; ``look`` is called every second of the wait, and may raise."""
        from jobctl.library.submitting import prepare

        prepared = prepare(self, wanted)
        if dry_run:
            return self._preview(prepared)
        daemon = self._daemon_options() if wanted.starts_daemon else None
        if wait:
            self._check_wait(prepared, daemon)
        job = self._accept(prepared)
        if daemon is not None:
            from jobctl.services.daemon.start import start_for_job

            serve = partial(start_for_job, daemon, job.id)
            serve()
        if wait:
            from jobctl.services.daemon.wait import wait_served

            wait_served(self.place, job.id, None if daemon is None else serve, look)
        return job

    def recipe(
        self,
        recipe_name: str,
        /,
        file: File | None = None,
        *,
        rows: Rows | None = None,
        **options: Unpack[SubmitOptions],
    ) -> Job:
        """Accept rows as a job with the command and the options of a recipe; options given here win.

        Raises NotFound for a recipe that does not exist, UsageError for one of a project file that is not trusted, and
        the errors of ``submit``.

        >>> store.recipe("nightly", "orders.csv", key="2026-11-29")  # doctest: +SKIP
        """
        options["recipe"] = recipe_name
        return self.submit(file, rows=rows, **options)

    def run(
        self,
        file: File | None = None,
        *,
        rows: Rows | None = None,
        command: Command | None = None,
        resume: int | str | None = None,
        progress: Progress = None,
        **options: Unpack[RunOptions],
    ) -> Job:
        """Accept rows as a job and run it here, in the foreground; returns the job when it is done.

        Arguments are those of ``submit``. No daemon is needed; if one is running, it does the work. ``resume`` names a
        job that is not done, which is continued instead. ``progress`` shows it: a function that gets each status (at
        most four a second), ``"rich"``, ``"notebook"``, or True for the one that fits.

        In the main thread, Ctrl-C lets the running items finish, and then KeyboardInterrupt is raised; a second Ctrl-C
        ends them. The job stays, and ``run(resume=job.id)`` continues it. In another thread, and where the program has
        a handler for SIGINT, no handler is changed. Raises as ``submit``, and JobctlError if it cannot run here.

        >>> job = store.run(rows=[{"id": 1}, {"id": 2}], command=["test", "{id}", "=", "1"], attempts=1)
        >>> (job.status().state, job.status().counts.failed)
        ('partial', 1)
        """
        from jobctl.library.submitting import Wanted

        return self._run(Wanted(file, rows, command, dict(options), foreground=True), resume, progress)

    def _run(self, wanted: Wanted, resume: int | str | None, progress: Progress, stop: int | None = None) -> Job:
        """Run work here; each byte from the descriptor ``stop`` counts as one Ctrl-C."""
        from jobctl.library.foreground import FOOTER, run_here
        from jobctl.library.progress import shown

        view, given = shown(progress, FOOTER), dict(wanted.options)
        forget = bool(given.pop("forget_cluster", False))
        cluster = {name: value for name in _OF_RUN if (value := given.pop(name, None))}
        wanted = replace(wanted, options=given, cluster=cluster)
        job, engine = self._resumed(wanted, str(resume)) if resume is not None else self._submitted(wanted)
        run_here(replace(engine, forget_cluster=forget, scope=job.id), self.program, view, stop)
        return job

    def _submitted(self, wanted: Wanted) -> tuple[Job, StartOptions]:
        """The job of new work, and the options of its engine, which are checked before anything is accepted."""
        from jobctl.library.submitting import prepare
        from jobctl.services.submit.request import refuse_hold

        prepared = prepare(self, wanted)
        refuse_hold(prepared.request)
        engine = self._engine(wanted, prepared.request.policy.slots)
        return self._accept(prepared), engine

    def _resumed(self, wanted: Wanted, text: str) -> tuple[Job, StartOptions]:
        """A job that is not done, with its own rules, and the options of its engine."""
        from jobctl.library.job import Job
        from jobctl.services.daemon.resuming import job_to_resume, take_to_foreground

        if wanted.file is not None or wanted.rows is not None or wanted.command is not None or wanted.options:
            raise UsageError(
                "resume continues a job, which has its own rows, command and options", hint="give it alone"
            )
        number, policy = job_to_resume(self.place, text, moment.now(), program=self.program)
        engine = self._engine(wanted, policy.slots)
        take_to_foreground(self.place, number)
        return Job(self, number), engine

    def _engine(self, wanted: Wanted, slots: int | None) -> StartOptions:
        from jobctl.config import cpu_count
        from jobctl.process.start_options import StartOptions
        from jobctl.services.daemon.options import as_set, cluster_words, refuse_elsewhere

        settings = self._settings()
        words = cluster_words(wanted.cluster, settings)
        count = slots or (0 if words else cpu_count())
        options = as_set(StartOptions(self.place, count, cluster=words), settings)
        refuse_elsewhere(options)
        return options

    def job(self, name: int | str) -> Job:
        """Return a job by its number, by its name (the newest one), or ``"last"``. Raises NotFound, UsageError.

        >>> store.job("two").status().name
        'two'
        """
        from jobctl.library.job import Job
        from jobctl.services.control.targets import job_of

        return Job(self, job_of(self.place, str(name)))

    def status(
        self,
        *,
        state: Texts = None,
        name: str | None = None,
        label: Mapping[str, str] | Texts = None,
        queue: str | None = None,
        since: Moment | None = None,
        sort: str | None = None,
        limit: int | None = None,
        all: bool = False,
    ) -> StatusListDocument:
        """Return the list of jobs with everything about each, as ``jobctl status --json``.

        Without conditions these are the jobs that are not done, and the 20 newest others; ``all`` gives all. ``name``
        is a shell pattern, ``since`` a time or a duration such as ``"2h"``, ``sort`` an order such as ``"failed"`` or
        ``"-name"``. Raises UsageError, NotFound for a home without a store.

        >>> [job.name for job in store.status(name="tw*").jobs]
        ['two']
        """
        from jobctl.library.documents import StatusListDocument
        from jobctl.services.status.document import status_list_of

        now = moment.now()
        conditions = {"state": state, "name": name, "label": label, "queue": queue, "since": since}
        listing = self._listing({**conditions, "sort": sort, "limit": limit}, now, everything=all)
        return wrap(status_list_of(self.place, now, listing, program=self.program), StatusListDocument)

    def jobs(
        self,
        *,
        state: Texts = None,
        name: str | None = None,
        label: Mapping[str, str] | Texts = None,
        queue: str | None = None,
        since: Moment | None = None,
        sort: str | None = None,
        limit: int | None = None,
        all: bool = False,
    ) -> list[Job]:
        """Return the jobs that meet conditions, those of ``status``. Raises UsageError, NotFound.

        >>> [job.cancel().state for job in store.jobs(label={"team": "nobody"})]
        []
        """
        from jobctl.library.job import Job

        listed = self.status(
            state=state, name=name, label=label, queue=queue, since=since, sort=sort, limit=limit, all=all
        )
        return [Job(self, document.job) for document in listed.jobs]

    def events(
        self,
        *jobs: int | str | Job,
        since: int | Moment | None = None,
        follow: bool = False,
        items: bool = False,
        name: str | None = None,
        label: Mapping[str, str] | Texts = None,
        queue: str | None = None,
    ) -> Events:
        """Return what happened in the store, in order: all of it, or what happened to some jobs.

        ``since`` is the id of the last event that is known (0 gives all), or a time; without it and without jobs and
        conditions, the iterator begins with the last 100 events. ``follow`` waits for more, until the named jobs are
        done, or for ever without jobs. ``items`` also gives the outcome of each attempt. Raises NotFound, UsageError.

        >>> next(iter(store.events(since=0))).type
        'job.submitted'
        """
        from jobctl.domain.job_filter_options import filter_from
        from jobctl.library.events import Events
        from jobctl.services.control.targets import jobs_of
        from jobctl.services.events import WantedEvents

        conditions = {"name": name, "label": label, "queue": queue}
        named = frozenset(jobs_of(self.place, [text_of("jobs", job) for job in jobs])) if jobs else None
        wanted = WantedEvents(named, filter_from(job_conditions(conditions), moment.now()), items)
        return Events(self.place, wanted, event_id(self.place, since), follow=follow)

    def prune(
        self,
        *jobs: int | str | Job,
        older_than: Duration | None = None,
        keep_failed: bool = False,
        include_failed: bool = False,
        undelivered: bool = False,
        dry_run: bool = False,
        state: Texts = None,
        name: str | None = None,
        label: Mapping[str, str] | Texts = None,
        queue: str | None = None,
        since: Moment | None = None,
        all: bool = False,
    ) -> PruneDocument:
        """Remove finished jobs with their rows, logs and result files; returns what was removed and what was kept.

        Without ``jobs``, those that are done for longer than ``older_than`` (default: the setting, or 30 days) and meet
        the conditions. ``all`` takes every age. Nobody is asked: see what would be removed with ``dry_run``. Raises
        UsageError, NotFound, Busy.

        >>> store.prune(older_than="90d", dry_run=True).jobs
        []
        """
        from jobctl.library.documents import PruneDocument
        from jobctl.library.pruning import prune
        from jobctl.services.control.prune_choice import PruneOptions

        conditions = {"state": state, "name": name, "label": label, "queue": queue, "since": since}
        options = PruneOptions(0.0, keep_failed, include_failed, dry_run, undelivered)
        return wrap(prune(self, jobs, older_than, options, conditions, everything=all), PruneDocument)

    def daemon(self) -> DaemonDocument:
        """Return the state of the daemon, as ``jobctl daemon status --json``.

        >>> store.daemon().state
        'down'
        """
        from jobctl.library.documents import DaemonDocument
        from jobctl.services.daemon.view import daemon_document_of

        return wrap(daemon_document_of(self.place, moment.now()), DaemonDocument)

    def log_ignored(self, *sections: str) -> None:
        """Log which settings have no effect, because their file is ignored or not trusted."""
        from jobctl.services.settings.ignored import ignored_settings

        for notice in ignored_settings(os.environ, self.folder, sections):
            _log.log(logging.WARNING if notice.is_warning else logging.INFO, "%s", "; ".join(notice.lines))

    def _settings(self) -> Settings:
        from jobctl.services.settings.settings import load_settings

        return load_settings(os.environ, self.folder)

    def _listing(self, given: dict[str, Any], now: int, *, everything: bool) -> JobList:
        from jobctl.domain.job_filter_options import list_from

        return list_from(job_conditions(given), now, everything=everything)

    def _preview(self, prepared: Prepared) -> PreviewDocument:
        from jobctl.library.documents import PreviewDocument
        from jobctl.services.submit.documents import preview_document
        from jobctl.services.submit.submit import preview

        found = preview_document(preview(self.place, prepared.request, stdin=prepared.stream))
        found["notices"] = [*prepared.notes, *found["notices"]]
        return wrap(found, PreviewDocument)

    def _accept(self, prepared: Prepared) -> Job:
        from jobctl.library.job import Job
        from jobctl.services.submit.submit import lost_database, submit

        lost = lost_database(self.place)
        accepted = submit(self.place, prepared.request, now=prepared.now, stdin=prepared.stream)
        if lost:
            _log.warning("%s", lost)
        notices = (*prepared.notes, *accepted.notices)
        return Job(self, accepted.job, uid=accepted.uid, replayed=accepted.replayed, notices=notices)

    def _daemon_options(self) -> StartOptions:
        """The options of a daemon, which are checked before anything is accepted."""
        from jobctl.services.daemon.options import DaemonRequest, refuse_elsewhere, start_options

        options = start_options(self.place, DaemonRequest(), self._settings())
        refuse_elsewhere(options)
        return options

    def _check_wait(self, prepared: Prepared, daemon: StartOptions | None) -> None:
        from jobctl.services.submit.request import refuse_hold, refuse_without_daemon

        refuse_hold(prepared.request)
        if daemon is None:
            refuse_without_daemon(self.place, prepared.request)


def _program(home: str | None) -> str:
    if home is None:
        return "jobctl"
    import shlex

    return f"jobctl --home {shlex.quote(home)}"


def _folder(project: str) -> str:
    path = os.path.abspath(os.path.expanduser(project))
    if not os.path.isdir(path):
        raise UsageError(f"project: there is no folder {path}", hint="give the folder of the project")
    return path
