"""The columns that make a row new, and the token of a row in all jobs of a name."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from jobctl.domain import content
from jobctl.errors import UsageError
from jobctl.handlers.attempt import tokens_of
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.worker import main as worker
from tests.engine.bench import Bench

ROWS = [("a@x", "1", "monday.csv"), ("b@x", "2", "monday.csv")]


class Rotated(Bench):
    """A file that is written again every day, with its own name in a column."""

    def day(self, rows: list[tuple[str, str, str]], kind: str = "csv", **options: Any) -> tuple[int, int]:
        """Submit the rows and work them off; (items, skipped)."""
        names = ("email", "amount", "file")
        if kind == "csv":
            text = "".join(",".join(row) + "\n" for row in [names, *rows])
        else:
            text = "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
        path = self.root / f"in.{kind}"
        path.write_text(text, encoding="utf-8")
        asked = {"name": "bill", "item_key": "email", "only_new": True, "command": ("bill", "{email}")} | options
        request = SubmitRequest(input=InputOptions(str(path)), cwd=str(self.root), **asked)
        accepted = submit(self.home, request, now=self.now, stdin=io.BytesIO())
        self.work_off()
        return accepted.items, accepted.skipped

    def told(self, new_by: tuple[str, ...]) -> int | None:
        """The job that was compared by other columns, as the submission says."""
        path = self.root / "in.csv"
        path.write_text("email,amount\na@x,1\n", encoding="utf-8")
        request = SubmitRequest(
            InputOptions(str(path)),
            ("bill", "{email}"),
            name="bill",
            item_key="email",
            only_new=True,
            new_by=new_by,
            cwd=str(self.root),
        )
        return submit(self.home, request, now=self.now, stdin=io.BytesIO()).compared_otherwise

    def token(self, job: int, item: int = 1) -> bytes:
        """The JOBCTL_TOKEN of an item."""
        payload = self.database.scalar("SELECT payload FROM items WHERE job = ? AND item = ?", (job, item))
        return tokens_of(self.job(job)).environment(item, 1, payload)[2]


@pytest.fixture(params=["csv", "jsonl"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_without_a_choice_every_column_counts(tmp_path: Path, kind: str) -> None:
    bench = Rotated(tmp_path)
    assert bench.day(ROWS, kind) == (2, 0)
    assert bench.day([(*row[:2], "tuesday.csv") for row in ROWS], kind) == (2, 0)


def test_only_the_named_columns_make_a_row_new(tmp_path: Path, kind: str) -> None:
    bench = Rotated(tmp_path)
    assert bench.day(ROWS, kind, new_by=("email", "amount")) == (2, 0)
    tuesday = [("a@x", "1", "tuesday.csv"), ("b@x", "3", "tuesday.csv"), ("c@x", "4", "tuesday.csv")]
    assert bench.day(tuesday, kind, new_by=("amount", "email")) == (2, 1)  # their order says nothing
    assert bench.day(tuesday, kind, new_by=("amount",)) == (3, 0)  # another choice knows nothing of the first


def test_a_changed_choice_of_columns_is_reported(tmp_path: Path) -> None:
    bench = Rotated(tmp_path)
    assert [bench.told(new_by) for new_by in ((), (), ("email",), ("email", "amount"), ("amount", "email"), ())] == [
        *(None, None, 2, 3),
        *(None, 5),
    ]


def test_the_key_alone_may_count(tmp_path: Path, kind: str) -> None:
    bench = Rotated(tmp_path)
    assert bench.day(ROWS, kind, new_by=("email",)) == (2, 0)
    assert bench.day([(key, "9", "x") for key, _, _ in ROWS], kind, new_by=("email",)) == (0, 2)


def test_a_row_has_one_token_in_all_jobs_of_a_name(tmp_path: Path, kind: str) -> None:
    bench = Rotated(tmp_path)
    bench.day(ROWS, kind)
    bench.day(ROWS[::-1], kind, only_new=False, command=("bill", "--again", "{email}"))
    bench.day(ROWS, kind, only_new=False, name="reminder")
    bench.day([("a@x", "7", "monday.csv")], kind)
    first = bench.token(1)
    assert bench.token(2, item=2) == first != bench.token(1, item=2)
    assert bench.token(3) != first
    assert bench.token(4) != first


def test_a_row_keeps_its_token_when_a_column_changes_that_does_not_count(tmp_path: Path, kind: str) -> None:
    bench = Rotated(tmp_path)
    bench.day(ROWS, kind, new_by=("email", "amount"))
    later = [(*row[:2], "tuesday.csv") for row in ROWS]
    bench.database.execute("DELETE FROM done")
    assert bench.day(later, kind, new_by=("email", "amount")) == (2, 0)
    assert bench.token(2) == bench.token(1) != bench.token(2, item=2)


def test_rows_that_differ_only_in_their_key_have_tokens_of_their_own(tmp_path: Path, kind: str) -> None:
    bench = Rotated(tmp_path)
    same = [("a@x", "1", "x"), ("b@x", "1", "x")]
    assert bench.day(same, kind, new_by=("amount",)) == (2, 0)
    assert bench.token(1, item=1) != bench.token(1, item=2)
    assert bench.day(same[::-1], kind, new_by=("amount",), command=("bill", "--again", "{email}")) == (
        2,
        0,
    )
    assert bench.token(2, item=2) == bench.token(1, item=1)


def test_the_order_of_columns_in_the_file_is_not_content(tmp_path: Path) -> None:
    columns = ("email", "amount", "file")
    first = content.counted_columns("csv", columns, ("amount", "email"))
    turned = content.counted_columns("csv", columns[::-1], ("email", "amount"))
    assert content.reader(first)(b"a@x\x001\x00f") == content.reader(turned)(b"g\x001\x00a@x")


def test_another_store_has_other_tokens(tmp_path: Path) -> None:
    tokens = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        bench = Rotated(tmp_path / name)
        bench.day(ROWS)
        tokens.append(bench.token(1))
    assert tokens[0] != tokens[1]


def test_a_job_without_a_name_of_its_own_has_tokens_of_its_own(tmp_path: Path) -> None:
    bench = Rotated(tmp_path)
    for _ in range(2):
        bench.day(ROWS, name=None, only_new=False)
    assert bench.token(1) != bench.token(2)


@pytest.mark.parametrize(
    ("input_format", "columns", "payload"),
    [
        ("csv", ["a", "b", "c"], b"1\x00\xc3\xa4\x003"),
        ("jsonl", ["a", "b"], b'{"a": 1.50, "b": {"z": [1, null], "y": "\\u00e4"}, "c": 7}'),
        ("jsonl", ["a"], b'{"a": "1"}'),
    ],
)
@pytest.mark.parametrize("new_by", [("a",), ("b", "a"), ("c",), ("b", "b")])
def test_calls_and_commands_agree_about_the_content(
    input_format: str, columns: list[str], payload: bytes, new_by: tuple[str, ...]
) -> None:
    counted = content.counted_columns(input_format, columns, new_by)
    assert worker._content(payload, counted) == content.reader(counted)(payload)
    assert worker._content(payload, True) == payload == content.reader(())(payload)


def test_texts_and_numbers_of_json_are_different_content() -> None:
    read = content.reader(("a",))
    assert len({read(row) for row in (b'{"a":1}', b'{"a":"1"}', b'{"a":1.0}', b'{"a":null}', b'{"a":true}')}) == 5
    assert read(b'{"b":1}') == read(b'{"a":null}')


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"new_by": ("emial",)}, "--new-by 'emial': there is no such column"),
        ({"new_by": ("email",), "only_new": False}, "--new-by names the columns that --only-new compares"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Rotated(tmp_path).day(ROWS, **options)
