"""The one table of job options: what ``submit`` and ``run`` take, what settings and recipes may hold, and what
``jobctl set`` changes.

A row is all that the command line, the help pages, the completions, the settings and ``jobctl set`` know of an option.
To add one, add a row, its field in ``policy.py``, and the place where it takes effect.

Every ``jobctl submit`` builds this table, so it imports nothing: a row names its parser, and whoever reads a value
looks it up (``option_values.py``). Without ``from __future__ import annotations`` the class is made in half the time.
"""

from typing import Literal, NamedTuple

#: ``settings``: in ``[submit]`` and in recipes; ``recipes``: in recipes alone; empty: on the command line alone.
Kept = Literal["", "settings", "recipes"]
#: The jobs that an option is for, where it is not for all of them.
Applies = Literal["", "calls", "clusters"]

INPUT = "Input"
JOB = "The job"
DONE = "When it is done"
ITEMS = "How items run"
FUNCTION = "A Python function"
FAILURES = "Failures"
#: The word that takes a limit away.
NO_LIMIT = "none"
#: The highest number of anything, see ``policy.MAX_COUNT``.
MOST = 1_000_000_000


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
    choices: tuple[str, ...] = ()  # all the values that it can have
    can_be_none: bool = False  # the value none takes the limit away
    field: str = ""  # of the policy, which keeps what ``parse`` returns
    applies: Applies = ""
    check: str = ""  # module:function that raises UsageError for a value that this machine cannot work with
    kept: Kept = ""
    #: Whether the key counts in a project file that the user has not trusted. A key that runs, connects, deletes,
    #: reads files or passes the environment on must not. None, for a key that nobody has judged, is no.
    safe: bool | None = None
    form: str = ""  # what the value may be in settings, in words, where the rest of the row does not tell
    default: str = ""  # the value where nobody has set one, as ``jobctl config show`` says it
    effect: str = ""  # jobctl set changes it while the job runs: when that counts, as a sentence
    of_queues: bool = False  # jobctl queue set sets it, too
    completes: str = ""  # what can be typed, where the metavar does not tell: queues | recipes | files

    @property
    def key(self) -> str:
        """Its name as a Python name."""
        return self.name.replace("-", "_")

    @property
    def setting(self) -> str:
        """As jobctl set takes it: ``slots=N|none``."""
        return f"{self.name}={self.metavar}" + (f"|{NO_LIMIT}" if self.can_be_none else "")


_DURATION = "jobctl.domain.durations:parse_duration"
_CODES = "jobctl.domain.policy:parse_codes"
_TARGET = "jobctl.domain.call:parse_target"
_VALUES = "jobctl.domain.option_values"
_TIME = 'a duration such as "90s", "5m" or "2h30m"'
_A_FUNCTION = 'a function such as "package.module:function"'

