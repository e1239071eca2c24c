"""A finished job of every outcome over any input, made by the real engine with a scripted executor."""

from __future__ import annotations

import io
from pathlib import Path

from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.ports import Dispatch
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources import InputOptions
from jobctl.store import jobs
from tests.engine.bench import Bench
from tests.executors.fake import Play

FAILURES_ALLOWED = 3


def fails_on_bad(dispatch: Dispatch) -> Play:
    """Rows with ``bad`` in them fail for good."""
    bad = any(b"bad" in word for word in dispatch.argv)
    return Play(code=65, err=b"no luck\n") if bad else Play(out=b'done, "quoted"\n')


class WorkedOff(Bench):
    """A bench on which ``bad`` rows fail, and no item starts after the fourth failure."""

    def __init__(self, root: Path, slots: int = 1) -> None:
        super().__init__(root, script=fails_on_bad, slots=slots)

    def finish(
        self, name: str, text: str, command: tuple[str, ...] = ("do", "{}"), shell: str | None = None, **options: object
    ) -> int:
        """Submit an input and work it off; the job's number."""
        path = self.root / name
        path.write_bytes(text.encode())
        policy = Policy(backoff=Backoff(0.1), max_failures=str(FAILURES_ALLOWED))
        request = SubmitRequest(
            input=InputOptions(str(path), **options),  # type: ignore[arg-type]
            command=command if shell is None else (),
            shell=shell,
            policy=policy,
            cwd=str(self.root),
        )
        job = submit(self.home, request, now=self.now, stdin=io.BytesIO()).job
        self.work_off()
        return job

    def mixed(self, **options: object) -> int:
        """A CSV job with rows in all three files: 5 succeeded, 4 failed, 3 unprocessed."""
        names = ["a", "bad1", "b,c", "bad2", 'd"e', "bad3", "f", "g", "bad4", "h", "i", "j"]
        rows = "".join(f'{n},"{name.replace(chr(34), chr(34) * 2)}"\n' for n, name in enumerate(names, 1))
        job = self.finish("mixed.csv", "id,name\n" + rows, ("do", "{name}"), **options)
        counts = jobs.load(self.database, job).counts  # type: ignore[union-attr]
        assert (counts.succeeded, counts.failed, counts.unprocessed) == (5, 4, 3)
        return job
