"""The options of the library as types, for editors and type checkers.

Generated from the tables of options by ``python -m jobctl.library.generate``. Do not edit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Literal, Protocol, TypeAlias, TypedDict

#: A text as on the command line, seconds, or a difference of times.
Duration: TypeAlias = str | float | timedelta
#: A text as on the command line, a moment, or a wait from now on.
Moment: TypeAlias = str | datetime | timedelta
#: ``module:function``, or the function itself, if it can be imported by its name.
Function: TypeAlias = str | Callable[..., Any]
Path: TypeAlias = str | os.PathLike[str]
#: The rows of a submission as a file: its path, "-" for standard input, or a stream of bytes.
File: TypeAlias = str | os.PathLike[str] | BinaryIO
#: The words of a command, with placeholders such as {id}.
Command: TypeAlias = Sequence[str | os.PathLike[str]]


class Batches(Protocol):
    """A table or a data set of pyarrow."""

    def to_batches(self) -> Any:
        """Return its parts."""


#: Dictionaries, named tuples, dataclasses or texts, in anything that can be iterated, or a table of a library.
Rows: TypeAlias = Iterable[Any] | Batches


class SubmitOptions(TypedDict, total=False):
    """The options of ``jobctl submit`` and ``jobctl run``."""

    format: Literal["csv", "tsv", "jsonl", "lines", "xlsx", "parquet"] | None
    """The format of FILE: csv, tsv, jsonl, lines, xlsx or parquet; default: as its name says."""
    delimiter: str | None
    """The field separator of a CSV file: comma (default), tab, semicolon, pipe, or any other character."""
    comment: str | None
    """Skip the lines of a text file that begin with this text, such as '#'."""
    encoding: str | None
    """The encoding of the file, if it is not UTF-8."""
    no_header: bool | None
    """Treat the first row as data; the columns are named 1, 2, 3."""
    sheet: str | None
    """The sheet of a workbook to read; default: the first one."""
    from_joblog: bool | None
    """Read FILE as a GNU parallel joblog and run its failed commands again with /bin/sh."""
    invalid: Literal["reject", "skip", "keep"] | None
    """Reject a file with bad rows (default), skip the bad rows, or keep error cells of a workbook as text."""
    select: str | None
    """Take only the rows with these numbers: 1-100,500,1000-."""
    where: str | None
    """Take only rows that meet this condition: 'country == "DE" and size > 100'."""
    sample: int | None
    """Take only a sample of N rows from the whole file, the same rows each time."""
    recipe: str | None
    """Take the command and options from a recipe (see jobctl recipe); options given here win."""
    name: str | None
    """The name of the job; default: the name of the file."""
    label: Mapping[str, str] | Sequence[str] | str | None
    """Give the job this label; may be repeated."""
    queue: str | None
    """The queue that the job waits in; default: the queue named default."""
    new_queue: bool | None
    """Create the queue that --queue names if it does not exist."""
    priority: int | None
    """Jobs with a higher priority start first; default: 0."""
    key: str | None
    """The idempotency key: the same work with the same key is accepted only once."""
    on_duplicate: Literal["return", "fail", "resume"] | None
    """If a job has this --key: print its number (default), fail, or retry that job."""
    unique: bool | None
    """Refuse the job if a job with the same work is not done yet."""
    item_key: str | None
    """The column that identifies a row; its values must be unique."""
    only_new: bool | None
    """Skip rows that are open or done in jobs of this --name, by --item-key and content."""
    new_by: Sequence[str] | str | None
    """The columns that --only-new compares; default: all of them."""
    hold: bool | None
    """Accept the job, but hold it until jobctl resume starts it."""
    after: Sequence[Any] | Any | None
    """Start after this job has succeeded (JOB:any: after it is done, however it ended)."""
    not_before: Moment | None
    """Do not start before this time: 22:00, tomorrow 06:00, monday 06:00, 2026-12-01, or 2h (from now)."""
    notify: Sequence[str] | str | None
    """POST the outcome of the job to this URL, signed and retried; may be repeated."""
    on_done: Sequence[str] | str | None
    """Run this command with /bin/sh; it reads the outcome as JSON from standard input."""
    notify_secret_env: str | None
    """The environment variable of the daemon that has the signing secret."""
    notify_secret_file: Path | None
    """The file (mode 0600) that has the signing secret."""
    allow_http: bool | None
    """Let --notify use http, without TLS, to reach other machines."""
    slots: int | Literal["none"] | None
    """The maximum number of items that run at once; default: all slots of the daemon."""
    timeout: Duration | None
    """Stop an item after this time: 90 (seconds), 5m, 2h; by attempt: 5m,20m,1h; default: never."""
    attempts: int | None
    """The maximum number of attempts for each item, including the first; default: 3."""
    gpus_per_item: int | None
    """The number of GPUs reserved for each item; CUDA_VISIBLE_DEVICES lists them."""
    nice: int | None
    """The CPU priority of items: 0 (default) to 19 (lowest); root can also raise it with -1 to -20."""
    ionice: str | None
    """The disk priority of items: idle, or best-effort with a level from 0 (highest) to 7."""
    resources: str | None
    """The resources of a cluster worker that each item needs: gpu=1,mem=8."""
    cwd: Path | None
    """The working directory of items; default: the current directory."""
    env: Mapping[str, str | None] | Sequence[str] | str | None
    """Give items this variable; without a value, they get the value that the daemon has."""
    env_all: bool | None
    """Give items all variables of this shell; their values are stored with the job."""
    env_file: Path | None
    """A file of NAME=VALUE lines, read when items start (for secrets)."""
    shell: str | None
    """Run this shell script instead of COMMAND; it gets the values of the row as variables."""
    call: Function | None
    """Call this function with each row instead of starting a COMMAND."""
    call_style: Literal["kwargs", "dict"] | None
    """Pass the columns as keyword arguments (default), or the row as one dict."""
    call_setup: Function | None
    """Call this function once in each worker, before its first row."""
    recycle: int | None
    """Replace a worker after this number of calls; default: never."""
    python: Path | None
    """The Python interpreter; default: that of the active environment."""
    undo: Sequence[str] | str | None
    """Keep this command as the way to take a row back (see jobctl undo): --undo './refund {id}'."""
    undo_shell: str | None
    """Keep this shell script as the way to take a row back."""
    undo_call: Function | None
    """Keep this function as the way to take a row back."""
    undo_on_failure: bool | None
    """Take all rows back that succeeded when the job fails, is partial or expires."""
    retry_on: Sequence[int] | str | int | None
    """Retry only after these exit codes: 1,75; default: all except 65, 126 and 127."""
    no_retry_on: Sequence[int] | str | int | None
    """Never retry after these exit codes."""
    backoff: str | None
    """The wait between attempts, shortened at random by up to half; default: 2sx4..60s."""
    grace: Duration | None
    """The time between TERM and KILL; default: 10s."""
    max_failures: int | str | None
    """Stop the job if more than N items fail in a round (N%: after 20 are processed); default: never."""
    halt: Literal["soon", "now"] | None
    """When --max-failures stops the job, let running items finish (default), or end them."""
    deadline: Moment | None
    """End the job after 2h, or at 18:00 or tomorrow 06:00; items that are left become unprocessed; default: never."""
    on_crash: Literal["requeue", "fail"] | None
    """After a crash, run the interrupted items again (default), or let them fail."""
    leftovers: Literal["wait", "end", "fail"] | None
    """If an item leaves processes behind, wait for them (default), end them, or fail the item."""
    rate: str | None
    """The maximum rate at which items start: 100/s, 60/m; default: no limit."""
    output_cap: int | str | None
    """The maximum output kept of each stream of an item; default: 64M."""


class RunOptions(SubmitOptions, total=False):
    """The options of ``jobctl run``: those of a submission, and where the items run."""

    executor: str | None
    """The place where items run: local (this machine, the default), or dask (a cluster)."""
    scheduler: str | None
    """The address of the scheduler: tcp://127.0.0.1:8786, tls://node1:8786."""
    scheduler_file: Path | None
    """The file that dask scheduler --scheduler-file writes; it has the address."""
    cluster: str | None
    """Start a scheduler here, and its workers as batch jobs, with dask-jobqueue."""
    workers: int | None
    """The number of batch jobs that --cluster starts; default: 1."""
    tls_ca: Path | None
    """The CA certificate of the cluster, for a scheduler on another machine."""
    tls_cert: Path | None
    """The certificate of this jobctl."""
    tls_key: Path | None
    """The private key of this jobctl."""
    insecure: bool | None
    """Connect without TLS; use it on a private network only."""
    forget_cluster: bool | None
    """Give up a lost cluster: items that it may still run count as interrupted."""


