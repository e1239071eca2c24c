"""The one table of job options: the options of ``submit`` and ``run``, the keys of settings and recipes, and the rules
that ``jobctl set`` changes.

A row is all that the command line, the help pages, the completions, the settings and ``jobctl set`` know of an option.
To add one, add a row, its field in ``policy.py``, and the place where it takes effect.

Every ``jobctl submit`` builds this table, so it imports nothing: a row names its parser, and ``option_values.py``
imports it when it reads a value. Without ``from __future__ import annotations`` the class is made in half the time.
"""

from typing import Literal, NamedTuple

#: ``settings``: in ``[submit]`` and in recipes; ``recipes``: in recipes alone; empty: on the command line alone.
Kept = Literal["", "settings", "recipes"]
#: The jobs that an option is for, where it is not for all of them.
Applies = Literal["", "calls", "clusters"]

INPUT = "Input"
WORK = "What to run"
FUNCTION = "A Python function"
JOB = "The job"
START = "When it starts"
ONCE = "The same work only once"
LIMITS = "Limits"
FAILURES = "Failures and retries"
OUTPUT = "Output"
UNDO = "Taking rows back"
DONE = "When it is done"
#: The headings of the help page, in its order.
PANELS = (INPUT, WORK, FUNCTION, JOB, START, ONCE, LIMITS, FAILURES, UNDO, OUTPUT, DONE)
#: The word that takes a limit away.
NO_LIMIT = "none"
#: The highest number of anything, see ``policy.MAX_COUNT``.
MOST = 1_000_000_000


#: Options outside the input panel that are about the rows of a file.
_OF_FILES = ("recipe", "item-key", "only-new", "new-by")


class JobOption(NamedTuple):
    """One option. Without a ``metavar`` it is a switch."""

    name: str  # on the command line (after the dashes), in settings and recipes, and for jobctl set
    panel: str  # of the help page
    metavar: str
    help: str
    short: str = ""  # its short form, such as -j
    multiple: bool = False  # it may be given several times
    number: bool = False  # it takes a whole number
    lowest: int | None = None  # of a number; None = ``parse`` or the place where it takes effect knows its limits
    highest: int = MOST
    parse: str = ""  # module:function that reads a value: a text, a number, or the texts of all times it was given
    choices: tuple[str, ...] = ()  # all values that it can have
    can_be_none: bool = False  # the value none takes the limit away
    field: str = ""  # of the policy, which keeps what ``parse`` returns
    applies: Applies = ""
    check: str = ""  # module:function that raises UsageError for a value that this machine cannot work with
    kept: Kept = ""
    #: True if the key counts in a project file that the user has not trusted. A key that runs, connects, deletes,
    #: reads files or passes the environment on must not. None, for a key without a decision, counts as False.
    safe: bool | None = None
    form: str = ""  # the allowed values in settings, in words, if the other fields do not say it
    default: str = ""  # the value without a setting, as ``jobctl config show`` shows it
    effect: str = ""  # if jobctl set can change it: a sentence that says for which items the change counts
    of_queues: bool = False  # jobctl queue set sets it, too
    is_main: bool = False  # -h of submit and run shows it: it is among the ten options that most people need
    of_rounds: bool = False  # jobctl retry can change it for the new round, although jobctl set cannot
    completes: str = ""  # the words that can be typed, if the metavar does not say it: queues | recipes | files

    @property
    def key(self) -> str:
        """Its name as a Python name."""
        return self.name.replace("-", "_")

    @property
    def setting(self) -> str:
        """As jobctl set takes it: ``slots=N|none``."""
        return f"{self.name}={self.metavar}" + (f"|{NO_LIMIT}" if self.can_be_none else "")

    @property
    def of_retry(self) -> bool:
        """Whether jobctl retry takes it: every rule that jobctl set changes, and those of a new round."""
        return bool(self.effect) or self.of_rounds

    @property
    def of_copies(self) -> bool:
        """Whether only jobctl retry --as-new takes it: the other options of submit, but those about reading a file."""
        return not self.of_retry and (self.name == "dry-run" or (self.panel != INPUT and self.name not in _OF_FILES))


