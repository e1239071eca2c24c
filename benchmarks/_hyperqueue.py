"""Runs ``true`` COUNT times on a HyperQueue LocalCluster, with output files, which are its default."""

from __future__ import annotations

import sys
import tempfile

from hyperqueue import Job
from hyperqueue.cluster import LocalCluster, WorkerConfig


def main() -> None:
    """``COUNT SLOTS``: submit one job of COUNT tasks and wait for it."""
    count, slots = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder, LocalCluster(folder, WorkerConfig(slots)) as cluster:
        client = cluster.client()
        job = Job(default_workdir=folder)
        for number in range(count):
            job.program(["true", str(number)])
        client.wait_for_jobs([client.submit(job)])


if __name__ == "__main__":
    main()
