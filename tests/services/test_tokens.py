"""Tokens: what is stored, what is refused, and which jobs belong to one."""

from __future__ import annotations

import re

import pytest

from jobctl.domain.tokens import Token
from jobctl.errors import NotFound, UsageError
from jobctl.services.tokens import add_token, read_token, revoke_token, token_of, tokens_document
from jobctl.store.opening.open import open_database
from jobctl.store.views import owned
from tests.schemas import check_named

NOW = 1_800_000_000_000_000


def token(name: str = "ci", scope: str = "submit", **options) -> Token:
    wanted = {"recipes": (), "queue": None, "rate": None, "sees_all": False} | options
    return read_token(name, scope, **wanted)


def test_a_token_is_found_by_its_text_and_its_text_is_in_no_file(home):
    made = add_token(home, token(rate="10/s", recipes=["thumbs"]), NOW)
    assert re.fullmatch(r"jobctl_[A-Za-z0-9_-]{43}", made.text)
    database = open_database(home)
    assert token_of(database, made.text) == made.token
    assert token_of(database, made.text + "x") is None
    assert token_of(database, "") is None
    database.close()
    for path in home.root.rglob("*"):
        assert not path.is_file() or made.text.encode() not in path.read_bytes()


def test_documents_have_their_schemas_and_only_the_first_one_has_the_secret(home):
    made = check_named(add_token(home, token(), NOW).document())
    listed = check_named(tokens_document(home))
    assert made["token"].startswith("jobctl_")
    assert "token" not in listed["tokens"][0]
    assert check_named(revoke_token(home, "ci", NOW + 5))["changed"]
    assert not revoke_token(home, "ci", NOW + 9)["changed"]


def test_a_revoked_token_does_not_count_and_its_name_can_be_used_again(home):
    first = add_token(home, token(), NOW)
    with pytest.raises(UsageError, match="a token ci already"):
        add_token(home, token(), NOW)
    revoke_token(home, "ci", NOW)
    second = add_token(home, token(scope="read"), NOW + 1)
    database = open_database(home)
    assert token_of(database, first.text) is None
    assert token_of(database, second.text).scope == "read"
    database.close()


def test_an_unknown_name_is_not_found_and_the_nearest_one_is_named(home):
    add_token(home, token("web-shop"), NOW)
    with pytest.raises(NotFound, match="no token 'web-shp'") as caught:
        revoke_token(home, "web-shp", NOW)
    assert "web-shop" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "a b"}, "cannot be the name"),
        ({"name": ""}, "cannot be the name"),
        ({"scope": "contrl"}, "--scope: 'contrl'"),
        ({"scope": None}, "--scope is missing"),
        ({"rate": "fast"}, "--rate: 'fast' is not a rate"),
        ({"recipes": ["\n"]}, "--recipe"),
        ({"recipes": [str(n) for n in range(101)]}, "--recipe is given 101 times"),
    ],
)
def test_what_is_refused(options, said):
    with pytest.raises(UsageError, match=said):
        token(**options)


def test_a_queue_must_exist(home, store):
    with pytest.raises(UsageError, match="--queue: there is no queue 'mial'"):
        add_token(home, token(queue="mial"), NOW)
    assert add_token(home, token(queue="default"), NOW).token.queue == "default"


def test_jobs_of_a_token_are_found_and_those_of_others_are_not(store):
    mine, other = store.job("q", owner="ci", name="nightly"), store.job("q", owner="web", name="nightly")
    person = store.job("q", name="nightly")
    database = store.database
    assert owned.numbered(database, "ci", mine) == mine
    assert owned.numbered(database, "ci", other) is owned.numbered(database, "ci", person) is None
    assert owned.numbered(database, "ci", 1 << 70) is None
    assert owned.newest(database, "ci") == owned.newest(database, "ci", "nightly") == mine
    assert owned.newest(database, "ci", "weekly") is None
    assert owned.jobs_by_owner(database) == {"ci": 1, "web": 1}
