"""The words of other tools for commands and options of jobctl: GNU parallel, xargs, pueue, task-spooler, Slurm."""

from __future__ import annotations

from collections.abc import Iterable


def _by_word(table: dict[str, str]) -> dict[str, str]:
    return {word: ours for words, ours in table.items() for word in words.split()}


#: Words for commands, each with the command to type. JOB is replaced by the jobs that follow the word.
_COMMANDS = _by_word(
    {
        "list ls ps jobs show info squeue": "jobctl status [JOB]",
        "add enqueue push sbatch create new": "jobctl submit FILE -- COMMAND",
        "kill stop abort scancel": "jobctl cancel JOB; the daemon: jobctl daemon stop",
        "start pueued": "jobctl daemon start; a job that is paused: jobctl resume JOB",
        "restart rerun requeue redo": "jobctl retry JOB; the daemon: jobctl daemon restart",
        "log tail follow output cat": "jobctl logs JOB --follow",
        "rm remove delete clean clear purge gc": "jobctl prune; jobctl cancel JOB",
        "hold suspend": "jobctl pause JOB",
        "release continue unpause": "jobctl resume JOB",
        "why history journal": "jobctl explain JOB",
        "event activity feed audit": "jobctl events [JOB...]",
        "watch monitor progress": "jobctl status [JOB] --watch",
        "ui tui htop": "jobctl top",
        "queues group groups parallel": "jobctl queue list; jobctl queue set QUEUE slots=N",
        "check health": "jobctl doctor; a job: jobctl verify JOB",
        "settings configuration": "jobctl config show",
        "version": "jobctl --version",
        "manual manpage docs doc": "jobctl man; a command: jobctl COMMAND --help",
    }
)
#: Words for commands of a group, each with the command to type. The first placeholder is the word that follows.
_SUBCOMMANDS = {
    "queue": _by_word(
        {
            "pause stop hold suspend": "jobctl pause --queue QUEUE",
            "resume start release unpause continue": "jobctl resume --queue QUEUE",
            "add create new make limit change edit": "jobctl queue set QUEUE slots=N",
            "show status ls get info": "jobctl queue list",
            "rm remove delete drop": "jobctl queue set QUEUE slots=none rate=none; a queue itself is not removed",
            "jobs items": "jobctl status",
        }
    ),
    "daemon": _by_word(
        {
            "up begin launch enable": "jobctl daemon start",
            "down kill shutdown end quit exit terminate": "jobctl daemon stop",
            "reload bounce": "jobctl daemon restart",
            "log journal tail": "jobctl daemon logs",
            "info show ping check ps": "jobctl daemon status",
            "foreground serve": "jobctl daemon run",
            "service systemd unit uninstall": "jobctl daemon install",
        }
    ),
    "config": _by_word(
        {
            "get list ls view dump print": "jobctl config show",
            "file files where": "jobctl config path",
            "rm remove delete reset del": "jobctl config unset KEY",
            "open vi": "jobctl config edit",
            "add put": "jobctl config set KEY VALUE",
            "allow": "jobctl config trust",
            "deny revoke": "jobctl config untrust",
        }
    ),
    "recipe": _by_word(
        {
            "ls all": "jobctl recipe list",
            "get cat view info print": "jobctl recipe show RECIPE",
            "run submit use start": "jobctl submit FILE --recipe NAME",
            "add create new set edit rm remove delete": "jobctl config edit; jobctl-config(5) says what a recipe has",
        }
    ),
    "notify": _by_word(
        {
            "ls show status log history": "jobctl notify list",
            "send retry redeliver again": "jobctl notify resend ID",
            "add create new set": "jobctl submit FILE --notify URL -- COMMAND",
        }
    ),
}
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


def subcommand_for(group: str, word: str) -> str | None:
    """Return the command to type in place of a word that a group does not have; None if the word is unknown."""
    return _SUBCOMMANDS.get(group, {}).get(word.lower())


def option_for(word: str, known: Iterable[str]) -> str | None:
    """Return our option for one of another tool (``--jobs``), if the command has it."""
    ours = _OPTIONS.get(word.lower().lstrip("-"))
    return ours if ours in set(known) else None