class CopyOptions(TypedDict, total=False):
    """The options of ``jobctl retry --as-new``."""

    name: str | None
    """The name of the job; default: the name of the file."""
    label: Mapping[str, str] | Sequence[str] | str | None
    """Give the job this label; may be repeated."""
    queue: str | None
    """The queue that the job waits in; default: the queue named default."""
    new_queue: bool | None
    """Create the queue that --queue names if it does not exist."""
    priority: int | None
    """Jobs with a higher priority start first; default: 0."""
    key: str | None
    """The idempotency key: the same work with the same key is accepted only once."""
    on_duplicate: Literal["return", "fail", "resume"] | None
    """If a job has this --key: print its number (default), fail, or retry that job."""
    unique: bool | None
    """Refuse the job if a job with the same work is not done yet."""
    hold: bool | None
    """Accept the job, but hold it until jobctl resume starts it."""
    after: Sequence[Any] | Any | None
    """Start after this job has succeeded (JOB:any: after it is done, however it ended)."""
    not_before: Moment | None
    """Do not start before this time: 22:00, tomorrow 06:00, monday 06:00, 2026-12-01, or 2h (from now)."""
    notify: Sequence[str] | str | None
    """POST the outcome of the job to this URL, signed and retried; may be repeated."""
    on_done: Sequence[str] | str | None
    """Run this command with /bin/sh; it reads the outcome as JSON from standard input."""
    notify_secret_env: str | None
    """The environment variable of the daemon that has the signing secret."""
    notify_secret_file: Path | None
    """The file (mode 0600) that has the signing secret."""
    allow_http: bool | None
    """Let --notify use http, without TLS, to reach other machines."""
    slots: int | Literal["none"] | None
    """The maximum number of items that run at once; default: all slots of the daemon."""
    timeout: Duration | None
    """Stop an item after this time: 90 (seconds), 5m, 2h; by attempt: 5m,20m,1h; default: never."""
    attempts: int | None
    """The maximum number of attempts for each item, including the first; default: 3."""
    gpus_per_item: int | None
    """The number of GPUs reserved for each item; CUDA_VISIBLE_DEVICES lists them."""
    nice: int | None
    """The CPU priority of items: 0 (default) to 19 (lowest); root can also raise it with -1 to -20."""
    ionice: str | None
    """The disk priority of items: idle, or best-effort with a level from 0 (highest) to 7."""
    resources: str | None
    """The resources of a cluster worker that each item needs: gpu=1,mem=8."""
    cwd: Path | None
    """The working directory of items; default: the current directory."""
    env: Mapping[str, str | None] | Sequence[str] | str | None
    """Give items this variable; without a value, they get the value that the daemon has."""
    env_all: bool | None
    """Give items all variables of this shell; their values are stored with the job."""
    env_file: Path | None
    """A file of NAME=VALUE lines, read when items start (for secrets)."""
    shell: str | None
    """Run this shell script instead of COMMAND; it gets the values of the row as variables."""
    call: Function | None
    """Call this function with each row instead of starting a COMMAND."""
    call_style: Literal["kwargs", "dict"] | None
    """Pass the columns as keyword arguments (default), or the row as one dict."""
    call_setup: Function | None
    """Call this function once in each worker, before its first row."""
    recycle: int | None
    """Replace a worker after this number of calls; default: never."""
    python: Path | None
    """The Python interpreter; default: that of the active environment."""
    undo: Sequence[str] | str | None
    """Keep this command as the way to take a row back (see jobctl undo): --undo './refund {id}'."""
    undo_shell: str | None
    """Keep this shell script as the way to take a row back."""
    undo_call: Function | None
    """Keep this function as the way to take a row back."""
    undo_on_failure: bool | None
    """Take all rows back that succeeded when the job fails, is partial or expires."""
    retry_on: Sequence[int] | str | int | None
    """Retry only after these exit codes: 1,75; default: all except 65, 126 and 127."""
    no_retry_on: Sequence[int] | str | int | None
    """Never retry after these exit codes."""
    backoff: str | None
    """The wait between attempts, shortened at random by up to half; default: 2sx4..60s."""
    grace: Duration | None
    """The time between TERM and KILL; default: 10s."""
    max_failures: int | str | None
    """Stop the job if more than N items fail in a round (N%: after 20 are processed); default: never."""
    halt: Literal["soon", "now"] | None
    """When --max-failures stops the job, let running items finish (default), or end them."""
    deadline: Moment | None
    """End the job after 2h, or at 18:00 or tomorrow 06:00; items that are left become unprocessed; default: never."""
    on_crash: Literal["requeue", "fail"] | None
    """After a crash, run the interrupted items again (default), or let them fail."""
    leftovers: Literal["wait", "end", "fail"] | None
    """If an item leaves processes behind, wait for them (default), end them, or fail the item."""
    rate: str | None
    """The maximum rate at which items start: 100/s, 60/m; default: no limit."""
    output_cap: int | str | None
    """The maximum output kept of each stream of an item; default: 64M."""


