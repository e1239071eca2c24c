"""Requests as no client library sends them, and what the server makes of them."""

from __future__ import annotations

import gzip
import select
import socket
import time

from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Seconds that an answer may take on a busy machine before the server counts as hanging.
PATIENCE_S = 60.0
#: Seconds without a byte after which a request is taken back by closing this side: the server waits for more of it.
_LULL_S = 0.05

_TOKEN = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "G\0T", "PRI"])
_VERSIONS = st.sampled_from(
    [b"HTTP/1.1"] * 8 + [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9.9", b"http/1.1", b"", b"HTTP/1.1 x"]
)
_NUMBERS = st.integers(-(10**30), 10**30).map(lambda number: str(number).encode()) | st.sampled_from(
    [b"1", b"\xb2", b"1e9"]
)
_WORDS = st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass"))
_ETAGS = st.sampled_from([b"*", b'"a"', b'W/"a"', b'"', b'"a', b",,,", b'"\xff"', b"W/", b'"a","b",*', b"a" * 3_000])
_RANGES = st.sampled_from(
    [
        b"bytes=0-",
        b"bytes=-1",
        b"bytes=-0",
        b"bytes=5-2",
        b"bytes=0-0,1-1",
        b"bytes=",
        b"bytes=a-b",
        b"lines=1-2",
        b"bytes=99999999999999999999-",
        b"bytes=" + b"0-0," * 500,
        b"bytes=--1",
        b"bytes=1-2-3",
        b"\xff",
        b"bytes=\xb2-",
    ]
)
_DATES = st.sampled_from(
    [b"Thu, 01 Jan 1970 00:00:00 GMT", b"yesterday", b"0", b"Thu, 99 Jan 99999 99:99:99 GMT", b"\xff"]
)
_LENGTHS = st.sampled_from([b"0", b"5", b"-1", b"1e3", b"99999999999999999999", b"+5", b"5, 5", b"5, 6", b"0x10", b""])
_TYPES = st.sampled_from(
    [
        b"text/csv",
        b"application/json",
        b"application/json; charset=utf-7",
        b"multipart/form-data",
        b"/",
        b"\xff/\xff",
        b'multipart/form-data; boundary="',
        b"multipart/form-data; boundary=x",
        b"application/x-ndjson",
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"application/octet-stream",
        b"text/csv; charset=\xff",
        b"a" * 2_000,
    ]
)
#: The headers that routes read, and values that are wrong in the ways of each.
_HEADERS = st.one_of(
    *(
        st.tuples(st.just(name), values | _WORDS)
        for name, values in {
            b"Range": _RANGES,
            b"If-Range": _ETAGS | _DATES,
            b"If-None-Match": _ETAGS,
            b"If-Match": _ETAGS,
            b"If-Modified-Since": _DATES,
            b"If-Unmodified-Since": _DATES,
            b"Content-Type": _TYPES,
            b"Content-Length": _LENGTHS,
            b"Content-Encoding": st.sampled_from([b"gzip", b"gzip, gzip", b"br", b"identity", b"\0", b"zstd", b"xz"]),
            b"Transfer-Encoding": st.sampled_from(
                [b"chunked", b"gzip, chunked", b"chunked, chunked", b"identity", b"x"]
            ),
            b"Accept": st.sampled_from([b"text/event-stream", b"*/*", b";;;q=", b"text/html;q=x", b"application/json"]),
            b"Last-Event-ID": _NUMBERS,
            b"Prefer": st.sampled_from(
                [b"wait=1e400", b"wait=-1", b"wait=", b"respond-async, wait=0", b"wait=\xb2", b'"']
            ),
            b"Idempotency-Key": st.sampled_from([b'"', b'""', b"a" * 500, b'"\\"', b"a b", b'"a";x=1']),
            b"Authorization": st.sampled_from([b"Bearer", b"Bearer \xff", b"Basic !!!", b"Bearer jobctl_" + b"0" * 50]),
            b"Cookie": st.sampled_from([b"=", b";;;", b"jobctl=\xff", b"a=b; a=c", b"x" * 4_000]),
            b"Host": st.sampled_from(
                [b"", b"evil.example", b"127.0.0.1:99999999", b"[::1", b"a b", b"\xff", b"localhost:-1"]
            ),
            b"Origin": st.sampled_from([b"null", b"http://", b"http://[", b"http://a:b:c", b"\xff"]),
            b"Sec-Fetch-Site": st.sampled_from([b"cross-site", b"none", b"x"]),
            b"Expect": st.sampled_from([b"100-continue", b"x"]),
            b"Upgrade": st.sampled_from([b"websocket", b"h2c"]),
            b"X-" + b"a" * 300: st.just(b"b" * 5_000),
        }.items()
    ),
    st.tuples(st.binary(min_size=1, max_size=20), _WORDS),
)
_CHUNKS = st.lists(
    st.sampled_from(
        [b"5\r\nhello\r\n", b"0\r\n\r\n", b"ffffffffffffffffffff\r\n", b"-1\r\n", b"5;x=\0\r\nhello\r\n", b"\r\n"]
    )
    | st.sampled_from(
        [b"0\r\nX: y\r\n\r\n", b"3\r\nhello\r\n", b"G\r\n", b"5 \r\nhello\r\n", b"00000000000000005\r\nhello\r\n"]
    ),
    max_size=6,
).map(b"".join)
_JSON = st.sampled_from(
    [
        b"{",
        b"[" * 3_000,
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b'"a"',
        b"NaN",
        b"1" * 5_000,
        b'{"items":"1-","timeout":-1}',
        b'{"timeout":{"a":[]}}',
        b'{"\\u0000":0}',
        b'{"dry_run":true}',
        b"\xef\xbb\xbf{}",
    ]
)
_PARTS = st.sampled_from(
    [
        b"--x\r\n",
        b"--x--\r\n",
        b'Content-Disposition: form-data; name="file"; filename="a\0b.csv"\r\n\r\nid\r\n1\r\n',
        b"Content-Disposition: form-data\r\n\r\n",
        b"Content-Disposition: \xff\r\n",
        b"\r\n",
        b"X" * 20_000,
        b"\r\n\r\nid\n1\n",
    ]
)
_GZIP = gzip.compress(b"id,url\n1,a\n", mtime=0)
_BODIES = st.one_of(
    st.just(b""),
    st.binary(max_size=200),
    _CHUNKS,
    _JSON,
    st.lists(_PARTS, max_size=6).map(b"".join),
    st.sampled_from(
        [b"id,url\n1,a\n", b'id\n"', b"\0" * 100, b"a," * 5_000, b"\xff\xfe\x00", b"PK\x03\x04", b"PAR1" * 3]
    ),
    st.sampled_from([_GZIP, _GZIP[:15], _GZIP[:-4] + b"\0\0\0\0", _GZIP * 3, b"\x1f\x8b\x08" + b"\xff" * 50]),
)
_QUERIES = st.sampled_from(
    [
        b"",
        b"?",
        b"?&&==",
        b"?limit=-1",
        b"?limit=1e9",
        b"?after=\xff",
        b"?where=((((",
        b"?where=%00",
        b"?state=%ed%a0%80",
        b"?wait=nan",
        b"?since=99999999999999999999",
        b"?items=true&since=0",
        b"?" + b"a=b&" * 1_500,
        b"?%",
        b"?limit=1;2",
        b"?tail=1&attempt=0",
        b"?sort=-",
        b"?" + b"state=failed&" * 200,
        b"?name=" + b"[" * 300,
        b"?limit=%D9%A1",
    ]
)
_PATHS = st.sampled_from(
    [
        b"*",
        b"/",
        b"//",
        b"/%",
        b"/%00",
        b"/%ff",
        b"/v1/jobs/%2e%2e/x",
        b"/../../etc/passwd",
        b"http://[",
        b"a b",
        b"",
        b"/v1/jobs/\xff",
        b"/" + b"a" * 9_000,
        b"http://evil.example/v1/jobs",
        b"/v1/jobs/1/results/%2e%2e%2fjobctl.db",
        b"/v1/jobs/%ed%a0%80",
        b"/v1/jobs/99999999999999999999999",
        b"/v1/jobs/1/items/\xd9\xa1",
        b"/v1/jobs/1%0a",
    ]
)


def requests(paths: list[str]) -> st.SearchStrategy[bytes]:
    """Bytes of requests: of these paths with bad headers and bodies, of bad paths, and bytes that are no request."""
    known = st.sampled_from(paths).map(str.encode)
    headers = st.lists(_HEADERS, max_size=6)
    broken = st.builds(
        _request, _TOKEN, st.builds(bytes.__add__, known | _PATHS, _QUERIES), _VERSIONS, headers, _BODIES
    )
    framed = st.builds(
        _framed,
        st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "POST", "PATCH", "DELETE"]),
        st.builds(bytes.__add__, known, st.just(b"") | _QUERIES.map(lambda query: query.replace(b"\xff", b"%ff"))),
        headers,
        _BODIES,
    )
    return framed | framed | framed | broken | st.binary(max_size=300) | st.lists(framed, max_size=3).map(b"".join)


