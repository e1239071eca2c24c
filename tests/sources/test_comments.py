"""``--comment``: lines that begin with it are not rows, and all other lines keep their numbers."""

import pytest

from jobctl.errors import UsageError


@pytest.mark.parametrize(
    ("name", "content", "payloads"),
    [
        ("a.txt", b"# list\na\n  # indented\nb # c\n#\n", [b"a", b"b # c"]),
        ("a.txt", b"# list\r\na\r\n#x\r\nb\r\n", [b"a", b"b"]),
        ("a.txt", b"a\n# no end", [b"a"]),
        ("a.csv", b"# made by x\n# y\nid,v\n#1,x\n1,#2\n", [b"1\0#2"]),
        ("a.csv", b'id,v\n1,"x\n# inside\ny"\n# outside\n2,"z"\n', [b"1\0x\n# inside\ny", b"2\0z"]),
        ("a.tsv", b"#x\nid\tv\n1\t2\n", [b"1\x002"]),
        ("a.jsonl", b'# x\n{"a":1}\n  #{"a":2}\n', [b'{"a":1}']),
    ],
)
def test_comment_lines_are_left_out(read, name, content, payloads):
    result = read(content, name, comment="#")
    assert result.payloads == payloads
    assert result.source.notices == []
    assert result.source.records == len(payloads)


def test_lines_keep_their_numbers(read):
    assert read.refused(b"# x\nid,v\n# y\n1,2\n# z\n3\n", comment="#").details[0].startswith("line 6, record 2")


def test_a_comment_over_blocks_is_one_line(read, monkeypatch):
    from jobctl.sources import stream

    monkeypatch.setattr(stream, "CHUNK", 7)
    content = b'id,v\n# a long comment, "with quotes\n1,"a\n#b\nc"\n#"\n2,d\n'
    assert read(content, comment="#").payloads == [b"1\0a\n#b\nc", b"2\0d"]


def test_another_prefix(read):
    assert read(b"// x\na\n# b\n", "a.txt", comment="//").payloads == [b"a", b"# b"]


@pytest.mark.parametrize("prefix", ["", " ", "\n", '"'])
def test_an_invalid_prefix_is_refused(read, prefix):
    with pytest.raises(UsageError, match="--comment"):
        read(b"a\n", "a.txt", comment=prefix)


def test_tables_have_no_comment_lines(read):
    with pytest.raises(UsageError, match="makes no sense for xlsx"):
        read(b"a\n", "a.xlsx", comment="#")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.txt", b"a\n# x\nb\n", ["line 2 begins with #"]),
        ("a.txt", b"\n# x\n# y\n", ["line 2 begins with #"]),
        ("a.txt", b"#red\n#blue\n", []),  # colours, tags
        ("a.txt", b"a #1\nb\n", []),
        ("a.csv", b"#id,v\n1,2\n", ["line 1 begins with #"]),
    ],
)
def test_a_notice_names_the_option_for_lines_that_may_be_comments(read, name, content, told):
    notices = read(content, name).source.notices
    assert [notice.split(":")[0] for notice in notices] == told
    assert all("--comment '#'" in notice for notice in notices)


def test_the_error_about_comments_in_json_names_the_option(read):
    assert "--comment '//'" in read.refused(b'{"a":1}\n// x\n', "a.jsonl").details[0]
    assert "--comment '#'" in read.refused(b'{"a":1}\n# x\n', "a.jsonl").details[0]
