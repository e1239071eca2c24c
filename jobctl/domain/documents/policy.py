"""The rules of a job, as its submitter gave them."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.values import Count, Number, Seconds, Time


class BackoffBlock(TypedDict):
    """The wait before another attempt."""

    base_s: Seconds
    factor: float
    cap_s: Seconds


class PolicyBlock(TypedDict):
    """The rules of one job; null = no such limit."""

    slots: Number | None
    attempts: Number
    timeout_s: Annotated[Seconds | None, "the time limit of an attempt; with timeouts_s, the longest of them"]
    timeouts_s: NotRequired[
        Annotated[
            list[Seconds],
            "time limits by attempt of a round, the last one for all further attempts; empty = timeout_s for all",
        ]
    ]
    grace_s: Seconds
    backoff: BackoffBlock
    retry_on: list[int]
    no_retry_on: list[int]
    on_crash: Literal["requeue", "fail"]
    leftovers: NotRequired[
        Annotated[Literal["end", "wait", "fail"], "the rule for processes that outlive the command of an item"]
    ]
    max_crashes: Count
    deadline_s: Annotated[Seconds | None, "seconds that each round may take; null when a point in time was given"]
    deadline_at: NotRequired[Annotated[Time | None, "the deadline, if it was given as a point in time"]]
    not_before_s: NotRequired[
        Annotated[
            Seconds | None,
            "seconds after the submission before which nothing starts; null when a point in time was given",
        ]
    ]
    max_failures: Annotated[str | None, "a number, or a share such as 5%"]
    min_finished: Count
    halt: Literal["soon", "now"]
    rate: str | None
    output_cap: Count
    recycle: NotRequired[Annotated[Count, "calls after which a worker is replaced; 0 = never"]]
    nice: NotRequired[Annotated[int, "added to the niceness of the daemon: -20 to 19"]]
    ionice: NotRequired[Annotated[str | None, "priority for the disk: idle, best-effort or best-effort:0 to 7"]]
    gpus: NotRequired[Annotated[Count, "GPUs that each item has for itself"]]
    resources: NotRequired[
        Annotated[list[list[object]], "the resources of a worker that an item needs: name and amount"]
    ]
    only_new: NotRequired[Annotated[bool, "whether rows that an earlier job of this name has done are left out"]]
    new_by: NotRequired[Annotated[list[str], "the columns that only_new compares; empty = all"]]


class RuleBlock(TypedDict):
    """A rule of a job that was changed, with its values as people type them."""

    setting: Annotated[str, "the name of the option, such as timeout"]
    before: Annotated[str, "none = there was no such limit; of env, the names of the variables"]
    after: str
