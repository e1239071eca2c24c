"""Parquet: each type that a file can hold becomes its exact text or a fault of its row; and files that are damaged."""

from __future__ import annotations

import contextlib
import decimal
import json
import struct
from pathlib import Path

import pytest

from jobctl.errors import InputRejected
from jobctl.process.isolated import ChildBounds
from jobctl.sources.decoder import checked_rows
from jobctl.sources.parquet import ParquetDecoder, ParquetSource
from jobctl.sources.problems import Damaged
from tests.sources.test_tables import read_file

pa = pytest.importorskip("pyarrow", reason="needs the extra parquet")
pq = pytest.importorskip("pyarrow.parquet")

#: See the README there.
DATA = Path(__file__).parents[1] / "data" / "parquet-testing"
D = decimal.Decimal
NS = 1_767_609_000_000_000_001  # 2026-01-05T10:30:00.000000001
FAR_S = 253_402_300_800  # 10000-01-01


def raw(numbers, kind):
    """An array of a type that is stored as whole numbers."""
    stored = pa.array(numbers, pa.int32() if kind.bit_width == 32 else pa.int64())
    return stored.view(kind)


def bad_text(kind):
    return pa.array([b"ok", b"\xff"], pa.large_binary() if kind == pa.large_string() else pa.binary()).view(kind)


