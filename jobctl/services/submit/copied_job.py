"""``jobctl retry --as-new``: a new job with rows of another one, and with its work unless other work is given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jobctl.config import Home
from jobctl.domain.handler_kinds import kind_of
from jobctl.domain.job_options import JobOption
from jobctl.domain.option_values import policy_fields
from jobctl.domain.selection import Selection
from jobctl.domain.undo import undo_of
from jobctl.errors import UnknownColumn, UsageError
from jobctl.handlers.environment import check_total, read_env_file, split_options
from jobctl.handlers.kinds import KEEPS_TAGS, handler_for
from jobctl.services.control.targets import existing_job
from jobctl.services.submit import submit
from jobctl.services.submit.new_job import Submission, WayBack
from jobctl.services.submit.origin import check_words, find_python, with_all_variables
from jobctl.services.submit.request import Accepted, Origin, Preview, SubmitRequest
from jobctl.services.submit.rows_of_job import RowsOfJob
from jobctl.sources.options import InputOptions
from jobctl.sources.source import Source
from jobctl.store.job_row import JobRow
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views

#: Parts of the options of a submission that another job does not take over.
_OF_THE_INPUT = ("selection", KEEPS_TAGS)


@dataclass(frozen=True, slots=True)
class CopyRequest:
    """The rows to take, and the differences between the new job and the other one."""

    job: int
    selection: Selection = field(default_factory=Selection)
    rules: Mapping[JobOption, Any] = field(default_factory=dict)  # options that the policy keeps
    given: Mapping[str, Any] = field(default_factory=dict)  # fields of the ``SubmitRequest`` that options name

    @property
    def has_work(self) -> bool:
        """Whether the new job does other work with the rows."""
        return bool({"command", "shell", "call"} & self.given.keys())


class CopiedJob:
    """A job that is to be made from rows of another one."""

    def __init__(self, home: Home, wanted: CopyRequest, *, now: int) -> None:
        """``now`` is in microseconds UTC. Raises NotFound, and UsageError for a job whose rows cannot be taken."""
        self._home, self._wanted, self._now = home, wanted, now
        with closing(open_database(home)) as database:
            self._row = existing_job(database, wanted.job)
            view = job_views.labels(database, wanted.job)
        if self._row.undo_of is not None:
            raise UsageError(
                f"job {wanted.job} takes back rows of job {self._row.undo_of}, which a new job cannot do again",
                hint=f"jobctl retry {wanted.job}, or jobctl undo {self._row.undo_of}",
            )
        if self._row.damage:
            raise UsageError(f"the row of job {wanted.job} is damaged: {self._row.damage}", hint="jobctl doctor")
        self.request = _request(self._row, wanted, view, now)

    @property
    def place(self) -> dict[str, Any]:
        """The directory and the variables in which the program of a command is looked for, as options."""
        cwd = self._row.cwd if self.request.cwd is None else self.request.cwd
        path = self._row.env.get("PATH")
        return {"cwd": cwd, "env": (*([f"PATH={path}"] if path else []), *self.request.env)}

    def accept(self, watch: Callable[[Source], None] | None = None) -> Accepted:
        """Make the job, in one commit that survives a power cut. Raises the errors of a submission."""
        return submit.accept(self._home, self._opened(watch), now=self._now)

    def preview(self, watch: Callable[[Source], None] | None = None) -> Preview:
        """Check everything, and write nothing."""
        return submit.look(self._opened(watch))

    @contextmanager
    def _opened(self, watch: Callable[[Source], None] | None) -> Iterator[Submission]:
        request, row = self.request, self._row
        origin = _origin(self._home, row, request)
        with RowsOfJob(self._home, row, self._wanted.selection, self._now) as source:
            source.watch = watch
            if self._wanted.has_work or request.undo is not None:
                made = self._with_work(origin, source)
            else:
                made = Submission(self._home, request, origin, source, handler_for(row))
            if not self._wanted.has_work:
                kept = undo_of(row.undo) if request.undo is None else None
                made = made._replace(handler=handler_for(row))
                made = made if kept is None else made._replace(way_back=WayBack(kept, frozenset()))
            yield made

    def _with_work(self, origin: Origin, source: Source) -> Submission:
        try:
            return submit.with_work(self._home, self.request, origin, source)
        except UnknownColumn as error:  # its message is about a file, and the rows come from a job
            raise UsageError(error.message, hint=f"jobctl items {self._row.id} shows rows") from None


def _request(row: JobRow, wanted: CopyRequest, labels: Mapping[str, str], now: int) -> SubmitRequest:
    """The request that would make such a job from a file."""
    policy = row.policy.changed(not_before_s=None, only_new=False, new_by=())
    if policy.deadline_at is not None and (policy.ends_at(now) or 0) <= now:
        policy = policy.changed(deadline_at=None)  # it was the deadline of the other job
    for option, value in wanted.rules.items():
        policy = policy.changed(**policy_fields(option, value, now))
    kept = SubmitRequest(
        input=InputOptions(row.input_path),
        name=row.name,
        queue=row.queue,
        priority=row.priority,
        labels={**labels, **wanted.given.get("labels", {})},
        policy=policy,
        item_key=row.item_key,
    )
    given = {name: value for name, value in wanted.given.items() if name != "labels"}
    return replace(kept, **({} if wanted.has_work else kind_of(row.handler).as_request(row.command)), **given)


def _origin(home: Home, row: JobRow, request: SubmitRequest) -> Origin:
    """The directory and the environment of the other job, with the differences that options name. Raises UsageError."""
    check_words(home, request)
    cwd = row.cwd if request.cwd is None else os.path.abspath(os.path.expanduser(request.cwd))
    if not os.path.isdir(cwd):
        raise UsageError(f"--cwd {cwd}: there is no such directory", hint="give one with --cwd DIR")
    values, names = split_options(request.env)
    env_file = row.env_file if request.env_file is None else os.path.abspath(request.env_file)
    from_file = {} if env_file is None else read_env_file(Path(env_file))
    environment = {name: value for name, value in row.env.items() if name not in names}
    if request.env_all:
        environment |= with_all_variables(request, names, from_file)
    environment |= values
    check_total(environment | from_file)
    all_names = [*(name for name in row.env_names if name not in values and name not in names), *names]
    options = {name: value for name, value in row.work_options.items() if name not in _OF_THE_INPUT}
    options |= {"cwd": cwd, "env": {**options.get("env", {}), **values}, "env_names": all_names, "env_file": env_file}
    if request.python is not None:
        options["python"] = find_python(request.python, cwd)
    if request.env_all:
        options["env_all"] = True
    return Origin(cwd, environment, all_names, options)
