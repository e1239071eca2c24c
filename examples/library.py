"""Submit rows from a program, follow the job, look at its failures by cause, and read the results.

A daemon runs the job (jobctl daemon start): python examples/library.py
"""

from __future__ import annotations

from collections.abc import Iterator

import orders

import jobctl


def open_orders() -> Iterator[dict[str, object]]:
    """The rows; a generator of millions takes no more memory than this one."""
    for number in range(1, 101):
        yield {"id": number, "amount": 0 if number % 25 == 0 else 9.9}


def main() -> None:
    """Charge all open orders."""
    store = jobctl.Store()
    # With a key, a program that is started again finds its job and does not charge an order twice.
    job = store.submit(rows=open_orders(), call=orders.charge, slots=4, key="orders-of-the-day")
    for event in job.events():
        print(event.type)
    status = job.wait()
    print(f"job {job.id} {status.state}: {status.counts.succeeded} succeeded, {status.counts.failed} failed")

    for cause in job.causes().causes:
        orders_of_cause = ", ".join(str(item.row["id"]) for item in job.items(cause=cause.cause))
        print(f"{cause.code}: {cause.message}: orders {orders_of_cause}")
    if status.retry.failed_retryable:  # the others would fail again
        job.retry(timeout="10m")
        job.wait()

    receipts = [row["_jobctl"]["result"]["receipt"] for row in job.results("succeeded")]
    print(f"{len(receipts)} receipts, the first one is {receipts[0]}")


if __name__ == "__main__":
    main()