#: name: (array, texts). Every type that Arrow can write into a Parquet file.
KINDS = {
    "null": (pa.nulls(1), [""]),
    "bool": (pa.array([True, False, None]), ["true", "false", ""]),
    "int8": (pa.array([-128, 127], pa.int8()), ["-128", "127"]),
    "uint8": (pa.array([255], pa.uint8()), ["255"]),
    "int16": (pa.array([-(2**15)], pa.int16()), ["-32768"]),
    "uint16": (pa.array([2**16 - 1], pa.uint16()), ["65535"]),
    "int32": (pa.array([-(2**31)], pa.int32()), ["-2147483648"]),
    "uint32": (pa.array([2**32 - 1], pa.uint32()), ["4294967295"]),
    "int64": (pa.array([-(2**63), 2**53 + 1], pa.int64()), ["-9223372036854775808", "9007199254740993"]),
    "uint64": (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
    "float16": (
        pa.array([0.1, 65504.0, 6e-8, -0.0, float("nan")], pa.float16()),
        ["0.1", "65504", "6e-08", "-0", "nan"],
    ),
    "float32": (
        pa.array([0.1, 16777216.0, 1e20, -0.0, float("inf"), 3.4028234663852886e38], pa.float32()),
        ["0.1", "16777216", "1e+20", "-0", "inf", "3.4028235e+38"],
    ),
    "float64": (
        pa.array([0.1, 7.0, -0.0, 2.0**53 + 2, 5e-324, float("-inf")]),
        ["0.1", "7", "-0", "9007199254740994", "5e-324", "-inf"],
    ),
    "decimal32": (pa.array([D("-1.50")], pa.decimal32(5, 2)), ["-1.50"]),
    "decimal64": (pa.array([D("123456789012.345")], pa.decimal64(15, 3)), ["123456789012.345"]),
    "decimal128": (pa.array([D("1.0"), D("-0.1")], pa.decimal128(38, 1)), ["1.0", "-0.1"]),
    "decimal256": (pa.array([D("9" * 70 + ".123456")], pa.decimal256(76, 6)), ["9" * 70 + ".123456"]),
    "date32": (
        raw([20_458, 2_932_897, -719_529, -135_080_000], pa.date32()),
        ["2026-01-05", "+10000-01-01", "-0001-12-31", "-367867-07-10"],
    ),
    "date64": (raw([20_458 * 86_400_000], pa.date64()), ["2026-01-05"]),
    "time_s": (raw([86_399], pa.time32("s")), ["23:59:59"]),
    "time_ms": (raw([1, 86_400_000, -1], pa.time32("ms")), ["00:00:00.001000", "24:00:00", "is not a time of day"]),
    "time_us": (raw([37_800_000_005], pa.time64("us")), ["10:30:00.000005"]),
    "time_ns": (raw([37_800_000_000_005], pa.time64("ns")), ["10:30:00.000000005"]),
    "timestamp_s": (raw([1_767_609_000, FAR_S], pa.timestamp("s")), ["2026-01-05T10:30:00", "+10000-01-01T00:00:00"]),
    "timestamp_ms": (raw([-62_135_596_800_001], pa.timestamp("ms")), ["0000-12-31T23:59:59.999000"]),
    "timestamp_us": (raw([2**63 - 1], pa.timestamp("us")), ["+294247-01-10T04:00:54.775807"]),
    "timestamp_ns": (
        raw([NS, NS - 1, -(2**63)], pa.timestamp("ns")),
        ["2026-01-05T10:30:00.000000001", "2026-01-05T10:30:00", "1677-09-21T00:12:43.145224192"],
    ),
    "timestamp_utc": (raw([NS], pa.timestamp("ns", "UTC")), ["2026-01-05T10:30:00.000000001+00:00"]),
    "timestamp_fixed": (raw([0], pa.timestamp("ms", "-02:15")), ["1969-12-31T21:45:00-02:15"]),
    "timestamp_zone": (
        raw([1_767_609_000, 1_783_247_400], pa.timestamp("s", "Europe/Berlin")),
        ["2026-01-05T11:30:00+01:00", "2026-07-05T12:30:00+02:00"],
    ),
    "timestamp_zone_far": (raw([FAR_S], pa.timestamp("s", "Europe/Berlin")), ["+10000-01-01T00:00:00+00:00"]),
    "timestamp_no_zone": (raw([0], pa.timestamp("s", "Mars/Base")), ["1970-01-01T00:00:00+00:00"]),
    "duration_s": (raw([93_600], pa.duration("s")), ["26:00:00"]),
    "duration_ms": (raw([-3_600_500], pa.duration("ms")), ["-1:00:00.5"]),
    "duration_us": (raw([1], pa.duration("us")), ["0:00:00.000001"]),
    "duration_ns": (raw([1, -(2**63)], pa.duration("ns")), ["0:00:00.000000001", "-2562047:47:16.854775808"]),
    "string": (pa.array(["é\n", "", None]), ["é\n", "", ""]),
    "string_bad": (bad_text(pa.string()), ["ok", "is bytes that are not UTF-8 text"]),
    "large_string": (pa.array(["x"], pa.large_string()), ["x"]),
    "large_string_bad": (bad_text(pa.large_string()), ["ok", "is bytes that are not UTF-8 text"]),
    "string_view": (
        pa.array(["a long text, longer than a view"], pa.string_view()),
        ["a long text, longer than a view"],
    ),
    "binary": (pa.array(["é".encode(), b"\xff\0"]), ["é", "is bytes that are not UTF-8 text"]),
    "large_binary": (pa.array([b"x"], pa.large_binary()), ["x"]),
    "binary_view": (pa.array([b"x"], pa.binary_view()), ["x"]),
    "fixed_binary": (pa.array([b"abcd", b"a\0cd"], pa.binary(4)), ["abcd", "contains a NUL character"]),
    "uuid": (pa.array([bytes(range(16))], pa.uuid()), ["00010203-0405-0607-0809-0a0b0c0d0e0f"]),
    "json": (pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}'])), ['{"a": 1}']),
    "dictionary": (pa.array(["b", "a", None, "b"]).dictionary_encode(), ["b", "a", "", "b"]),
    "dictionary_of_times": (
        raw([NS, NS], pa.timestamp("ns")).dictionary_encode(),
        ["2026-01-05T10:30:00.000000001"] * 2,
    ),
    "list": (pa.array([[1, None], [], None]), ["[1,null]", "[]", ""]),
    "large_list": (pa.array([["a"]], pa.large_list(pa.string())), ['["a"]']),
    "fixed_list": (pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)), ["[1,2]", "[3,4]"]),
    "struct": (
        pa.array([{"a": 1, "b": "x\0"}, {"a": None, "b": None}]),
        ['{"a":1,"b":"x\\u0000"}', '{"a":null,"b":null}'],
    ),
    "map": (
        pa.array([[("a", 1), ("b", None)], [("a", 1), ("a", 2)], []], pa.map_(pa.string(), pa.int64())),
        ['{"a":1,"b":null}', '[["a",1],["a",2]]', "{}"],
    ),
    "map_of_numbers": (pa.array([[(1, True)]], pa.map_(pa.int32(), pa.bool_())), ["[[1,true]]"]),
    "not_json": (
        pa.array([[float("nan"), float("inf"), -0.0, 1.5, 1e300]], pa.list_(pa.float64())),
        ['["nan","inf",-0,1.5,1e+300]'],
    ),
    "list_of_bad": (pa.array([[b"ok"], [b"ok", b"\xff"]]), ['["ok"]', "is bytes that are not UTF-8 text"]),
    "deep": (
        pa.array(
            [[{"m": [("k", [D("1.50")])], "t": NS, "d": 2_932_897}], None],
            pa.list_(
                pa.struct(
                    {
                        "m": pa.map_(pa.string(), pa.list_(pa.decimal128(5, 2))),
                        "t": pa.timestamp("ns", "UTC"),
                        "d": pa.date32(),
                    }
                )
            ),
        ),
        ['[{"m":{"k":[1.50]},"t":"2026-01-05T10:30:00.000000001+00:00","d":"+10000-01-01"}]', ""],
    ),
}


