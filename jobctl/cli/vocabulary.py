"""The words of other tools for commands and options of jobctl: GNU parallel, xargs, pueue, task-spooler, Slurm."""

from __future__ import annotations

from collections.abc import Iterable


def _by_word(table: dict[str, str]) -> dict[str, str]:
    return {word: ours for words, ours in table.items() for word in words.split()}


#: Words for commands, each with the command to type.
_COMMANDS = _by_word(
    {
        "list ls ps jobs show info squeue": "jobctl status",
        "add enqueue push sbatch create new": "jobctl submit FILE -- COMMAND",
        "kill stop abort scancel": "jobctl cancel JOB; the daemon: jobctl daemon stop",
        "start pueued": "jobctl daemon start; a job that is paused: jobctl resume JOB",
        "restart rerun requeue redo": "jobctl retry JOB",
        "log tail follow output cat": "jobctl logs JOB --follow",
        "rm remove delete clean clear purge gc": "jobctl prune; jobctl cancel JOB",
        "hold suspend": "jobctl pause JOB",
        "release continue unpause": "jobctl resume JOB",
        "why history journal": "jobctl explain JOB",
        "watch monitor progress": "jobctl status --watch",
        "ui tui htop": "jobctl top",
        "queues group groups parallel": "jobctl queue list; jobctl queue set QUEUE slots=N",
        "check health": "jobctl doctor; a job: jobctl verify JOB",
        "settings configuration": "jobctl config show",
        "version": "jobctl --version",
        "manual manpage docs doc": "jobctl man; a command: jobctl COMMAND --help",
    }
)
#: Words for options, with our option, if the command has it.
_OPTIONS = _by_word(
    {
        "p jobs parallel parallelism concurrency max-procs procs threads num-jobs max-workers workers": "--slots",
        "retries tries max-tries retry max-retries max-attempts": "--attempts",
        "group partition lane": "--queue",
        "delay begin start-at": "--not-before",
        "workdir chdir wd working-directory directory dir": "--cwd",
        "dependency depends depend after-ok afterok": "--after",
        "comments comment-char comment-prefix": "--comment",
        "colsep sep separator field-separator": "--delimiter",
        "time time-limit max-time": "--timeout",
        "prio": "--priority",
        "input-format type": "--format",
        "limit-rate throttle": "--rate",
        "force kill immediately": "--now",
        "failed running succeeded queued unprocessed retrying status filter": "--state",
        "live follow": "--watch",
        "file out": "--output",
        "age older min-age": "--older-than",
    }
)


def command_for(word: str) -> str | None:
    """Return the command to type in place of one of another tool; None if the word is unknown."""
    return _COMMANDS.get(word.lower())


def option_for(word: str, known: Iterable[str]) -> str | None:
    """Return our option for one of another tool (``--jobs``), if the command has it."""
    ours = _OPTIONS.get(word.lower().lstrip("-"))
    return ours if ours in set(known) else None
