"""A task of Airflow that hands a file to jobctl and waits for it. The file can be loaded without Airflow as well.

Airflow may start a task again: after a failure, after a lost worker, by hand. The key makes that harmless. The second
start finds the job of the first, waits for it, and runs again only the rows that have failed.
"""

from __future__ import annotations

import jobctl


def process_orders(file: str, day: str) -> dict[str, int]:
    """Run ./import for each row of a file, once for each day; returns the counts, which are small enough for an XCom.

    Raises RuntimeError, so that Airflow shows the failure, if rows have failed.
    """
    store = jobctl.Store()
    job = store.submit(file, command=["./import", "{id}"], key=f"orders-{day}", name="orders", attempts=3)
    status = job.wait()
    if not status.ok and status.retry.available:  # this start is a retry of the task: run again what is left
        job.retry()
        status = job.wait()
    if not status.ok:
        raise RuntimeError(f"job {job.id} {status.state}: {status.state_reason}; see {status.next[0]}")
    return {"job": job.id, "succeeded": status.counts.succeeded}


try:
    from airflow.sdk import task
except ImportError:  # without Airflow the function is an ordinary one
    pass
else:
    orders_task = task(retries=2)(process_orders)
    # In a DAG: orders_task(file="/data/{{ ds }}/orders.csv", day="{{ ds }}")