def decoded(path):
    """(names, texts, fault) of each row, as the child of a submission finds them, but in this process."""
    with open(path, "rb") as file:
        decoder = ParquetDecoder(file, {})
        names, _ = decoder.header()
        return [(names, texts, fault) for _, texts, fault in checked_rows(decoder, names)]


def texts_of(path):
    """Return the column x of each row: its text, or its fault."""
    found = []
    for names, texts, fault in decoded(path):
        assert fault is None or fault.column == "x"
        found.append(texts[names.index("x")] if fault is None else fault.message)
    return found


def write(path, columns, **options):
    pq.write_table(pa.table(columns), path, **options)
    return path


@pytest.mark.parametrize("options", [{}, {"use_dictionary": False}], ids=["coded", "plain"])
@pytest.mark.parametrize("name", KINDS)
def test_every_type_has_its_text(tmp_path, name, options):
    array, texts = KINDS[name]
    row = pa.array(["row"] * (len(array) + 1))
    path = write(tmp_path / "a.parquet", {"row": row, "x": pa.concat_arrays([array, array[:1]])}, **options)
    assert texts_of(path) == [*texts, texts[0]]


def test_every_type_has_a_form_in_json(tmp_path):
    """In a list, in a struct and in a map, each row becomes valid JSON or a fault of the column."""
    columns = {}
    for name, (array, _) in KINDS.items():
        if "dictionary" in name:  # Arrow does not write them within others
            continue
        both = pa.concat_arrays([array[:1], array[-1:]])
        one_list = pa.ListArray.from_arrays(pa.array([0, 2], pa.int32()), both)
        columns[f"list {name}"] = one_list
        columns[f"struct {name}"] = pa.StructArray.from_arrays([array[:1], one_list], ["a", "b"])
        keys = pa.array(["k", "l"])
        columns[f"map {name}"] = pa.MapArray.from_arrays(pa.array([0, 2], pa.int32()), keys, both)
    path = tmp_path / "a.parquet"
    for column, array in columns.items():
        write(path, {"row": pa.array(["row"]), "x": array})
        ((_, (_, text), fault),) = decoded(path)
        assert fault is None or fault.code in ("encoding", "value"), column
        json.loads(text or "0", parse_constant=pytest.fail)


def test_texts_of_simple_types_are_the_same_in_json(tmp_path):
    for name in (
        "uint64",
        "float32",
        "decimal256",
        "time_ns",
        "duration_ns",
        "date32",
        "uuid",
        "bool",
        "timestamp_utc",
    ):
        array, texts = KINDS[name]
        row = pa.ListArray.from_arrays(pa.array([0, len(array)], pa.int32()), array)
        path = write(tmp_path / "a.parquet", {"x": row})
        (text,) = texts_of(path)
        assert [json.loads(part) if part[0] == '"' else part for part in text[1:-1].split(",")] == [
            text or "null" for text in texts
        ]


def test_old_time_stamps_are_right_in_any_year(tmp_path):
    micros = [253_402_214_400_000_000, -62_135_596_800_000_000, 1_767_609_000_000_001, None]
    texts = ["9999-12-31T00:00:00", "0001-01-01T00:00:00", "2026-01-05T10:30:00.000001", ""]
    array = raw(micros, pa.timestamp("us"))
    nested = pa.StructArray.from_arrays([array, pa.ListArray.from_arrays([0, 1, 2, 4, 4], array)], ["t", "l"])
    path = tmp_path / "a.parquet"
    write(path, {"id": ["1", "2", "3", "4"], "x": array, "n": nested}, use_deprecated_int96_timestamps=True)
    assert texts_of(path) == texts
    assert json.loads(decoded(path)[2][1][2]) == {"t": texts[2], "l": [texts[2], None]}
    write(path, {"x": raw([NS], pa.timestamp("ns"))}, use_deprecated_int96_timestamps=True)
    assert texts_of(path) == ["2026-01-05T10:30:00.000000001"]


