"""The supervisor's plain words mean the same as the port's classes."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys

from jobctl.domain import ports
from jobctl.domain.endings import Ending
from jobctl.supervisor import job_plan as plan
from jobctl.supervisor.protocol import fields, wire


def test_endings_and_flags_have_the_same_numbers() -> None:
    assert {ending.name: ending.value for ending in Ending} == {
        name: getattr(wire, name)
        for name in ("EXITED", "SIGNALLED", "TIMED_OUT", "CANCELLED", "INTERRUPTED", "NOT_STARTED", "RAISED", "LEFT")
    }
    assert {flag.name: flag.value for flag in ports.OutputFlag} == {
        name: getattr(wire, name) for name in ("CUT", "LEFTOVERS", "SETUP")
    }
    assert plan._SLOT_MARK == ports.SLOT_MARK


def test_messages_have_the_fields_in_the_order_that_is_relied_on() -> None:
    assert [field.name for field in dataclasses.fields(ports.JobSpec)] == [
        "job", "env", "cwd", "umask", "slots", "queue", "queue_slots", "timeout_s", "grace_s", "log_dir", "output_cap",
        "slotted", "call", "gpus", "resources", "alone", "leftovers", "launchers", "timeouts_s",
    ]  # fmt: skip
    assert ports.CallSpec._fields == (
        "python", "target", "setup", "style", "input_format", "columns", "recycle", "token_of", "named",
    )  # fmt: skip
    assert ports.Calls._fields == (
        "job", "number", "slot", "max_rss_kib", "log", "out_off", "err_off", "failed", "cut", "records",
    )  # fmt: skip
    assert ports.Dispatch._fields == ("job", "item", "attempt", "argv", "env", "limit")
    assert ports.Started._fields == (
        "job", "item", "attempt", "slot", "pid", "started_at", "log", "out_off", "err_off", "host",
    )  # fmt: skip
    assert ports.Finished._fields == (
        "job", "item", "attempt", "ending", "code", "slot", "started_at", "duration_us", "cpu_us", "max_rss_kib",
        "log", "out_off", "out_len", "err_off", "err_len", "flags", "out_tail", "err_tail",
        "value", "raised", "host", "left",
    )  # fmt: skip


def test_positions_have_the_names_of_the_fields() -> None:
    """A position that is off by one would read another field, without any error."""
    spec = tuple(field.name for field in dataclasses.fields(ports.JobSpec))
    classes = {
        "SPEC": spec,
        "CALL": ports.CallSpec._fields,
        "DISPATCH": ports.Dispatch._fields,
        "FINISHED": ports.Finished._fields,
        "CALLS": ports.Calls._fields,
        "RECORD": ports.Record._fields,
        "RAISED": ports.Raised._fields,
    }
    for prefix, names in classes.items():
        assert [getattr(fields, f"{prefix}_{name.upper()}") for name in names] == list(range(len(names)))
    assert len(ports.Calls._fields) == fields.CALLS_COUNT
    assert len(ports.Raised._fields) == fields.RAISED_COUNT
    assert ports.Record._fields[fields.RECORD_SPAN] == ("out_off", "out_len", "err_off", "err_len")
    assert ports.CallSpec._fields[fields.CALL_LOADED] == ("target", "setup", "style", "input_format", "columns")
    assert ports.CallSpec._fields[fields.CALL_NAMING] == ("token_of", "named")
    for known in (ports.Dispatch, ports.Started, ports.Finished, ports.Returned, ports.Lost):
        assert fields.id_of(known._fields) == ports.AttemptId._fields


#: A digest of the messages of each version. Those of 8 and 9 are equal, but the modules have other names.
#: A new name of a field replaces the digest of its version, because messages do not contain names.
DIGESTS = {
    1: "e30c", 2: "6369", 3: "ac4a", 4: "5034", 5: "0673", 6: "e17a", 7: "20a1", 8: "73b6", 9: "73b6", 10: "be16",
    11: "9b0b",
}  # fmt: skip


def test_a_changed_protocol_has_another_version() -> None:
    """After an upgrade an old supervisor may meet a new engine; the number is how they notice."""
    numbers = {name: value for name, value in vars(wire).items() if name.isupper() and isinstance(value, int)}
    del numbers["VERSION"]
    classes = (
        ports.Dispatch,
        ports.Started,
        ports.Finished,
        ports.Calls,
        ports.Record,
        ports.Raised,
        ports.CallSpec,
        ports.Returned,
        ports.Lost,
        ports.Barred,
        ports.Pressure,
    )
    shapes = [made._fields for made in classes]
    spec = [field.name for field in dataclasses.fields(ports.JobSpec)]
    digest = hashlib.sha256(repr((sorted(numbers.items()), shapes, spec)).encode()).hexdigest()[:4]
    assert DIGESTS.get(wire.VERSION) == digest, f"give wire.VERSION the next number and add its digest: {digest!r}"


def test_the_supervisor_imports_little() -> None:
    code = (
        "import sys; before = set(sys.modules); import jobctl.supervisor.main;print(*sorted(set(sys.modules) - before))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"sqlite3", "pysqlite3", "sqlmodel", "dataclasses", "inspect", "subprocess", "typer", "rich", "json", "re"}
    assert heavy.isdisjoint(loaded)
