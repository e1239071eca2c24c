"""What a token may submit, and what it learns of others."""

from __future__ import annotations

import threading

import pytest

from jobctl.domain.tokens import Token
from jobctl.services.tokens import add_token
from jobctl.store import queues
from tests.engine.bench import Bench
from tests.http.serving import serving
from tests.wait import wait_until

RECIPES = """
[recipe.load]
command = ["true", "{id}"]
http = true
timeout = "5m"
priority = -1

[recipe.only]
command = ["true", "{id}"]
http = true
item-key = "id"
only-new = true
name = "mine"

[recipe.keyed]
command = ["true", "{id}"]
http = true
key = "always"
where = "name ~ '^[a-z]$'"

[recipe.secret]
command = ["true", "{id}"]
"""
CSV = b"id,name\n1,a\n2,b\n"
TOKENS = (
    Token("ci", "submit"),
    Token("web", "submit", recipes=("load",), queue="slow"),
    Token("reader", "read"),
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("tokens"))


@pytest.fixture(scope="module")
def send(bench):
    """Send a request with a token, to a server for the module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(bench.root / "config"))
        folder = bench.root / "config" / "jobctl"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text(RECIPES)
        with bench.database.transaction():
            queues.keep(bench.database, "slow")
        texts = {token.name: add_token(bench.home, token, bench.now).text for token in TOKENS}
        with serving(bench.home, tcp=True, now=lambda: bench.now) as client:

            def send(token, recipe="load", content=CSV, status=202, headers=None, to=None, **options):
                given = {"Authorization": f"Bearer {texts[token]}", "Content-Type": "text/csv"} | (headers or {})
                to = to or f"/v1/recipes/{recipe}/jobs"
                response = client.post(to, content=content, headers=given, params=options)
                assert response.status_code == status, response.text
                return response

            yield send


def test_a_job_of_a_token_is_its_own(send, bench):
    document = send("ci").json()
    assert bench.database.scalar("SELECT owner FROM jobs WHERE id = ?", (document["job"],)) == "ci"
    actor = bench.database.scalar("SELECT actor FROM journal WHERE job = ?", (document["job"],))
    assert actor == "token ci"


def test_what_a_recipe_sets_is_a_rule_for_its_callers(send):
    problem = send("ci", timeout="10m", status=422).json()
    assert problem["detail"] == "timeout: the recipe 'load' sets it, and a request cannot change it"
    send("ci", "only", name="of another job", status=422)
    send("ci", "only", unique="true", status=422)
    send("ci", "only", **{"new-queue": "true"}, status=422)


def test_recipes_that_are_not_offered_do_not_exist(send):
    answers = [send("ci", name, status=404).json() for name in ("secret", "nothing")]
    assert [answer["detail"] for answer in answers] == [
        f"there is no recipe {name!r} here" for name in ("secret", "nothing")
    ]
    assert "secret" not in answers[1]["hint"]
    assert send("web", "only", status=404).json()["hint"] == "there are: load"


def test_a_command_does_not_come_over_tcp(send):
    send("ci", to="/v1/jobs", command='["true"]', status=403)


def test_a_reader_submits_nothing(send):
    send("reader", status=403)


def test_the_queue_of_a_token(send):
    assert send("web").json()["queue"] == "slow"
    send("web", queue="default", status=403)
    send("web", queue="slow")


def test_a_token_does_not_go_ahead_of_others(send):
    send("ci", "only", priority=1, status=422)
    send("ci", "only", nice=-1, status=422)
    assert send("ci", "only", priority=-5).json()["priority"] == -5


def test_a_token_sends_no_regular_expression(send):
    assert "cannot come from a token" in send("ci", "only", where="name ~ '(a+)+$'", status=422).json()["detail"]
    send("ci", "only", where="'~' in name or name == 'a'")


def test_keys_of_tokens_do_not_meet(send, bench):
    key = {"Idempotency-Key": '"nightly"'}
    first, second = (
        send(token, headers=key, content=text).json() for token, text in (("ci", CSV), ("web", b"id\n1\n"))
    )
    assert first["job"] != second["job"]
    assert [each["idempotency"]["key"] for each in (first, second)] == ["ci~nightly", "web~nightly"]
    assert send("ci", headers=key).json()["idempotency"] == {"key": "ci~nightly", "replayed": True}
    send("ci", headers={"Idempotency-Key": "web~nightly"}, status=422)
    first, second = (send("ci", "keyed").json() for _ in range(2))
    assert (first["idempotency"]["key"], second["job"]) == ("ci~always", first["job"])


def test_an_answer_waits_for_the_end_of_the_job(send, bench):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(send("ci", headers={"Prefer": "wait=60"}, status=200)))
    before = bench.database.scalar("SELECT max(id) FROM jobs")
    thread.start()
    wait_until(lambda: bench.database.scalar("SELECT max(id) FROM jobs") > before, what="the job")
    bench.work_off()
    thread.join(60)
    assert answers[0].json()["state"] == "succeeded"
    assert answers[0].headers["preference-applied"] == "wait=60"
    assert "retry-after" not in answers[0].headers