def variant(*members):
    return pa.array([{"metadata": b"\1\2\0\1\2ab", "value": value} for value in members], VARIANT)


VARIANT = pa.struct([pa.field("metadata", pa.binary(), nullable=False), pa.field("value", pa.binary())])


def test_variants_become_json(tmp_path):
    array = b"\3\2\0\1\x0a\0\x1c" + struct.pack("<d", 1.5)  # [null, 1.5]
    member = bytes([2, 2, 0, 1, len(array), 0, len(array) + 2]) + array + b"\5x"  # {"a": "x", "b": ...}
    values = [
        (b"\x0dabc", "abc"),
        (b"\0", ""),
        (b"\x04", "true"),
        (b"\x18" + (2**63 - 1).to_bytes(8, "little"), str(2**63 - 1)),
        (b"\x20\2" + (-150).to_bytes(4, "little", signed=True), "-1.50"),
        (array, "[null,1.5]"),
        (member, '{"a":"x","b":[null,1.5]}'),
        (b"\x3c\2\0\0\0\xff\0", "/wA="),
        (b"\x50" + bytes(range(16)), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (b"\x28\x01\0\0\0", None),
    ]
    path = write(tmp_path / "a.parquet", {"row": ["r"] * len(values), "x": variant(*(value for value, _ in values))})
    found = texts_of(path)
    assert found[:-1] == [text for _, text in values[:-1]]
    assert "VARIANT" in found[-1]


def test_variants_in_columns_of_their_own_are_put_together(tmp_path):
    part = pa.struct({"value": pa.binary(), "typed_value": pa.int64()})
    kind = pa.struct(
        [
            pa.field("metadata", pa.binary(), nullable=False),
            pa.field("value", pa.binary()),
            pa.field("typed_value", pa.struct({"c": part})),
        ]
    )
    rest = bytes([2, 1, 0, 0, 2]) + b"\5x"  # {"a": "x"}
    rows = [
        {"metadata": b"\1\1\0\1a", "value": rest, "typed_value": {"c": {"value": None, "typed_value": 5}}},
        {"metadata": b"\1\1\0\1a", "value": None, "typed_value": {"c": {"value": b"\5y", "typed_value": None}}},
        {"metadata": b"\1\1\0\1a", "value": b"\5z", "typed_value": None},
        {"metadata": b"\1\1\0\1a", "value": b"\5z", "typed_value": {"c": {"value": None, "typed_value": 5}}},
    ]
    path = write(tmp_path / "a.parquet", {"x": pa.array(rows, kind)})
    texts = ['{"a":"x","c":5}', '{"c":"y"}', "z", "is a VARIANT whose parts contradict each other"]
    assert texts_of(path) == texts


def test_a_variant_cannot_grow_without_bound(tmp_path):
    """Each level names the one below it 200 times: a few hundred bytes would become 200 to the power of 20 texts."""
    value = b"\0"
    for _ in range(20):
        offsets = b"".join((0).to_bytes(2, "little") for _ in range(200)) + len(value).to_bytes(2, "little")
        value = b"\x07" + bytes([200]) + offsets + value
    path = write(tmp_path / "a.parquet", {"x": variant(value)})
    assert texts_of(path) == ["is longer as a text than a record may be"]


def test_a_struct_that_only_looks_like_a_variant_is_a_struct(tmp_path):
    kind = pa.struct({"metadata": pa.string(), "value": pa.int64()})
    path = write(tmp_path / "a.parquet", {"x": pa.array([{"metadata": "m", "value": 1}], kind)})
    assert texts_of(path) == ['{"metadata":"m","value":1}']


def test_shapes_become_well_known_text():
    from jobctl.sources.wkb import shape_text

    point = b"\1\1\0\0\0" + struct.pack("<dd", 30, 10.5)
    assert shape_text(point) == "POINT (30 10.5)"
    assert shape_text(b"\0\0\0\x0b\xb9" + struct.pack(">dddd", 1, 2, 3, 4)) == "POINT ZM (1 2 3 4)"
    assert shape_text(b"\1\1\0\0\x20\xe6\x10\0\0" + point[5:]) == "POINT (30 10.5)"
    assert shape_text(b"\1\1\0\0\0" + struct.pack("<dd", float("nan"), float("nan"))) == "POINT EMPTY"
    ring = struct.pack("<I", 2) + struct.pack("<dddd", 0, 0, 1, 1)
    assert shape_text(b"\1\3\0\0\0\1\0\0\0" + ring) == "POLYGON ((0 0, 1 1))"
    assert shape_text(b"\1\4\0\0\0\1\0\0\0" + point) == "MULTIPOINT ((30 10.5))"
    assert shape_text(b"\1\7\0\0\0\1\0\0\0" + point) == "GEOMETRYCOLLECTION (POINT (30 10.5))"
    for bad in (
        b"",
        point[:-1],
        point + b"x",
        b"\1\x63\0\0\0",
        b"\1\2\0\0\0\xff\xff\xff\xff",
        b"\1\7\0\0\0\1\0\0\0" * 99,
    ):
        with pytest.raises(ValueError, match="shape"):
            shape_text(bad)


@pytest.mark.slow
def test_a_file_that_ends_anywhere_or_is_wrong_anywhere_is_refused_or_read(tmp_path):
    """jobctl itself never fails: each cut file is refused, and a wrong byte is reported or has no effect."""
    columns = {"id": list(range(50)), "name": [f"name {number % 7}" for number in range(50)], "l": [[1.5, None]] * 50}
    content = write(tmp_path / "a.parquet", columns, compression="zstd").read_bytes()
    path = tmp_path / "broken.parquet"
    for cut in range(0, len(content), 23):
        path.write_bytes(content[:cut])
        with pytest.raises(Damaged):
            decoded(path)
    for place in range(4, len(content) - 8, len(content) // 6):  # in a child: Arrow may crash
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        with contextlib.suppress(InputRejected):
            read_file(path)


def test_missing_rows_of_a_row_group_are_reported(tmp_path):
    """Arrow itself reads such a file as one of fewer rows."""
    path = write(tmp_path / "a.parquet", {"x": list(range(4321))})
    data, footer = path.read_bytes()[:-8], path.read_bytes()[-8:]
    start = len(data) - int.from_bytes(footer[:4], "little")
    path.write_bytes(data[:start] + data[start:].replace(b"\x16\xc2\x43", b"\x16\xc4\x43") + footer)
    assert pq.read_metadata(path).num_rows == 4322
    with pytest.raises(Damaged, match="row group 1 has 4,321 rows where the file says 4,322"):
        decoded(path)


def test_files_of_other_writers():
    """Time stamps in INT96 from Spark, one of which is wrong in the file, and shredded VARIANT from Iceberg."""
    overflow = "is an INT96 time stamp that overflowed when it was written"
    texts = ["2024-01-01T20:34:56.123456", "2024-01-01T01:00:00", "9999-12-31T03:00:00", "2024-12-30T23:00:00"]
    found = [
        texts[0] if fault is None else fault.message for _, texts, fault in decoded(DATA / "int96_from_spark.parquet")
    ]
    assert found == [*texts, "every field is empty", overflow]
    names, (_, first), _ = decoded(DATA / "case-126.parquet")[0]
    assert (names, first) == (["id", "var"], '[{"a":1,"b":"comedy"},{"a":2,"b":"drama"}]')


def test_an_encrypted_file_is_reported_as_encrypted():
    for name in ("encrypt_columns_and_footer", "encrypt_columns_plaintext_footer"):  # Arrow aborts at the second
        with pytest.raises(InputRejected) as caught:
            read_file(DATA / f"{name}.parquet.encrypted", format="parquet")
        assert caught.value.details == ("the Parquet file is encrypted",)


def test_a_string_that_is_stored_once_is_read_once(tmp_path):
    """6 kB of file are 2 GiB of rows: they pass one after the other."""
    text = pa.array(["x" * (1 << 20)])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int32()), text)
    path = write(tmp_path / "a.parquet", {"x": column}, compression="zstd")
    assert path.stat().st_size < 10_000
    before = pa.default_memory_pool().max_memory()
    with open(path, "rb") as file:
        decoder = ParquetDecoder(file, {})
        decoder.header()
        assert sum(len(row[0]) for _, row in decoder.rows()) == 2_000 << 20
    assert pa.default_memory_pool().max_memory() - before < 64 << 20