_DURATION = "jobctl.domain.durations:parse_duration"
_CODES = "jobctl.domain.policy:parse_codes"
_TARGET = "jobctl.domain.call:parse_target"
_VALUES = "jobctl.domain.option_values"
_TIMES = "jobctl.domain.times"
_TIME = 'a duration such as "90s", "5m" or "2h30m"'
_A_TIME = 'a time such as "22:00" or "tomorrow 06:00", or a duration such as "2h"'
_A_FUNCTION = 'a function such as "package.module:function"'

# The lines of a row are its identity, its help text and its effects; the formatter would put each word on its own line.
# fmt: off
OPTIONS: tuple[JobOption, ...] = (
    JobOption("format", INPUT, "FORMAT",
        "The format of FILE: csv, tsv, jsonl, lines, xlsx or parquet; default: as its name says.",
        choices=("csv", "tsv", "jsonl", "lines", "xlsx", "parquet"), kept="recipes", safe=True, is_main=True),
    JobOption("delimiter", INPUT, "CHAR",
        "The field separator of a CSV file: comma (default), tab, semicolon, pipe, or any other character.",
        kept="recipes", safe=True, form="one character"),
    JobOption("comment", INPUT, "PREFIX",
        "Skip the lines of a text file that begin with this text, such as '#'.",
        kept="recipes", safe=True, form="what comment lines begin with"),
    JobOption("encoding", INPUT, "NAME",
        "The encoding of the file, if it is not UTF-8.",
        kept="recipes", safe=True, form="the name of an encoding"),
    JobOption("no-header", INPUT, "",
        "Treat the first row as data; the columns are named 1, 2, 3.",
        kept="recipes", safe=True),
    JobOption("sheet", INPUT, "NAME",
        "The sheet of a workbook to read; default: the first one.",
        kept="recipes", safe=True, form="the name of a sheet"),
    JobOption("from-joblog", INPUT, "",
        "Read FILE as a GNU parallel joblog and run its failed commands again with /bin/sh."),
    JobOption("invalid", INPUT, "reject|skip|keep",
        "Reject a file with bad rows (default), skip the bad rows, or keep error cells of a workbook as text.",
        choices=("reject", "skip", "keep"), kept="settings", safe=True, default="reject"),
    JobOption("select", INPUT, "ROWS",
        "Take only the rows with these numbers: 1-100,500,1000-."),
    JobOption("where", INPUT, "CONDITION",
        "Take only rows that meet this condition: 'country == \"DE\" and size > 100'.",
        kept="recipes", safe=True, form="a condition on the columns", is_main=True),
    JobOption("sample", INPUT, "N",
        "Take only a sample of N rows from the whole file, the same rows each time.",
        number=True),
    JobOption("dry-run", INPUT, "",
        "Check the file and show the first commands, but change nothing.",
        short="-n", is_main=True),
    JobOption("recipe", WORK, "NAME",
        "Take the command and options from a recipe (see jobctl recipe); options given here win.",
        completes="recipes"),
    JobOption("name", JOB, "NAME",
        "The name of the job; default: the name of the file.",
        kept="recipes", safe=True, form="the name of the job", is_main=True),
    JobOption("label", JOB, "NAME=VALUE",
        "Give the job this label; may be repeated.",
        multiple=True, parse=f"{_VALUES}:parse_labels", kept="settings", safe=True,
        form='texts of the form "name=value"'),
    JobOption("queue", START, "NAME",
        "The queue that the job waits in; default: the queue named default.",
        kept="settings", safe=True, form="the name of a queue", default="default", completes="queues"),
    JobOption("new-queue", START, "",
        "Create the queue that --queue names if it does not exist.",
        kept="settings", safe=True, default="false"),
    JobOption("priority", START, "N",
        "Jobs with a higher priority start first; default: 0.",
        number=True, parse=f"{_VALUES}:parse_priority", kept="settings", safe=True, form="a whole number",
        default="0", effect="Counts for the next item that starts."),
    JobOption("key", ONCE, "KEY",
        "The idempotency key: the same work with the same key is accepted only once.",
        kept="recipes", safe=True, form="an idempotency key"),
    JobOption("on-duplicate", ONCE, "return|fail|resume",
        "If a job has this --key: print its number (default), fail, or retry that job.",
        choices=("return", "fail", "resume"), kept="settings", safe=True, default="return"),
    JobOption("unique", ONCE, "",
        "Refuse the job if a job with the same work is not done yet.",
        kept="recipes", safe=True),
    JobOption("item-key", ONCE, "COLUMN",
        "The column that identifies a row; its values must be unique.",
        kept="recipes", safe=True, form="the name of a column"),
    JobOption("only-new", ONCE, "",
        "Skip rows that are open or done in jobs of this --name, by --item-key and content.",
        kept="recipes", safe=True),
    JobOption("new-by", ONCE, "COLUMN,...",
        "The columns that --only-new compares; default: all of them.",
        parse=f"{_VALUES}:parse_columns", kept="recipes", safe=True, form='names of columns such as "email,amount"'),
    JobOption("hold", START, "",
        "Accept the job, but hold it until jobctl resume starts it.",
        kept="recipes", safe=True),
    JobOption("after", START, "JOB[:any]",
        "Start after this job has succeeded (JOB:any: after it is done, however it ended).",
        multiple=True),
    JobOption("not-before", START, "TIME",
        "Do not start before this time: 22:00, tomorrow 06:00, monday 06:00, 2026-12-01, or 2h (from now).",
        parse=f"{_TIMES}:parse_start", can_be_none=True, field="not_before_s", kept="recipes", safe=True,
        form=_A_TIME, effect="Counts for items that start from now on; running items finish."),
    JobOption("notify", DONE, "URL",
        "POST the outcome of the job to this URL, signed and retried; may be repeated.",
        multiple=True, kept="settings", safe=False, form="one or more URLs"),
    JobOption("on-done", DONE, "COMMAND",
        "Run this command with /bin/sh; it reads the outcome as JSON from standard input.",
        multiple=True, kept="settings", safe=False, form="one or more commands for /bin/sh"),
    JobOption("notify-secret-env", DONE, "NAME",
        "The environment variable of the daemon that has the signing secret.",
        kept="settings", safe=False, form="the name of a variable"),
    JobOption("notify-secret-file", DONE, "FILE",
        "The file (mode 0600) that has the signing secret.",
        kept="settings", safe=False),
    JobOption("allow-http", DONE, "",
        "Let --notify use http, without TLS, to reach other machines.",
        kept="recipes", safe=False),
    JobOption("slots", LIMITS, "N",
        "The maximum number of items that run at once; default: all slots of the daemon.",
        short="-j", number=True, lowest=1, can_be_none=True, field="slots", kept="settings", safe=True,
        default="all of the daemon", effect="Counts at once; items above a lower number finish.", of_queues=True,
        is_main=True),
    JobOption("timeout", LIMITS, "DURATION[,...]",
        "Stop an item after this time: 90 (seconds), 5m, 2h; by attempt: 5m,20m,1h; default: never.",
        parse=f"{_VALUES}:parse_timeout", can_be_none=True, field="timeout_s", kept="settings", safe=True,
        form='a duration such as "5m", or durations by attempt such as "5m,20m,1h"', default="none",
        effect="Counts for items that start from now on; running items keep their limit.", is_main=True),
    JobOption("attempts", FAILURES, "N",
        "The maximum number of attempts for each item, including the first; default: 3.",
        number=True, lowest=1, field="attempts", kept="settings", safe=True, default="3",
        effect="Counts for items that fail from now on.", is_main=True),
    JobOption("gpus-per-item", LIMITS, "N",
        "The number of GPUs reserved for each item; CUDA_VISIBLE_DEVICES lists them.",
        number=True, lowest=1, field="gpus", kept="settings", safe=True, default="none"),
    JobOption("nice", LIMITS, "N",
        "The CPU priority of items: 0 (default) to 19 (lowest); root can also raise it with -1 to -20.",
        number=True, lowest=-20, highest=19, check="jobctl.process.priority:check_nice", field="nice",
        kept="settings", safe=True, default="0", effect="Counts for items that start from now on."),
    JobOption("ionice", LIMITS, "idle|best-effort[:LEVEL]",
        "The disk priority of items: idle, or best-effort with a level from 0 (highest) to 7.",
        choices=("idle", "best-effort", *(f"best-effort:{level}" for level in range(8))), can_be_none=True,
        check="jobctl.process.priority:check_ionice", field="ionice", kept="settings", safe=True, default="none",
        effect="Counts for items that start from now on."),
    JobOption("resources", LIMITS, "NAME=N,...",
        "The resources of a cluster worker that each item needs: gpu=1,mem=8.",
        parse=f"{_VALUES}:parse_needs", field="resources", applies="clusters", kept="settings", safe=True,
        form='what an item needs such as "gpu=1,mem=8"'),
    JobOption("cwd", WORK, "DIR",
        "The working directory of items; default: the current directory.",
        short="-C", kept="recipes", safe=False),
    JobOption("env", WORK, "NAME[=VALUE]",
        "Give items this variable; without a value, they get the value that the daemon has.",
        multiple=True, kept="settings", safe=False, form='texts of the form "NAME=VALUE" or "NAME"', of_rounds=True),
    JobOption("env-all", WORK, "",
        "Give items all variables of this shell; their values are stored with the job.",
        kept="settings", safe=False, default="false"),
    JobOption("env-file", WORK, "FILE",
        "A file of NAME=VALUE lines, read when items start (for secrets).",
        kept="settings", safe=False),
    JobOption("shell", WORK, "TEXT",
        "Run this shell script instead of COMMAND; it gets the values of the row as variables.",
        kept="recipes", safe=False, form="a script for /bin/sh"),
    JobOption("call", FUNCTION, "MODULE:FUNCTION",
        "Call this function with each row instead of starting a COMMAND.",
        parse=_TARGET, kept="recipes", safe=False, form=_A_FUNCTION),
    JobOption("call-style", FUNCTION, "kwargs|dict",
        "Pass the columns as keyword arguments (default), or the row as one dict.",
        choices=("kwargs", "dict"), applies="calls", kept="recipes", safe=False),
    JobOption("call-setup", FUNCTION, "MODULE:FUNCTION",
        "Call this function once in each worker, before its first row.",
        parse=_TARGET, applies="calls", kept="recipes", safe=False, form=_A_FUNCTION),
    JobOption("recycle", FUNCTION, "N",
        "Replace a worker after this number of calls; default: never.",
        number=True, lowest=1, field="recycle", applies="calls", kept="recipes", safe=True),
    JobOption("python", FUNCTION, "PATH",
        "The Python interpreter; default: that of the active environment.",
        applies="calls", kept="recipes", safe=False, completes="files"),
    JobOption("undo", UNDO, "COMMAND",
        "Keep this command as the way to take a row back (see jobctl undo): --undo './refund {id}'.",
        parse="jobctl.domain.undo:parse_command", kept="recipes", safe=False, form="a command, quoted as for a shell"),
    JobOption("undo-shell", UNDO, "TEXT",
        "Keep this shell script as the way to take a row back.",
        kept="recipes", safe=False, form="a script for /bin/sh"),
    JobOption("undo-call", UNDO, "MODULE:FUNCTION",
        "Keep this function as the way to take a row back.",
        parse=_TARGET, kept="recipes", safe=False, form=_A_FUNCTION),
    JobOption("undo-on-failure", UNDO, "",
        "Take all rows back that succeeded when the job fails, is partial or expires.",
        kept="recipes", safe=False),
    JobOption("retry-on", FAILURES, "CODES",
        "Retry only after these exit codes: 1,75; default: all except 65, 126 and 127.",
        parse=_CODES, field="retry_on", kept="settings", safe=True, form='exit codes such as "1,75"',
        of_rounds=True),
    JobOption("no-retry-on", FAILURES, "CODES",
        "Never retry after these exit codes.",
        parse=_CODES, field="no_retry_on", kept="settings", safe=True, form='exit codes such as "2,3"',
        default="65,126,127", of_rounds=True),
    JobOption("backoff", FAILURES, "WAIT[xFACTOR][..MAX]",
        "The wait between attempts, shortened at random by up to half; default: 2sx4..60s.",
        parse="jobctl.domain.policy:parse_backoff", field="backoff", kept="settings", safe=True,
        form='a wait such as "2s", "2sx4" or "2sx4..60s"', default="2sx4..60s", of_rounds=True),
    JobOption("grace", FAILURES, "DURATION",
        "The time between TERM and KILL; default: 10s.",
        parse=f"{_VALUES}:parse_wait", field="grace_s", kept="settings", safe=True, form=_TIME, default="10s",
        effect="Counts for items that are ended from now on."),
    JobOption("max-failures", FAILURES, "N|N%",
        "Stop the job if more than N items fail in a round (N%: after 20 are processed); default: never.",
        parse="jobctl.domain.policy:parse_max_failures", can_be_none=True, field="max_failures", kept="settings",
        safe=True, form='a number or a share such as "50" or "5%"', default="none",
        effect="Counts at once, with the failures of this round so far.", is_main=True),
    JobOption("halt", FAILURES, "soon|now",
        "When --max-failures stops the job, let running items finish (default), or end them.",
        choices=("soon", "now"), field="halt", kept="settings", safe=True, default="soon",
        effect="Counts when max-failures stops the job."),
    JobOption("deadline", LIMITS, "TIME",
        "End the job after 2h, or at 18:00 or tomorrow 06:00; items that are left become unprocessed; default: never.",
        parse=f"{_TIMES}:parse_deadline", can_be_none=True, field="deadline_s", kept="settings", safe=True,
        form=_A_TIME, default="none", effect="A duration counts from now."),
    JobOption("on-crash", FAILURES, "requeue|fail",
        "After a crash, run the interrupted items again (default), or let them fail.",
        choices=("requeue", "fail"), field="on_crash", kept="settings", safe=True, default="requeue"),
    JobOption("leftovers", FAILURES, "wait|end|fail",
        "If an item leaves processes behind, wait for them (default), end them, or fail the item.",
        choices=("wait", "end", "fail"), field="leftovers", kept="settings", safe=True, default="wait",
        effect="Counts for items that end from now on."),
    JobOption("rate", LIMITS, "N/s",
        "The maximum rate at which items start: 100/s, 60/m; default: no limit.",
        parse=f"{_VALUES}:checked_rate", can_be_none=True, field="rate", kept="settings", safe=True,
        form='starts per time such as "100/s" or "60/m"', default="none",
        effect="Counts for items that start from now on.", of_queues=True),
    JobOption("output-cap", OUTPUT, "SIZE",
        "The maximum output kept of each stream of an item; default: 64M.",
        parse="jobctl.domain.durations:parse_size", field="output_cap", kept="settings", safe=True,
        form='a size such as "64K" or "2G"', default="64M", of_rounds=True),
)
# fmt: on
BY_NAME = {option.name: option for option in OPTIONS}


def is_given(value: object) -> bool:
    """Return whether an option was given that has this value. A zero was given."""
    return not (value is None or value is False or value in ((), []))


def by_panel(options: tuple[JobOption, ...]) -> list[JobOption]:
    """Return options in the order of their headings on the help page."""
    places = {panel: place for place, panel in enumerate(PANELS)}
    return sorted(options, key=lambda option: places[option.panel])
