"""Doubled braces: a literal brace, or a tag of another template language that must reach its program."""

import pytest

from jobctl.domain.braces import Names
from jobctl.domain.doubled_braces import is_tag
from jobctl.domain.shell import compile_shell
from jobctl.domain.template import compile
from jobctl.errors import UsageError

COLUMNS = ("id", "name")
TAGS = [
    "{{.State.Status}}",
    "{{ .Names }}",
    "{{.metadata.name}}",
    "{{range .}}{{.title}}{{end}}",
    '{{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}',
    "{{range $k, $v := .Labels}}{{$k}}={{$v}}{{end}}",
    "{{json .}}",
    "{{index .Ports 0}}",
    '{{if eq .State "running: yes"}}{{.ID}}{{else}}none{{end}}',
    "{{range .}}{{.}}{{end}}",
    "{{ . }}",
    "table {{.ID}}\t{{.Names}}",
    '{"id":"{{.ID}}"}',
    '{"a":{{json .Config}}}',
    "{{- with .x -}}y{{- end -}}",
    "{{ item }}",
    "{{ item.name | upper }}",
    "{{item.name}}",
    '{{ url | replace(":", "") }}',
    "{{ x == 1 }}",
    "${{ github.event.inputs.x }}",
    "{{#each items}}{{this}}{{/each}}",
    "{{> partial}}",
    "{{print $1}}",
    "{{ now() }}",
]


@pytest.mark.parametrize("columns", [COLUMNS, None])
@pytest.mark.parametrize("tag", TAGS)
def test_tags_of_other_languages_stay_as_they_are(tag, columns):
    template = compile(["x", f"--format={tag}", "{}"], columns)
    assert template.render([b"7", b"Ann"], 1)[1] == f"--format={tag}".encode()
    assert template.notices == []
    assert template.keeps_tags


@pytest.mark.parametrize("tag", TAGS)
def test_tags_stay_in_shell_text_inside_and_outside_of_quotes(tag):
    for text in (
        f"x '{tag}' {{id}}",
        f'y="{tag}" z {{id}}' if '"' not in tag and "$" not in tag else f"x '{tag}' {{id}}",
    ):
        found = compile_shell(text, COLUMNS)
        assert found.text == text.replace("{id}", '"${JOBCTL_V_1}"')
        assert not found.notices


@pytest.mark.parametrize(
    ("text", "passed", "told"),
    [
        ("{{id}}", b"{id}", "passes {{id}} as {id}"),
        ("{{}}", b"{}", "passes {{}} as {}"),
        ("{{print}}", b"{print}", "passes {{print}} as {print}"),
        ("{{.}}", b"{.}", "passes {{.}} as {.}"),
        ("\\frac{{a}}{{b}}", b"\\frac{a}{b}", "passes {{a}} as {a}, {{b}} as {b}"),
        ('{{"a": 1}}', b'{"a": 1}', 'passes {{"a": 1}} as {"a": 1}'),
        ('{{"id": "{id}"}}', b'{"id": "7"}', 'passes {{"id": "{id}"}} as {"id": "{id}"}'),
        ("{{ x = 1; }}", b"{ x = 1; }", "passes {{ x = 1; }} as { x = 1; }"),
        ("{{{id}}}", b"{7}", "passes {{{id}}} as {{id}}"),
        ("{{1}}{{2}}{{3}}{{4}}{{5}}", b"{1}{2}{3}{4}{5}", "{{3}} as {3} and 2 more"),
    ],
)
def test_a_text_that_loses_a_brace_is_reported(text, passed, told):
    template = compile(["x", text], COLUMNS)
    assert template.render([b"7", b"Ann"], 1)[1] == passed
    assert len(template.notices) == 1
    assert "argument 1" in template.notices[0]
    assert told in template.notices[0]
    assert not template.keeps_tags


def test_braces_written_four_times_are_meant_so():
    template = compile(["x", "{{{{id}}}}"], COLUMNS)
    assert template.render([b"7", b"Ann"], 1)[1] == b"{{id}}"
    assert template.notices == []


def test_a_column_among_tags_stays_and_a_notice_says_how_to_get_its_value():
    template = compile(["x", "{{#each rows}}{{name}}{{/each}} {id}"], COLUMNS)
    assert template.render([b"7", b"Ann"], 1)[1] == b"{{#each rows}}{{name}}{{/each}} 7"
    assert "the value is {name}" in template.notices[0]