@pytest.mark.slow
def test_a_file_that_needs_too_much_memory_is_refused_for_that_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(ParquetSource, "_bounds", ChildBounds(memory=128 << 20, cpu_s=300))
    rows = {"id": [1, 2], "x": ["x", "0" * (64 << 20)]}
    path = write(tmp_path / "a.parquet", rows, compression="brotli", use_dictionary=False, row_group_size=1)
    assert path.stat().st_size < 30_000
    with pytest.raises(InputRejected) as caught:
        read_file(path, invalid="skip")
    assert caught.value.details == ("the reader (pyarrow) needs more than 128 MiB of memory from record 1 on",)
    assert caught.value.hint == "write it with smaller row groups and pages, or save it as CSV"


def test_a_row_of_more_values_than_a_record_can_have_is_refused_before_it_is_read(tmp_path):
    row = pa.ListArray.from_arrays(pa.array([0, 20_000_000], pa.int32()), pa.nulls(20_000_000, pa.int8()))
    path = write(tmp_path / "a.parquet", {"x": row})
    with pytest.raises(Damaged, match="row group 1 has 20,000,000 values in each row"):
        decoded(path)


def test_files_of_many_columns_and_of_many_row_groups(tmp_path):
    path = write(tmp_path / "a.parquet", {f"c{number}": [number] * 3 for number in range(2_000)})
    assert [texts for _, texts, _ in decoded(path)] == [[str(number) for number in range(2_000)]] * 3
    path = write(tmp_path / "a.parquet", {"x": list(range(200))}, row_group_size=1)
    assert texts_of(path) == [str(number) for number in range(200)]