def _request(method: str, target: bytes, version: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    lines = [b"%b %b %b" % (method.encode(), target, version)]
    lines += [b"%b: %b" % (name, value) for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


#: Of these headers one is enough for the parser of HTTP to refuse a request before a route sees it.
_FRAMING = (b"Host", b"Content-Length", b"Transfer-Encoding", b"Upgrade")


def _framed(method: str, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """A request that is HTTP, so that routes see what is in it."""
    kept = [
        (name, bytes(byte for byte in value if byte in b"\t" or (byte >= 32 and byte != 127)).strip(b" \t"))
        for name, value in headers
        if name not in _FRAMING and name.replace(b"-", b"").isalpha()
    ]
    length = (b"Content-Length", b"%d" % len(body))
    return _request(method, target, b"HTTP/1.1", [(b"Host", b"localhost"), *kept, length], body)


class Recorder:
    """An application that keeps the statuses of its answers, and the errors that came out of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.found: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (500, 501, 502):
                self.found.append(f"{message['status']} for {scope['method']} {scope['path']!r}")
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            self.found.append(f"{error!r} for {scope}")
            raise


def exchange(address: str, request: bytes) -> bytes:
    """Send bytes, close this side when the server waits for more, and return all that it says until it closes too.

    An AssertionError says that it does not.
    """
    until = time.monotonic() + PATIENCE_S
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(address)
        said, is_open = [], True
        try:
            connection.sendall(request)
            while True:
                if is_open and not select.select([connection], [], [], _LULL_S)[0]:
                    connection.shutdown(socket.SHUT_WR)
                    is_open = False
                data = connection.recv(65_536)
                if not data:
                    return b"".join(said)
                said.append(data)
                assert time.monotonic() < until, f"the answer to {request[:200]!r} does not end"
        except TimeoutError:
            raise AssertionError(f"the server does not answer {request[:200]!r}") from None
        except OSError:  # it has closed the connection while a part of the request was on its way
            return b"".join(said)