class RoundOptions(TypedDict, total=False):
    """The rules that a new round may change."""

    priority: int | None
    """Jobs with a higher priority start first; default: 0."""
    not_before: Moment | None
    """Do not start before this time: 22:00, tomorrow 06:00, monday 06:00, 2026-12-01, or 2h (from now)."""
    slots: int | Literal["none"] | None
    """The maximum number of items that run at once; default: all slots of the daemon."""
    timeout: Duration | None
    """Stop an item after this time: 90 (seconds), 5m, 2h; by attempt: 5m,20m,1h; default: never."""
    attempts: int | None
    """The maximum number of attempts for each item, including the first; default: 3."""
    nice: int | None
    """The CPU priority of items: 0 (default) to 19 (lowest); root can also raise it with -1 to -20."""
    ionice: str | None
    """The disk priority of items: idle, or best-effort with a level from 0 (highest) to 7."""
    env: Mapping[str, str | None] | Sequence[str] | str | None
    """Give items this variable; without a value, they get the value that the daemon has."""
    retry_on: Sequence[int] | str | int | None
    """Retry only after these exit codes: 1,75; default: all except 65, 126 and 127."""
    no_retry_on: Sequence[int] | str | int | None
    """Never retry after these exit codes."""
    backoff: str | None
    """The wait between attempts, shortened at random by up to half; default: 2sx4..60s."""
    grace: Duration | None
    """The time between TERM and KILL; default: 10s."""
    max_failures: int | str | None
    """Stop the job if more than N items fail in a round (N%: after 20 are processed); default: never."""
    halt: Literal["soon", "now"] | None
    """When --max-failures stops the job, let running items finish (default), or end them."""
    deadline: Moment | None
    """End the job after 2h, or at 18:00 or tomorrow 06:00; items that are left become unprocessed; default: never."""
    leftovers: Literal["wait", "end", "fail"] | None
    """If an item leaves processes behind, wait for them (default), end them, or fail the item."""
    rate: str | None
    """The maximum rate at which items start: 100/s, 60/m; default: no limit."""
    output_cap: int | str | None
    """The maximum output kept of each stream of an item; default: 64M."""