def test_values_go_into_tags():
    assert compile(["x", "{{.Labels.{name}}}"], COLUMNS).render([b"7", b"Ann"], 1)[1] == b"{{.Labels.Ann}}"


def test_a_column_that_looks_like_a_tag_is_the_column():
    template = compile(["x", "{{a.b}} {a.b}"], ("a.b",))
    assert template.render([b"v"], 1)[1] == b"{a.b} v"
    assert not is_tag("id")


def test_jobs_of_the_first_versions_halve_all_doubled_braces():
    stored = Names(COLUMNS, stored=True, keeps_tags=False)
    assert compile(["x", "{{.State.Status}}"], stored).render([b"7", b"Ann"], 1)[1] == b"{.State.Status}"
    assert compile_shell("x '{{.State.Status}}'", stored).text == "x '{.State.Status}'"


def test_a_json_path_is_not_a_misspelt_column():
    assert (
        compile(["x", "jsonpath={.metadata.name}"], COLUMNS).render([b"7", b"Ann"], 1)[1]
        == b"jsonpath={.metadata.name}"
    )
    for text in ("{.tar.gz}", "{.spec}", "{.name}"):
        with pytest.raises(UsageError, match="unknown placeholder"):
            compile(["x", text], COLUMNS)


def test_single_braces_that_double_to_a_tag_are_not_advised():
    with pytest.raises(UsageError) as caught:
        compile(["x", "{range .}"], COLUMNS)
    assert "is passed as it is, with both braces" in str(caught.value.hint)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"b": "{id}"}}',
        '{"a":{"b":{"c":{id}}}}',
        '{"a": [{"b": {"c": "{id}"}}, {"d": "{id}"}]}',
        "jsonpath={range .items[*]}{.metadata.name}{end}{id}",
        "{% if x %}{id}{% endif %}",
        "{# remark #}{id}",
        "{{item}} {% if x %}{{ y }}{% endif %} {id}",
    ],
)
def test_braces_of_nested_json_of_jinja_and_of_json_paths_stay(text):
    template = compile(["x", text], COLUMNS)
    assert template.render([b"7", b"Ann"], 1)[1] == text.replace("{id}", "7").encode()
    assert template.notices == []


def test_a_column_named_end_stays_a_placeholder():
    assert compile(["x", "{range .items[*]}{end}"], ("end",)).render([b"7"], 1)[1] == b"{range .items[*]}7"


def test_a_notice_about_a_name_says_how_to_pass_both_braces():
    assert "write {{{{item}}}}" in compile(["x", "{{item}}"], COLUMNS).notices[0]
    assert "write" not in compile(["x", '{{"a": 1}}'], COLUMNS).notices[0]


def test_blanks_in_a_placeholder_are_what_is_different():
    with pytest.raises(UsageError) as caught:
        compile(["x", "{ name }"], COLUMNS)
    assert "it has no blanks around it; write {name}" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["find", "{id}", "-exec", "ls", "{}", ";"], "for what find finds write {{}}"),
        (["sudo", "find", ".", "-execdir", "mv", "{}", "{}.bak", "+"], "for what find finds write {{}}"),
        (["fd", "-x", "ls", "{}"], "for what fd finds write {{}}"),
        (["xargs", "-I{}", "echo", "{}"], "for the lines that xargs reads write {{}}"),
        (["xargs", "-I", "{}", "echo", "{}"], "for the lines that xargs reads write {{}}"),
        (["git", "diff", "HEAD@{1}"], "for a revision of git write {{1}}"),
        (["git", "-C", "{id}", "show", "HEAD^{}"], "for a revision of git write {{}}"),
        (["grep", "-E", "[0-9]{2}"], "for a repetition in a regular expression write {{2}}"),
        (["grep", "-P", "\\d{1}x"], "for a repetition in a regular expression write {{1}}"),
    ],
)
def test_a_placeholder_with_a_meaning_for_the_program_is_reported(argv, told):
    assert [told in notice for notice in compile(argv, COLUMNS).notices] == [True]


@pytest.mark.parametrize(
    "argv",
    [
        ["find", "{}", "-name", "*.log", "-delete"],
        ["find", "{id}", "-exec", "ls", "{{}}", ";"],
        ["xargs", "-I%", "echo", "%", "{}"],
        ["echo", "[{1}]", "({2})", "a{1}"],
        ["git", "show", "{id}^{{}}"],
    ],
)
def test_other_placeholders_are_not_told(argv):
    assert [notice for notice in compile(argv, COLUMNS).notices if "replaced" in notice] == []
