"""Two submissions are the same work, or it can be said how they differ."""

from jobctl.domain.content import Work, differences, fingerprint

BASE = Work(("id", "url"), "a" * 64, "command", ["curl", "{url}"], {"env": {"A": "1"}, "timeout_s": None})


def test_equal_work_has_an_equal_fingerprint_whatever_holds_it():
    same = Work(["id", "url"], "a" * 64, "command", ("curl", "{url}"), {"timeout_s": None, "env": {"A": "1"}})
    assert fingerprint(*same) == fingerprint(*BASE)
    assert len(fingerprint(*BASE)) == 64
    assert differences(BASE, same) == []


def test_everything_that_affects_results_changes_it():
    changed = [
        BASE._replace(columns=("url", "id")),
        BASE._replace(rows_sha256="b" * 64),
        BASE._replace(handler="shell"),
        BASE._replace(command=["curl", "-f", "{url}"]),
        BASE._replace(options={**BASE.options, "timeout_s": 5}),
        BASE._replace(options={"env": {"A": "1"}}),
    ]
    prints = {fingerprint(*work) for work in changed}
    assert len(prints) == len(changed)
    assert fingerprint(*BASE) not in prints


def test_values_cannot_move_between_places():
    one = BASE._replace(columns=("a,b",))
    two = BASE._replace(columns=("a", "b"))
    assert fingerprint(*one) != fingerprint(*two)


def test_arguments_that_are_not_utf8_have_a_fingerprint():
    odd = BASE._replace(command=["cat", b"\xff".decode("utf-8", "surrogateescape")])
    assert fingerprint(*odd) != fingerprint(*BASE)


def test_the_first_difference_is_named_with_both_sides():
    other = BASE._replace(command=["wget", "{url}"], rows_sha256="b" * 64, options={**BASE.options, "timeout_s": 5})
    command, rows, option = differences(BASE, other)
    assert '"curl"' in command
    assert '"wget"' in command
    assert "aaaaaaaaaaaa then, bbbbbbbbbbbb now" in rows
    assert option == "timeout_s: null then, 5 now"


def test_differences_in_columns_come_before_differences_in_rows():
    other = BASE._replace(columns=("id", "link"), rows_sha256="b" * 64)
    assert differences(BASE, other) == ["the columns: id, url then, id, link now"]