# One row is an identity, a help text and what the option does; the formatter would give each word a line of its own.
# fmt: off
OPTIONS: tuple[JobOption, ...] = (
    JobOption("format", INPUT, "FORMAT",
        "The format: csv, tsv, jsonl, lines, xlsx or parquet; default: by the name of the file.",
        choices=("csv", "tsv", "jsonl", "lines", "xlsx", "parquet"), kept="recipes", safe=True),
    JobOption("delimiter", INPUT, "CHAR",
        "The character between the fields of a CSV file: comma (default), tab, semicolon, pipe, or any other.",
        kept="recipes", safe=True, form="one character"),
    JobOption("comment", INPUT, "PREFIX",
        "Leave out lines of a text file that begin with this, such as '#'.",
        kept="recipes", safe=True, form="what comment lines begin with"),
    JobOption("encoding", INPUT, "NAME",
        "The encoding of the file, if it is not UTF-8.",
        kept="recipes", safe=True, form="the name of an encoding"),
    JobOption("no-header", INPUT, "",
        "The first row is data; the columns are called 1, 2, 3.",
        kept="recipes", safe=True),
    JobOption("sheet", INPUT, "NAME",
        "The sheet of a workbook; default: the first one.",
        kept="recipes", safe=True, form="the name of a sheet"),
    JobOption("from-joblog", INPUT, "",
        "FILE is a GNU parallel joblog: run its failed commands again, by /bin/sh."),
    JobOption("invalid", INPUT, "reject|skip|keep",
        "Bad rows: refuse the file (default), leave them out, or keep error cells of a workbook as text.",
        choices=("reject", "skip", "keep"), kept="settings", safe=True, default="reject"),
    JobOption("select", INPUT, "ROWS",
        "Take only these rows of the file, by number: 1-100,500,1000-."),
    JobOption("where", INPUT, "CONDITION",
        "Take only rows like this: 'country == \"DE\" and size > 100'.",
        kept="recipes", safe=True, form="a condition on the columns"),
    JobOption("sample", INPUT, "N",
        "A trial: take only N rows from all over the file, the same rows each time.",
        number=True),
    JobOption("dry-run", INPUT, "",
        "Check the file and show the first commands; change nothing.",
        short="-n"),
    JobOption("recipe", JOB, "NAME",
        "Take command and options from a recipe, see jobctl recipe; what is given here wins.",
        completes="recipes"),
    JobOption("name", JOB, "NAME",
        "The name of the job; default: the name of the file.",
        kept="recipes", safe=True, form="the name of the job"),
    JobOption("label", JOB, "NAME=VALUE",
        "Keep this label with the job; may be repeated.",
        multiple=True, parse=f"{_VALUES}:parse_labels", kept="settings", safe=True,
        form='texts of the form "name=value"'),
    JobOption("queue", JOB, "NAME",
        "The queue that it waits in; default: the queue named default.",
        kept="settings", safe=True, form="the name of a queue", default="default", completes="queues"),
    JobOption("new-queue", JOB, "",
        "Make the queue that --queue names, if it does not exist yet.",
        kept="settings", safe=True, default="false"),
    JobOption("priority", JOB, "N",
        "Jobs with a higher priority start first; default: 0.",
        number=True, parse=f"{_VALUES}:parse_priority", kept="settings", safe=True, form="a whole number",
        default="0", effect="Counts for the next item that starts."),
    JobOption("key", JOB, "KEY",
        "Idempotency key: the same key and the same work is the same job.",
        kept="recipes", safe=True, form="an idempotency key"),
    JobOption("on-duplicate", JOB, "return|fail|resume",
        "If the key is known: print that job (default), fail, or retry that job.",
        choices=("return", "fail", "resume"), kept="settings", safe=True, default="return"),
    JobOption("unique", JOB, "",
        "Refuse the job while another job with the same work is not done.",
        kept="recipes", safe=True),
    JobOption("item-key", JOB, "COLUMN",
        "The column that names a row; no two rows may have the same value there.",
        kept="recipes", safe=True, form="the name of a column"),
    JobOption("only-new", JOB, "",
        "Leave out rows that are done or open under this --name, by --item-key and content.",
        kept="recipes", safe=True),
    JobOption("new-by", JOB, "COLUMN,...",
        "The columns that --only-new compares; default: all of them.",
        parse=f"{_VALUES}:parse_columns", kept="recipes", safe=True, form='names of columns such as "email,amount"'),
    JobOption("hold", JOB, "",
        "Accept the job paused; jobctl resume starts it.",
        kept="recipes", safe=True),
    JobOption("after", JOB, "JOB[:any]",
        "Start when that job has succeeded (any: when it is done, however it ended).",
        multiple=True),
    JobOption("not-before", JOB, "TIME",
        "Start at this time or later: 2026-11-23T18:00:00Z, or 2h for two hours from now.",
        parse=f"{_VALUES}:parse_start"),
    JobOption("notify", DONE, "URL",
        "POST the outcome to this URL, signed and retried; may be repeated.",
        multiple=True, kept="settings", safe=False, form="one or more URLs"),
    JobOption("on-done", DONE, "COMMAND",
        "Run this by /bin/sh, with the outcome as JSON on its standard input.",
        multiple=True, kept="settings", safe=False, form="one or more commands for /bin/sh"),
    JobOption("notify-secret-env", DONE, "NAME",
        "The variable of the daemon that holds the secret for signatures.",
        kept="settings", safe=False, form="the name of a variable"),
    JobOption("notify-secret-file", DONE, "FILE",
        "The file (mode 0600) that holds the secret for signatures.",
        kept="settings", safe=False),
    JobOption("allow-http", DONE, "",
        "Let --notify use http to reach other machines.",
        kept="recipes", safe=False),
    JobOption("slots", ITEMS, "N",
        "The most items that run at once; default: as many as the daemon has slots.",
        short="-j", number=True, lowest=1, can_be_none=True, field="slots", kept="settings", safe=True,
        default="all of the daemon", effect="Counts at once; items above a lower number finish.", of_queues=True),
    JobOption("timeout", ITEMS, "DURATION",
        "Stop an item after this time: 90, 5m, 2h; default: never.",
        parse=_DURATION, can_be_none=True, field="timeout_s", kept="settings", safe=True, form=_TIME, default="none",
        effect="Counts for items that start from now on; an item that runs keeps the limit it started with."),
    JobOption("attempts", ITEMS, "N",
        "Attempts of an item, the first included; default: 3.",
        number=True, lowest=1, field="attempts", kept="settings", safe=True, default="3",
        effect="Counts for items that fail from now on."),
    JobOption("gpus-per-item", ITEMS, "N",
        "GPUs that each item has for itself, named in CUDA_VISIBLE_DEVICES.",
        number=True, lowest=1, field="gpus", kept="settings", safe=True, default="none"),
    JobOption("nice", ITEMS, "N",
        "Lower the priority of items for the CPU: 0 (default) to 19, the lowest; below 0 raises it, as root.",
        number=True, lowest=-20, highest=19, check="jobctl.process.priority:check_nice", field="nice",
        kept="settings", safe=True, default="0", effect="Counts for items that start from now on."),
    JobOption("ionice", ITEMS, "idle|best-effort[:LEVEL]",
        "Lower the priority of items for the disk: idle, or best-effort with a level from 0, the highest, to 7.",
        choices=("idle", "best-effort", *(f"best-effort:{level}" for level in range(8))), can_be_none=True,
        check="jobctl.process.priority:check_ionice", field="ionice", kept="settings", safe=True, default="none",
        effect="Counts for items that start from now on."),
    JobOption("resources", ITEMS, "NAME=N,...",
        "What an item needs of a worker of a cluster: gpu=1,mem=8.",
        parse=f"{_VALUES}:parse_needs", field="resources", applies="clusters", kept="settings", safe=True,
        form='what an item needs such as "gpu=1,mem=8"'),
    JobOption("cwd", ITEMS, "DIR",
        "The working directory of items; default: the present one.",
        short="-C", kept="recipes", safe=False),
    JobOption("env", ITEMS, "NAME[=VALUE]",
        "Give items this variable; without a value they get that of the daemon.",
        multiple=True, kept="settings", safe=False, form='texts of the form "NAME=VALUE" or "NAME"'),
    JobOption("env-all", ITEMS, "",
        "Pass on all variables that are set here; their values are stored with the job.",
        kept="settings", safe=False, default="false"),
    JobOption("env-file", ITEMS, "FILE",
        "A file of NAME=VALUE lines, read when items start (for secrets).",
        kept="settings", safe=False),
    JobOption("shell", ITEMS, "TEXT",
        "Run this shell script instead of COMMAND; it gets the values as variables.",
        kept="recipes", safe=False, form="a script for /bin/sh"),
    JobOption("call", FUNCTION, "MODULE:FUNCTION",
        "Call this function with each row instead of starting a COMMAND.",
        parse=_TARGET, kept="recipes", safe=False, form=_A_FUNCTION),
    JobOption("call-style", FUNCTION, "kwargs|dict",
        "Pass the columns as keyword arguments (default), or the row as one dict.",
        choices=("kwargs", "dict"), applies="calls", kept="recipes", safe=False),
    JobOption("call-setup", FUNCTION, "MODULE:FUNCTION",
        "Each worker calls this function once, before its first row.",
        parse=_TARGET, applies="calls", kept="recipes", safe=False, form=_A_FUNCTION),
    JobOption("recycle", FUNCTION, "N",
        "Replace a worker after this number of calls; default: never.",
        number=True, lowest=1, field="recycle", applies="calls", kept="recipes", safe=True),
    JobOption("python", FUNCTION, "PATH",
        "The Python interpreter; default: that of the active environment.",
        applies="calls", kept="recipes", safe=False, completes="files"),
    JobOption("retry-on", FAILURES, "CODES",
        "Try again only after these exit codes: 1,75; default: after all but 65, 126 and 127.",
        parse=_CODES, field="retry_on", kept="settings", safe=True, form='exit codes such as "1,75"'),
    JobOption("no-retry-on", FAILURES, "CODES",
        "Never try again after these exit codes.",
        parse=_CODES, field="no_retry_on", kept="settings", safe=True, form='exit codes such as "2,3"',
        default="65,126,127"),
    JobOption("backoff", FAILURES, "WAIT[xFACTOR][..MAX]",
        "The wait between attempts: this long or up to half less, at random; default: 2sx4..60s.",
        parse="jobctl.domain.policy:parse_backoff", field="backoff", kept="settings", safe=True,
        form='a wait such as "2s", "2sx4" or "2sx4..60s"', default="2sx4..60s"),
    JobOption("grace", FAILURES, "DURATION",
        "The time between TERM and KILL; default: 10s.",
        parse=f"{_VALUES}:parse_wait", field="grace_s", kept="settings", safe=True, form=_TIME, default="10s",
        effect="Counts for items that are ended from now on."),
    JobOption("max-failures", FAILURES, "N|N%",
        "Stop the job when more items have failed in this round (N%: once 20 are processed); default: never.",
        parse="jobctl.domain.policy:parse_max_failures", can_be_none=True, field="max_failures", kept="settings",
        safe=True, form='a number or a share such as "50" or "5%"', default="none",
        effect="Counts at once, with the failures of this round so far."),
    JobOption("halt", FAILURES, "soon|now",
        "When --max-failures stops the job: let running items finish (default), or end them.",
        choices=("soon", "now"), field="halt", kept="settings", safe=True, default="soon",
        effect="Counts when max-failures stops the job."),
    JobOption("deadline", FAILURES, "DURATION",
        "End the whole job after this time; the rest is unprocessed; default: never.",
        parse=_DURATION, can_be_none=True, field="deadline_s", kept="settings", safe=True, form=_TIME,
        default="none", effect="The time counts from now."),
    JobOption("on-crash", FAILURES, "requeue|fail",
        "Items that a crash interrupted: run again (default), or fail.",
        choices=("requeue", "fail"), field="on_crash", kept="settings", safe=True, default="requeue"),
    JobOption("leftovers", FAILURES, "wait|end|fail",
        "Processes that an item leaves behind: wait for them (default), end them, or fail the item.",
        choices=("wait", "end", "fail"), field="leftovers", kept="settings", safe=True, default="wait",
        effect="Counts for items that end from now on."),
    JobOption("rate", FAILURES, "N/s",
        "The most items that start in a time: 100/s, 60/m; default: no limit.",
        parse=f"{_VALUES}:checked_rate", can_be_none=True, field="rate", kept="settings", safe=True,
        form='starts per time such as "100/s" or "60/m"', default="none",
        effect="Counts for items that start from now on.", of_queues=True),
    JobOption("output-cap", FAILURES, "SIZE",
        "The most output kept of an item, for each stream; default: 64M.",
        parse="jobctl.domain.durations:parse_size", field="output_cap", kept="settings", safe=True,
        form='a size such as "64K" or "2G"', default="64M"),
)
# fmt: on
BY_NAME = {option.name: option for option in OPTIONS}
