"""Files that are accepted as jobs over HTTP: their formats, options, keys and errors."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import socket
from contextlib import closing

import pytest
import xlsxwriter

from jobctl.config import Home
from jobctl.store import items, jobs
from jobctl.store.opening.open import open_database
from tests.http.serving import serving
from tests.schemas import check
from tests.wait import wait_until

RECIPES = """
[recipe.load]
command = ["true", "{id}"]
summary = "loads rows"
http = true
timeout = "5m"

[recipe.secret]
command = ["true", "{id}"]

[recipe.list]
command = ["true", "{}"]
format = "lines"
http = true
"""
CSV = b"id,name\n1,a\n2,b\n"
TO = "/v1/recipes/load/jobs"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def client(place):
    """One server for the module. Its settings have some recipes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(place / "config"))
        folder = place / "config" / "jobctl"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text(RECIPES)
        with serving(Home(place / "state")) as client:
            yield client


@pytest.fixture
def stored(place):
    """Read the rows and the row of a job."""

    def read(job):
        with closing(open_database(Home(place / "state"))) as database:
            rows = [row.payload for page in items.pages(database, job) for row in page]
            return jobs.load(database, job), rows

    return read


def post(client, content, kind="text/csv", to=TO, status=202, **options):
    headers = {"Content-Type": kind} if kind else {}
    response = client.post(to, content=content, headers=headers | options.pop("headers", {}), params=options)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == ("application/json" if status < 400 else "application/problem+json")
    return response


def test_a_file_is_a_job(client, stored):
    response = post(client, CSV, slots=3, filename="orders.csv")
    document = response.json()
    assert response.headers["location"] == f"/v1/jobs/{document['job']}"
    assert response.headers["retry-after"]
    assert (document["schema"], document["name"], document["policy"]["slots"]) == ("jobctl.status/1", "orders", 3)
    assert document["policy"]["timeout_s"] == 300
    row, rows = stored(document["job"])
    assert rows == [b"1\0a", b"2\0b"]
    assert row.input_path == "orders.csv"
    again = client.get(response.headers["location"], headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code in (200, 304)


JSON_ROWS = [b'{"id": 1, "name": "a"}', b'{"id": 2.50, "name": {"b": ["}"]}}']


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"id\tname\n1\ta\n", "text/tab-separated-values", [b"1\0a"]),
        (b"1,a\n", "text/csv; header=absent", [b"1\0a"]),
        ("id,name\n1,ü\n".encode("latin-1"), "text/csv; charset=ISO-8859-1", ["1\0ü".encode()]),
        (b"\n".join(JSON_ROWS), "application/x-ndjson", JSON_ROWS),
        (b"[" + b",\n ".join(JSON_ROWS) + b"]", "application/json", JSON_ROWS),
        (b'{"options": {"slots": 2}, "rows": [' + b",".join(JSON_ROWS) + b"]}", "application/json", JSON_ROWS),
        (gzip.compress(CSV, mtime=0), "text/csv", [b"1\0a", b"2\0b"]),
        (CSV, "text/csv; charset=utf-8", [b"1\0a", b"2\0b"]),
    ],
)
def test_the_content_type_tells_the_format(client, stored, content, kind, expected):
    to = "/v1/jobs" if "absent" in kind else TO
    words = {"command": '["true", "{1}"]'} if "absent" in kind else {}
    assert stored(post(client, content, kind, to, **words).json()["job"])[1] == expected


def test_a_list_of_lines_goes_to_its_recipe(client, stored):
    to = "/v1/recipes/list/jobs"
    assert stored(post(client, b"a\nb\n", "text/plain", to).json()["job"])[1] == [b"a", b"b"]
    problem = post(client, b'{"id": 1}\n', "application/x-ndjson", to, status=415).json()
    assert problem["detail"] == "the recipe 'list' reads lines, and the body is jsonl"


def test_a_workbook_is_recognised_by_its_content(client, stored, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "name"])
        sheet.write_row(1, 0, [1, "a"])
    content = (tmp_path / "a.xlsx").read_bytes()
    for kind in ("application/octet-stream", "application/vnd.ms-excel", ""):
        assert stored(post(client, content, kind).json()["job"])[1] == [b"1\0a"]


def test_packed_bodies(client, stored):
    for name, packed in (("gzip", gzip.compress(CSV)), ("bzip2", bz2.compress(CSV))):
        job = post(client, packed, headers={"Content-Encoding": name}).json()["job"]
        assert len(stored(job)[1]) == 2
    assert "not gzip" in post(client, CSV, headers={"Content-Encoding": "gzip"}, status=400).json()["detail"]
    unknown = post(client, CSV, headers={"Content-Encoding": "br"}, status=415)
    assert "gzip" in unknown.headers["accept-encoding"]


