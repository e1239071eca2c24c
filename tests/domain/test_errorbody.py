"""The error bodies of services, reduced to a code and a message."""

import json

import pytest

from jobctl.domain.cause import message_in_output, message_of_call
from jobctl.domain.errorbody import found_in
from jobctl.domain.ports import Raised
from tests.domain.failure_messages import text_in_output

RATE, QUOTA = "Rate limit reached", "You exceeded your current quota"

#: (a body, the words for it, the part of them that alone tells the cause)
BODIES = [
    (
        {"error": {"message": RATE, "code": "rate_limit_exceeded"}},
        f"rate_limit_exceeded: {RATE}",
        "rate_limit_exceeded",
    ),
    (
        {"error": {"message": QUOTA, "type": "insufficient_quota", "param": None, "code": "insufficient_quota"}},
        f"insufficient_quota: {QUOTA}",
        "insufficient_quota",
    ),
    (
        {"error": {"type": "invalid_request_error", "code": None, "message": "No such customer"}},
        "invalid_request_error: No such customer",
        "",
    ),
    ({"error": "invalid_grant", "error_description": "expired"}, "invalid_grant: expired", "invalid_grant"),
    (
        {"errors": [{"message": "no field x", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}]},
        "GRAPHQL_VALIDATION_FAILED: no field x",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    (
        {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}},
        "PERMISSION_DENIED: no",
        "PERMISSION_DENIED",
    ),
    ({"error": {"code": "AuthorizationFailed", "message": "no"}}, "AuthorizationFailed: no", "AuthorizationFailed"),
    (
        {"__type": "com.amazonaws#ThrottlingException", "message": "slow"},
        "ThrottlingException: slow",
        "ThrottlingException",
    ),
    (
        {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many", "status": 429},
        "urn:ietf:params:acme:error:rateLimited: too many",
        "urn:ietf:params:acme:error:rateLimited",
    ),
    (
        {"type": "https://e.example/credit", "title": "Out of credit.", "detail": "30 left", "status": 403},
        "Out of credit: 30 left",
        "Out of credit",
    ),
    ({"title": "Not Found", "status": 404}, "404: Not Found", ""),
    ({"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}}, "-32601: Method not found", ""),
    ({"ok": False, "error": "invalid_auth"}, "invalid_auth", "invalid_auth"),
    ({"ok": False, "error_code": 429, "description": "Too Many Requests"}, "429: Too Many Requests", ""),
    ({"detail": "Not authenticated"}, "Not authenticated", ""),
    ({"status": "Failure", "message": "no pod", "reason": "NotFound", "code": 404}, "NotFound: no pod", ""),
    ([{"message": "bad", "errorCode": "INVALID_FIELD"}], "INVALID_FIELD: bad", "INVALID_FIELD"),
    (
        {"error": {"type": "index_not_found_exception", "reason": "no such index"}},
        "index_not_found_exception: no such index",
        "",
    ),
    ({"error": "it broke"}, "it broke", ""),
    ({"message": "API rate limit exceeded", "documentation_url": "https://x"}, "API rate limit exceeded", ""),
]


@pytest.mark.parametrize(("body", "words", "head"), BODIES)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_body_on_either_stream_is_its_code_and_its_message(body, words, head, indent):
    text = json.dumps(body, indent=indent).encode()
    assert message_in_output(b"", b"working\n" + text + b"\n") == (words, head)
    assert message_in_output(b"working\n" + text + b"\n", b"") == (words, head)


@pytest.mark.parametrize(("body", "words", "head"), BODIES)
def test_an_exception_that_carries_a_body_keeps_its_name(body, words, head):
    if not head:
        return
    for spelled in (json.dumps(body), json.dumps(body, indent=1), repr(body)):
        said = message_of_call(Raised("openai.ApiError", f"Error code: 429 - {spelled}", 1, None, "tasks.py:9"))
        assert said.head == (f"openai.ApiError: {head}" if words != head else ""), spelled
        assert said.text == f"openai.ApiError: {words} [tasks.py:9]"
    cut = message_of_call(Raised("HTTPError", f"answered {json.dumps(body)[:-1]}", 1, None, ""))
    assert cut.text.startswith("HTTPError: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(554, b'5.7.1 Spam')", "554 5.7.1: Spam"),
        ("{'a@b.example': (550, b'5.1.1 <a@b.example>: unknown')}", "550 5.1.1: <a@b.example>: unknown"),
        ("server message: 550-5.7.26 not authenticated", "550 5.7.26: not authenticated"),
        ("(421, b'Try again later')", "421: Try again later"),
        ("urn:ietf:params:acme:error:caa :: no :: x.example", "urn:ietf:params:acme:error:caa: no :: x.example"),
    ],
)
def test_codes_of_mail_and_certificates_come_first(text, words):
    assert found_in(text).text == words


#: What items print because it is their work.
DATA = [
    '{"id": 3, "title": "A book", "type": "novel"}',
    '{"rows": [1, 2]}',
    "[]",
    "{}",
    '{"error": null, "rows": 3}',
    "[1]",
    '{"message": 7}',
    '{"errors": []}',
    '{"status": "open", "code": "X1"}',
    "{" * 3000 + "}" * 3000,
]


@pytest.mark.parametrize("text", DATA)
def test_text_that_an_item_was_to_print_is_not_an_error(text):
    assert text_in_output(b"noise\n", text.encode()) == "noise"


def test_a_row_in_a_message_is_not_a_body():
    text = "bad row {'id': 3, 'name': 'bob', 'status': 'open', 'type': 'invoice'}"
    assert message_of_call(Raised("ValueError", text, 1, None, "")).text == f"ValueError: {text}"


def test_the_program_that_shows_a_body_is_named():
    body = b'{"error":{"message":"slow down","code":"rate_limited"}}'
    said = message_in_output(b"curl: (22) The requested URL returned error: 429\n", body)
    assert said == ("curl: rate_limited: slow down", "curl: rate_limited")
    said = message_in_output(b"fetch: server said " + body, b"")
    assert said == ("fetch: rate_limited: slow down", "fetch: rate_limited")