class SetOptions(TypedDict, total=False):
    """The rules of ``jobctl set``."""

    priority: int | None
    """Jobs with a higher priority start first; default: 0."""
    not_before: Moment | None
    """Do not start before this time: 22:00, tomorrow 06:00, monday 06:00, 2026-12-01, or 2h (from now)."""
    slots: int | Literal["none"] | None
    """The maximum number of items that run at once; default: all slots of the daemon."""
    timeout: Duration | None
    """Stop an item after this time: 90 (seconds), 5m, 2h; by attempt: 5m,20m,1h; default: never."""
    attempts: int | None
    """The maximum number of attempts for each item, including the first; default: 3."""
    nice: int | None
    """The CPU priority of items: 0 (default) to 19 (lowest); root can also raise it with -1 to -20."""
    ionice: str | None
    """The disk priority of items: idle, or best-effort with a level from 0 (highest) to 7."""
    grace: Duration | None
    """The time between TERM and KILL; default: 10s."""
    max_failures: int | str | None
    """Stop the job if more than N items fail in a round (N%: after 20 are processed); default: never."""
    halt: Literal["soon", "now"] | None
    """When --max-failures stops the job, let running items finish (default), or end them."""
    deadline: Moment | None
    """End the job after 2h, or at 18:00 or tomorrow 06:00; items that are left become unprocessed; default: never."""
    leftovers: Literal["wait", "end", "fail"] | None
    """If an item leaves processes behind, wait for them (default), end them, or fail the item."""
    rate: str | None
    """The maximum rate at which items start: 100/s, 60/m; default: no limit."""