def test_a_form_has_one_file_and_options(client, stored):
    response = client.post(
        TO, data={"slots": "2", "label": ["a=1", "b=2"]}, files={"file": ("C:\\x\\or ders.csv", CSV, "text/csv")}
    )
    document = response.json()
    assert response.status_code == 202, document
    assert (document["name"], document["policy"]["slots"], document["labels"]) == ("or ders", 2, {"a": "1", "b": "2"})
    big = b"id,name\n" + b"".join(b"%d,%s\n" % (n, b"x" * 90) for n in range(30_000))
    response = client.post(TO, files={"file": ("big.csv", big, "application/octet-stream")})
    assert len(stored(response.json()["job"])[1]) == 30_000


@pytest.mark.parametrize(
    ("files", "data", "status", "detail"),
    [
        ({"file": ("a.csv", CSV), "more": ("b.csv", CSV)}, {}, 422, "two files"),
        ({"file": ("a.html", CSV, "text/html")}, {}, 415, "text/html"),
        ({"file": ("a.csv", CSV)}, {"slots": "x" * 100_000}, 413, "64 KiB"),
        ({"file": ("a.csv", CSV)}, {f"n{n}": "" for n in range(200)}, 413, "100 fields"),
    ],
)
def test_forms_that_are_refused(client, files, data, status, detail):
    response = client.post(TO, files=files, data=data)
    assert response.status_code == status
    assert detail in response.json()["detail"]


