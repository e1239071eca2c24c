"""Shell templates: what the text becomes and where a placeholder is refused."""

import pytest

from jobctl.domain.braces import Placeholder, ValueSource
from jobctl.domain.shell import compile_shell
from jobctl.errors import UsageError

COLUMNS = ("id", "url")
ID = Placeholder(ValueSource.FIELD, 0)
URL = Placeholder(ValueSource.FIELD, 1)


def text_of(text, columns=COLUMNS):
    return compile_shell(text, columns).text


def refused(text, columns=COLUMNS):
    with pytest.raises(UsageError) as caught:
        compile_shell(text, columns)
    return caught.value


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("echo {id}", 'echo "${JOBCTL_V_1}"'),
        ('echo "{id}"', 'echo "${JOBCTL_V_1}"'),
        ("cp {url} out/{id}.pdf", 'cp "${JOBCTL_V_1}" out/"${JOBCTL_V_2}".pdf'),
        ("x={id}; y=$x", 'x="${JOBCTL_V_1}"; y=$x'),
        ("echo {#} {%}", 'echo "${JOBCTL_ITEM}" "${JOBCTL_SLOT}"'),
        ('echo "a $(cat {id}) {id}"', 'echo "a $(cat "${JOBCTL_V_1}") ${JOBCTL_V_1}"'),
        ("echo 'it''s' {id}", "echo 'it''s' \"${JOBCTL_V_1}\""),
        ("echo \\' {id}", 'echo \\\' "${JOBCTL_V_1}"'),
        ('echo "\\" {id}"', 'echo "\\" ${JOBCTL_V_1}"'),
        ("echo \\\\{id}", 'echo \\\\"${JOBCTL_V_1}"'),
        ("awk '{print $1}' {id}", "awk '{print $1}' \"${JOBCTL_V_1}\""),
        ("awk '{{print}}' {id}", "awk '{print}' \"${JOBCTL_V_1}\""),
        ("echo {id} # don't {nope} {id", 'echo "${JOBCTL_V_1}" # don\'t {nope} {id'),
        ("echo a#'b' {id}", "echo a#'b' \"${JOBCTL_V_1}\""),
        ("echo $# ${#x} {id}", 'echo $# ${#x} "${JOBCTL_V_1}"'),
        ('echo ${HOME:-"}"} {id}', 'echo ${HOME:-"}"} "${JOBCTL_V_1}"'),
        ('{ echo "{id}"; }', '{ echo "${JOBCTL_V_1}"; }'),
        ("f() { echo 'a;'; }; f {id}", "f() { echo 'a;'; }; f \"${JOBCTL_V_1}\""),
        (
            "case {id} in a) echo '1' ;; esac; echo {url}",
            'case "${JOBCTL_V_1}" in a) echo \'1\' ;; esac; echo "${JOBCTL_V_2}"',
        ),
        ("cat <<E\nit's {id}\nE\necho {id}", 'cat <<E\nit\'s ${JOBCTL_V_1}\nE\necho "${JOBCTL_V_1}"'),
        (
            "cat <<-'E'\n\tit's {print}}\n\tE\necho {id}".replace("{print}}", "x"),
            "cat <<-'E'\n\tit's x\n\tE\necho \"${JOBCTL_V_1}\"",
        ),
        ("cat <<A; cat <<B\n\"\nA\n'\nB\necho {id}", 'cat <<A; cat <<B\n"\nA\n\'\nB\necho "${JOBCTL_V_1}"'),
        ("echo $((1 + 2)) {id}", 'echo $((1 + 2)) "${JOBCTL_V_1}"'),
        ("echo `date` {id}", 'echo `date` "${JOBCTL_V_1}"'),
        ("[ {id} = 1 ]", '[ "${JOBCTL_V_1}" = 1 ]'),
        ("read v <<<word; echo {id}", 'read v <<<word; echo "${JOBCTL_V_1}"'),
    ],
)
def test_references_are_written_as_the_place_needs_them(text, result):
    assert text_of(text) == result


def test_each_value_has_one_variable_in_order_of_appearance():
    compiled = compile_shell("a {url} {id} {url} {url/} {#}", COLUMNS)
    assert compiled.values == (URL, ID, Placeholder(ValueSource.FIELD, 1, "/"))
    assert compiled.text == 'a "${JOBCTL_V_1}" "${JOBCTL_V_2}" "${JOBCTL_V_1}" "${JOBCTL_V_3}" "${JOBCTL_ITEM}"'


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("echo '{id}'", "inside single quotes"),
        ("echo $'{id}'", "inside single quotes"),
        ("echo 'a'\"b\"'c {id}'", "inside single quotes"),
        ("echo \\{id}", "after a backslash"),
        ('echo "\\{id}"', "after a backslash"),
        ("echo $(({id} + 1))", "arithmetic"),
        ("(( {id} > 1 ))", "arithmetic"),
        ("echo $[{id}]", "arithmetic"),
        ("[[ {id} -eq 1 ]]", "[[ ]]"),
        ("echo `cat {id}`", "back quotes"),
        ("echo ${id}", "${"),
        ("echo ${x:-{id}}", "${"),
        ('echo "${x:-{url}}"', "${"),
        ("cat <<'E'\n{id}\nE", "quoted here-document"),
        ("cat <<\\E\n{id}\nE", "quoted here-document"),
        ("cat <<E\n$(cat {id})\nE", "here-document that runs commands"),
        ('echo "$(case a in a) echo {id};; esac)"', "after a case inside $(...)"),
    ],
)
def test_a_placeholder_is_refused_where_it_cannot_work(text, where):
    error = refused(text)
    assert "placeholder {" in error.message
    assert where in error.message
    assert error.hint


@pytest.mark.parametrize(
    "text",
    ["echo 'a", 'echo "a', "echo $(a", "echo ${a", "echo `a", "( echo {id}", "echo $((1", "echo $'a\\'", "echo '"],
)
def test_unclosed_quotes_and_brackets_are_refused(text):
    assert "never closed" in refused(text).message


@pytest.mark.parametrize("text", ["", " \n", "a\0b"])
def test_no_text_is_refused(text):
    refused(text)


def test_an_unknown_placeholder_is_refused_with_a_suggestion():
    error = refused("echo {ulr}")
    assert "unknown placeholder {ulr} in --shell" in error.message
    assert "{url}" in error.hint


def test_misspelt_placeholders_in_single_quotes_are_refused_like_elsewhere():
    assert "unknown placeholder" in refused("awk '{print}' {id}").message


def test_single_and_doubled_braces_do_not_mix():
    assert "single and doubled" in refused("{ {{x}}; }").message


def test_lines_have_no_columns():
    assert text_of("wc {}", None) == 'wc "${JOBCTL_V_1}"'
    assert "a line has no columns" in refused("echo {id}", None).message
