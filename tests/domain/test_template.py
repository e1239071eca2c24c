"""Command templates against a slow reference, and the rules on braces."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobctl.domain.doubled_braces import kept_pairs
from jobctl.domain.ports import SLOT_MARK
from jobctl.domain.template import compile
from jobctl.errors import UsageError

COLUMNS = ("id", "url", "First Name", "price.", "2")
FIELDS = (b"7", b"/a/b.tar.gz", b"Ann", b"1.50", b"two")
VALUES = st.binary(max_size=40).filter(lambda value: b"\0" not in value)
WORDS = ["id", "url", "First Name", "price.", "2", "1", "3", "5", ""]
FORMS = ["", ".", "/", "//", "/."]


def render(*argv, columns=COLUMNS, fields=FIELDS, item=42):
    return compile(argv, columns).render(fields, item)


def refused(*argv, columns=COLUMNS):
    with pytest.raises(UsageError) as caught:
        compile(argv, columns)
    return caught.value


def reference_form(form, value):
    """The path forms once more, by regular expressions."""
    base = re.sub(rb"(?s)^.*/", b"", value)
    if form == "":
        return value
    if form == ".":
        return re.sub(rb"(?s)\.[^/.]*\Z", b"", value)
    if form == "/":
        return base
    if form == "/.":
        return re.sub(rb"(?s)\.[^/.]*\Z", b"", base)
    stripped = re.sub(rb"/+\Z", b"", value)
    if b"/" not in stripped:
        return b"/" if value.startswith(b"/") else b"."
    return re.sub(rb"/+[^/]*\Z", b"", stripped) or b"/"


def reference_index(word):
    if word == "":
        return 0
    return COLUMNS.index(word) if word in COLUMNS else int(word) - 1


PIECES = st.one_of(
    st.text(st.characters(exclude_characters="{}\0", exclude_categories=["Cs"]), max_size=6),
    st.sampled_from(["{{", "}}", "{#}", "%", "%b", "%%"]),
    st.tuples(st.sampled_from(WORDS), st.sampled_from(FORMS)),
)


def spell(piece):
    return piece if isinstance(piece, str) else "{" + "".join(piece) + "}"


def reference(piece, fields, item):
    if piece in ("{{", "}}"):
        return piece[:1].encode()
    if piece == "{#}":
        return str(item).encode()
    if isinstance(piece, str):
        return piece.encode()
    return reference_form(piece[1], fields[reference_index(piece[0])])


@given(
    st.lists(st.lists(PIECES, max_size=5), min_size=1, max_size=5),
    st.lists(VALUES, min_size=5, max_size=5),
    st.integers(1, 10**9),
)
def test_rendering_is_equal_to_the_slow_reference(arguments, fields, item):
    argv = ["command", *("".join(map(spell, pieces)) for pieces in arguments)]
    # A tag of another template language, such as {{&A}}, keeps its braces: see tests/domain/test_doubled_braces.py.
    assume(not any(kept_pairs(argument, lambda inner: False) for argument in argv))
    expected = [b"command", *(b"".join(reference(piece, fields, item) for piece in pieces) for pieces in arguments)]
    assert render(*argv, fields=fields, item=item) == tuple(expected)


@given(st.lists(VALUES, min_size=2, max_size=2))
def test_the_slot_is_marked_and_values_stay_whole(fields):
    template = compile(["x", "{%}-{id}", "{url}", "{#}{%}"], ("id", "url"))
    assert template.slotted
    rendered = template.render(fields, 3)
    assert rendered == (b"x", SLOT_MARK + b"-" + fields[0], fields[1], b"3" + SLOT_MARK)


def test_a_template_without_slot_says_so():
    assert not compile(["x", "{id}"], COLUMNS).slotted


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", b"7"),
        ("{2}", b"two"),  # a column of that name wins over the number
        ("{3}", b"Ann"),
        ("{First Name}", b"Ann"),
        ("{price.}", b"1.50"),  # a name that ends like a path form is a name first
        ("{price..}", b"1"),
        ("{url.}", b"/a/b.tar"),
        ("{url/}", b"b.tar.gz"),
        ("{url//}", b"/a"),
        ("{url/.}", b"b.tar"),
        ("{{id}}", b"{id}"),
        ("{{{id}}}", b"{7}"),
        ("{{}}", b"{}"),
        ("100%", b"100%"),
        ("%s{id}%", b"%s7%"),
    ],
)
def test_one_argument(text, value):
    assert render("x", text)[1] == value


@pytest.mark.parametrize(
    ("value", "results"),
    [  # {.} {/} {//} {/.} as GNU parallel 20221122 has them
        (b"dir/file.txt", (b"dir/file", b"file.txt", b"dir", b"file")),
        (b"file", (b"file", b"file", b".", b"file")),
        (b"/file.a.b", (b"/file.a", b"file.a.b", b"/", b"file.a")),
        (b"d.ir/file", (b"d.ir/file", b"file", b"d.ir", b"file")),
        (b".bashrc", (b"", b".bashrc", b".", b"")),
        (b"dir/", (b"dir/", b"", b".", b"")),
        (b"", (b"", b"", b".", b"")),
        (b"/", (b"/", b"", b"/", b"")),
        (b"a//b", (b"a//b", b"b", b"a", b"b")),
        (b"a/b//", (b"a/b//", b"", b"a", b"")),
    ],
)
def test_path_forms(value, results):
    assert render("x", "{.}", "{/}", "{//}", "{/.}", columns=None, fields=[value])[1:] == results


@pytest.mark.parametrize(
    "text",
    ["{print $1}", '{"a": 1}', "{", "}", "a}b{c", "{a,b}", "{\n}", "{ }", "${x:-1}", '[{"k": "v"}]'],
)
def test_braces_that_cannot_be_a_misspelt_column_stay(text):
    assert render("x", text, "{id}")[1] == text.encode()


def test_json_around_placeholders_needs_no_doubling():
    assert render("x", '{"id": "{id}", "n": {#}}')[1] == b'{"id": "7", "n": 42}'


@pytest.mark.parametrize(
    "text", ["{uri}", "{print}", "{ID}", "{6}", "{0}", "{01}", "{url///}", "{1..3}", "{-}", "{id }"]
)
def test_unknown_placeholders_are_refused(text):
    error = refused("x", "ok", f"a{text}b")
    assert f"unknown placeholder {text}" in error.message
    assert "argument 2" in error.message
    assert "id, url, First Name, price., 2" in error.message


def test_a_misspelt_column_gets_a_suggestion_and_other_words_the_way_to_double():
    assert refused("x", "{ulr}").hint == "did you mean {url}? For literal braces write {{ulr}}"
    assert refused("x", "{print}").hint == "for literal braces write {{print}}"


def test_a_table_that_was_read_as_lines_is_mentioned():
    assert refused("x", "{id}", columns=("id;url",)).hint.endswith("See --delimiter semicolon")
    assert refused("x", "{id}", columns=("id|url",)).hint.endswith("See --delimiter pipe")
    assert refused("x", "{id}", columns=("total;a", "b")).hint == "for literal braces write {{id}}"
    assert "note to Excel" in refused("x", "{id}", columns=("sep=;",)).hint
    assert "--format csv" in refused("x", "{id}", columns=None).hint


def test_an_input_without_rows_has_no_columns():
    error = refused("x", "{id}", columns=())
    assert error.message.endswith("the input has no row, and so no columns")
    assert error.hint.startswith("is this the right file?")


def test_a_strange_character_that_a_column_has_can_be_misspelt():
    assert refused("x", "{Price $}", columns=("Price ($)",)).message.startswith("unknown placeholder {Price $}")
    assert render("x", "{Price ($)}", columns=("Price ($)",), fields=[b"5"]) == (b"x", b"5")


@pytest.mark.parametrize("text", ['{"a": {{"b": "{id}"}}', "{{id}", "{print $1}}}", "{{ {x;}"])
def test_single_and_doubled_literal_braces_do_not_mix(text):
    assert "single and doubled" in refused("x", text).message


def test_an_unknown_word_of_a_line_says_what_a_line_has():
    assert "a line has no columns" in refused("x", "{url}", columns=None).message
    assert render("x", "{1}", columns=None, fields=[b"v"]) == (b"x", b"v")


def test_many_columns_are_listed_in_part():
    message = refused("x", "{nope}", columns=[f"c{n}" for n in range(100)]).message
    assert "c19 and 80 more" in message


def test_a_line_is_appended_to_a_command_without_placeholder():
    template = compile(["wc", "-l"], None)
    assert template.appended
    assert template.render([b"-x y"], 1) == (b"wc", b"-l", b"-x y")


@pytest.mark.parametrize(("argv", "columns"), [(["true"], ("id",)), (["echo", "{#}"], None), (["echo", "{}"], None)])
def test_nothing_is_appended_to_other_templates(argv, columns):
    template = compile(argv, columns)
    assert not template.appended
    assert len(template.render([b"v"], 1)) == len(argv)


@pytest.mark.parametrize("argv", [[], [""]])
def test_no_command_is_refused(argv):
    assert "no command" in refused(*argv).message


def test_an_argument_with_nul_is_refused():
    assert "NUL" in refused("x", "a\0b").message


def test_arguments_that_are_not_utf8_keep_their_bytes():
    odd = b"\xff{id}\xfe".decode("utf-8", "surrogateescape")
    assert render("x", odd)[1] == b"\xff7\xfe"


def test_the_columns_a_template_needs_are_known():
    assert compile(["x", "{url}{id}", "{url/}", "{#}"], COLUMNS).fields == (0, 1)


@given(st.lists(VALUES, min_size=2, max_size=2), st.integers(0, 30), st.integers(0, 60))
def test_rows_within_the_safe_length_break_no_limit(fields, argument_limit, total_limit):
    template = compile(["c", "{a}{a//}x", "{b}"], ("a", "b"))
    if len(b"\0".join(fields)) <= template.safe_length(argument_limit, total_limit):
        argv = template.render(fields, 1)
        assert max(map(len, argv)) < argument_limit
        assert sum(len(text) + 1 for text in argv) <= total_limit


def test_the_safe_length_is_not_needlessly_small():
    template = compile(["c", "{a}", "{b}"], ("a", "b"))
    assert 1000 - 50 < template.safe_length(1000, 10_000) < 1000
    assert compile(["true"], ("a",)).safe_length(1000, 10_000) > 1 << 60
    assert compile(["x" * 2000, "{a}"], ("a",)).safe_length(1000, 10_000) < 0