@pytest.mark.parametrize("content", [b"", b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nabc'])
def test_a_form_that_ends_too_early_is_broken(client, content):
    assert post(client, content, "multipart/form-data; boundary=x", status=400).json()["code"] == "invalid_form"


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "the body is empty"),
        (b"[", "ends too early"),
        (b'[{"id": 1}', "ends too early"),
        (b'[{"id": 1}] x', "more after the end"),
        (b'[x{"id": 1}]', "row 1 of the list"),
        (b'[{"id": 1},{"id": 1},]', "row 3 of the list"),
        (b"[1, 2]", "row 1 of the list is not a JSON object"),
        (b'[{"id": 1} {"id": 2}]', "row 2 of the list"),
        (b'[{"id": "a\nb"}]', "control character"),
        (b'{"id": 1}', "only rows and options are known"),
        (b'{"rows": [], "rows": []}', "there twice"),
        (b'{"options": {}}', 'no "rows"'),
        (b'{"rows": {}}', "not a list"),
        (b"nothing", "not JSON rows"),
        (b'{"options": {"a": 1,}, "rows": []}', "not valid JSON"),
    ],
)
def test_json_that_is_not_rows(client, content, detail):
    response = client.post(TO, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    assert detail in response.json()["detail"]


def test_bad_rows_are_listed_with_their_places(client):
    bad = b"id,name\n1,a\n" + b"2\n" * 30
    problem = post(client, bad, filename="orders.csv", status=422).json()
    assert (problem["code"], problem["errors_total"], len(problem["errors"])) == ("input_rejected", 30, 20)
    first = problem["errors"][0]
    assert (first["location"], first["line"], first["record"], first["column"]) == ("body", 3, 2, None)
    check("problem-1", problem)
    assert problem["detail"] == "orders.csv: 30 problems, nothing was accepted"
    problem = post(client, b'[{"id": 1}, {"name": 2}]', "application/json", status=422).json()
    assert [(each["line"], each["record"], each["column"]) for each in problem["errors"]] == [(None, 2, "id")]
    assert problem["details"][0].startswith("record 2, column 'id': ")


@pytest.mark.parametrize(
    ("options", "hint"),
    [({"slot": 4}, "did you mean slots?"), ({"slots": "x"}, None), ({"slots": "0"}, None), ({"hold": "maybe"}, None)],
)
def test_wrong_options_are_refused_with_advice(client, options, hint):
    problem = post(client, CSV, status=422, **options).json()
    assert problem["code"] == "usage"
    assert hint is None or hint in problem["hint"]


@pytest.mark.parametrize("name", ["cwd", "env", "shell", "command", "env-file", "notify", "on-done", "python", "after"])
def test_a_recipe_takes_only_safe_options(client, name):
    post(client, CSV, status=422, **{name: "/bin/sh"})
    post(client, json.dumps({"rows": [{"id": 1}], "options": {name: "x"}}).encode(), "application/json", status=422)


def test_unknown_recipes(client):
    problem = post(client, CSV, to="/v1/recipes/lod/jobs", status=404).json()
    assert problem["hint"] == "did you mean load?"


def test_unknown_columns_are_refused(client):
    problem = post(client, b"no,name\n1,a\n", status=422).json()
    assert problem["code"] == "unknown_column"


def test_types_that_tell_nothing(client):
    problem = post(client, CSV, "application/x-www-form-urlencoded", status=415).json()
    assert "Content-Type: text/csv" in problem["hint"]
    post(client, CSV, "", status=415)
    post(client, CSV, "image/png", status=415)
    post(client, CSV, "", filename="a.csv")
    post(client, CSV, "application/octet-stream", format="csv")


def test_a_key_finds_its_job(client):
    first = post(client, CSV, headers={"Idempotency-Key": '"k-1"'})
    again = post(client, CSV, headers={"Idempotency-Key": "k-1"})
    assert first.headers["location"] == again.headers["location"]
    replayed = [response.json()["idempotency"] for response in (first, again)]
    assert replayed == [{"key": "k-1", "replayed": False}, {"key": "k-1", "replayed": True}]
    problem = post(client, CSV + b"3,c\n", headers={"Idempotency-Key": "k-1"}, status=422).json()
    assert problem["code"] == "key_conflict"
    assert any("row 3 is the first that differs" in line for line in problem["details"])
    problem = post(client, CSV, headers={"Idempotency-Key": "k-1"}, status=409, **{"on-duplicate": "fail"}).json()
    assert "was used already" in problem["detail"]
    post(client, CSV, headers={"Idempotency-Key": "a b"}, status=422)
    post(client, CSV, headers={"Idempotency-Key": "k-2"}, key="k-3", status=422)


def begin(client, key, length):
    """Begin an upload; returns its connection when the server waits for the body."""
    slow = socket.socket(socket.AF_UNIX)
    slow.settimeout(60)
    slow.connect(client._transport._pool._uds)
    head = (
        f"POST {TO} HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nIdempotency-Key: {key}\r\n"
        f"Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    )
    slow.sendall(head.encode())
    assert slow.recv(1000).startswith(b"HTTP/1.1 100")
    return slow


def test_a_key_in_use_is_a_conflict(client):
    with begin(client, "slow", len(CSV)) as slow:
        problem = post(client, b"no", headers={"Idempotency-Key": "slow"}, status=409)
        assert (problem.json()["code"], problem.headers["retry-after"]) == ("key_in_use", "1")
        slow.sendall(CSV)
        assert slow.recv(1000).startswith(b"HTTP/1.1 202")
    assert post(client, CSV, headers={"Idempotency-Key": "slow"}).json()["idempotency"]["replayed"]


def test_a_client_that_goes_away_leaves_nothing(client, place, stored):
    last = post(client, CSV).json()["job"]
    before = sorted(os.listdir(place / "state"))
    with begin(client, "gone", 100) as gone:
        gone.sendall(b"id,name\n1,a\n")
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "gone"}
    wait_until(lambda: client.post(TO, content=CSV, headers=headers).is_success, what="the end of the upload")
    assert stored(last + 1)[0].key == "gone"
    assert sorted(os.listdir(place / "state")) == before


def test_a_dry_run_accepts_nothing(client, stored):
    last = post(client, CSV).json()["job"]
    document = post(client, CSV, dry_run="true", status=200).json()
    assert (document["schema"], document["rows"], document["first"][0]) == ("jobctl.preview/1", 2, ["1", "a"])
    post(client, b"id\n", dry_run="true", status=422)
    assert stored(last + 1) == (None, [])


def test_the_recipes_that_can_be_run(client):
    document = client.get("/v1/recipes").json()
    assert [recipe["name"] for recipe in document["recipes"]] == ["list", "load", "secret"]
    recipe = client.get("/v1/recipes/load").json()
    assert recipe["options"] == {"timeout": "5m"}
    assert "slots" in recipe["takes"]
    assert "cwd" not in recipe["takes"]


def test_a_preference_to_wait_ends_at_its_time(client):
    response = post(client, CSV, headers={"Prefer": "respond-async, wait=1"})
    assert response.headers["preference-applied"] == "respond-async, wait=1"


def test_the_user_may_name_a_command(client, stored):
    body = {"rows": [{"id": 1}], "options": {"command": ["true", "{id}"], "env": ["A=b"], "name": "mine"}}
    document = post(client, json.dumps(body).encode(), "application/json", "/v1/jobs").json()
    assert (document["name"], document["command"]) == ("mine", ["true", "{id}"])
    post(client, CSV, to="/v1/jobs", command="true", status=422)
    assert "no command" in post(client, CSV, to="/v1/jobs", status=422).json()["detail"]
