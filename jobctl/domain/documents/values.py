"""The kinds of values that many documents share."""

from __future__ import annotations

from typing import Annotated, Literal

from jobctl.domain.documents.keywords import Keywords

Count = Annotated[int, Keywords(minimum=0)]
#: Numbers of jobs, items, rounds, attempts and processes begin at 1.
Number = Annotated[int, Keywords(minimum=1)]
Seconds = Annotated[float, Keywords(minimum=0)]
#: A moment in UTC, to the millisecond.
Time = Annotated[str, Keywords(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
Uid = Annotated[str, Keywords(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Sha256 = Annotated[str, Keywords(pattern="^[0-9a-f]{64}$")]

LiveJobState = Literal["queued", "running", "paused", "cancelling"]
EndedJobState = Literal["succeeded", "partial", "failed", "cancelled", "expired"]
JobStateName = LiveJobState | EndedJobState
ItemStateName = Literal["queued", "running", "retrying", "succeeded", "failed", "unprocessed"]