def test_the_share_of_the_file_that_was_read_is_reported(tmp_path):
    path = write(tmp_path / "a.parquet", {"x": list(range(20_000))})
    shares = []
    with open(path, "rb") as file:
        decoder = ParquetDecoder(file, {})
        decoder.watch = shares.append
        decoder.header()
        assert len(list(decoder.rows())) == 20_000
    assert shares == [0.25, 0.5, 0.75, 1.0]


def test_names_that_are_not_text_and_row_groups_of_another_schema_are_reported(tmp_path):
    path = write(tmp_path / "a.parquet", {"name": ["a", "b"]}, store_schema=False)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"name", b"n\xffme"))
    with pytest.raises(Damaged, match="a name that is not UTF-8 text"):
        decoded(path)
    place = content.rindex(b"name")
    path.write_bytes(content[:place] + b"game" + content[place + 4 :])
    with pytest.raises(Damaged, match="a column that the schema does not have"):
        decoded(path)


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        (b"", "it is empty (0 bytes)", "fetch it again"),
        (b"id,v\n1,2\n", "it is text with commas between its fields", "add --format csv"),
        (b'{"id": 1}\n', "it is JSON text", "add --format jsonl"),
        (b"ARROW1\0\0" + bytes(99), "it is an Arrow (Feather) file", "p.write_table("),
        (b"FEA1\0\0\0\0" + bytes(99), "it is a Feather file of the first version", "p.write_table("),
        (b"\xff\xff\xff\xff" + bytes(99), "it is an Arrow stream", "p.write_table("),
        (b"ORC\x08\0" + bytes(99), "it is an ORC file", "p.write_table("),
        (b"\x1f\x8b\x08\0" + bytes(99), "it is packed by gzip", "gunzip FILE"),
        (b"<html><body>", "it is an HTML page", ""),
        (b"PAR1" + bytes(99), "is cut off, or has something behind its end", "fetch it again"),
    ],
)
def test_the_kind_of_a_file_that_is_not_parquet_is_named(tmp_path, content, what, hint):
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(InputRejected) as caught:
        read_file(path)
    assert what in caught.value.details[-1]
    assert hint in caught.value.hint


def test_parquet_without_columns_or_with_equal_names_is_refused(tmp_path):
    for table, what in (
        (pa.table({}), "there are no columns"),
        (pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), "'a' appears more than once"),
    ):
        path = tmp_path / "x.parquet"
        pq.write_table(table, path)
        with pytest.raises(InputRejected) as caught:
            read_file(path)
        assert what in caught.value.details[-1]
        assert "--no-header" not in caught.value.hint
