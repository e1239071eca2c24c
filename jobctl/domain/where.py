"""The language of conditions on columns: ``country == "DE" and size > 100``.

A condition has the syntax of Python and goes through its parser, but only comparisons, ``and``, ``or``, ``not`` and
brackets are allowed. They become closures; no Python code is evaluated. The values of a row are texts. A number in the
condition is compared with the number that a text spells; a text that spells none is neither equal to, above nor below
any number. A string is compared with the text itself. ``~`` searches for a regular expression. A backslash in a string
is special only in a regular expression and before the closing quote.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from jobctl.errors import UsageError

Value = str | int | float
#: Values of columns: texts, and numbers of columns that have numbers.
Fields = Sequence[Value]
Condition = Callable[[Fields], bool]

ALLOWED = (
    "columns, 'strings', numbers, == != < <= > >= in, ~ 'regex', and, or, not, (brackets);"
    " {a name} for a column whose name is not a plain word"
)
_LONGEST = 10_000
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\{[^{}]*\}|~""", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+(\.\d*)?|(\.\d+))([eE][+-]?\d{1,3})?\Z", re.ASCII)
_LONGEST_NUMBER = 1_000


class WhereColumn(NamedTuple):
    """A column that the condition names."""

    place: int  # among the values that the condition gets
    name: str
    #: Turns a string that the column is compared with into its value; None for a column of texts. Raises UsageError.
    parse: Callable[[str], Value] | None = None
    has_text: bool = True  # a regular expression can search it


class NoColumn(Exception):
    """A name in a condition is not a column: the fault, and what to write instead."""

    def __init__(self, fault: str, hint: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.hint = hint


class Columns(Protocol):
    """The columns that a condition may name."""

    #: The words before the point in ``row.size``; empty if names have no such words.
    sources: Sequence[str]

    def find(self, name: str, source: str) -> WhereColumn:
        """The column of a name, of one source if one is named. Raises NoColumn."""
        ...


def number_of(text: str) -> int | float | None:
    """The number that a text spells, or None."""
    found = _NUMBER.match(text.strip()) if len(text) <= _LONGEST_NUMBER else None
    if found is None:
        return None
    return float(text) if found[1] or found[2] or found[3] else int(text)


def compile_condition(text: str, columns: Columns) -> Condition:
    """Return a condition on the values that ``columns`` has given places to.

    Raises UsageError that names the place in the text, the fault there, and the allowed syntax.
    """
    return _Compiler(text, columns).compile()


def has_regex(text: str) -> bool:
    """Return whether a condition searches for a regular expression; the parser reads ``@`` as ``~``."""
    rest = _TOKEN.sub(lambda token: "~" if token[0] == "~" else "_", text)
    return "~" in rest or "@" in rest


class _Compiler:
    """Turns the text of one condition into a closure."""

    def __init__(self, text: str, columns: Columns) -> None:
        self._text = text.strip()
        self._columns = columns
        self._braces: dict[int, str] = {}  # the {name} that begins at each place
        self._strings: dict[int, str] = {}

    def compile(self) -> Condition:
        if len(self._text) > _LONGEST:
            raise UsageError(f"--where: the condition is longer than {_LONGEST:,} characters", hint="use a script")
        self._plain = _TOKEN.sub(self._python, self._text).replace("\n", " ").replace("\r", " ")
        try:
            tree = ast.parse(self._plain, mode="eval").body
            return self._condition(tree)
        except SyntaxError as error:
            raise self._unreadable(error) from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise UsageError("--where: the condition is too deep or has a NUL character", hint=ALLOWED) from error

    def _python(self, token: re.Match[str]) -> str:
        """The token in Python syntax, with the same length, so that the places in error messages stay right."""
        text = token[0]
        if text == "~":
            return "@"
        if text[0] == "{":
            self._braces[token.start()] = text[1:-1]
            return "_".ljust(len(text))
        self._strings[token.start()] = text[1:-1].replace("\\" + text[0], text[0])
        return text[0] + "_" * (len(text) - 2) + text[0]

    def _unreadable(self, error: SyntaxError) -> UsageError:
        place = min((error.offset or 1), len(self._text) + 1)
        rest = self._text[place - 1 :]
        if re.search(r"(?<![=!<>])=(?!=)", _TOKEN.sub(lambda found: "_" * len(found[0]), self._text)):
            return UsageError(f"--where {self._text!r}: = is not a comparison", hint="write == for equal")
        near = f"at character {place}, {rest.split()[0]!r}," if rest.split() else "at its end"
        return UsageError(f"--where: {near} this cannot be read: {error.msg}", hint=f"possible are {ALLOWED}")

    def _place(self, node: ast.expr) -> int:
        """The index of a node's first character; the parser counts bytes."""
        return len(self._plain.encode()[: node.col_offset].decode())

    def _end(self, node: ast.expr) -> int:
        return len(self._plain.encode()[: node.end_col_offset].decode())

    def _refusal(self, node: ast.expr, what: str, hint: str = f"possible are {ALLOWED}") -> UsageError:
        place = self._place(node)
        end = self._end(node)
        return UsageError(f"--where: at character {place + 1}, {self._text[place:end]!r}: {what}", hint=hint)

    def _condition(self, node: ast.expr) -> Condition:
        match node:
            case ast.BoolOp(op=ast.And()):
                return _all([self._condition(value) for value in node.values])
            case ast.BoolOp():
                return _any([self._condition(value) for value in node.values])
            case ast.UnaryOp(op=ast.Not()):
                inner = self._condition(node.operand)
                return lambda fields: not inner(fields)
            case ast.Compare():
                left = [node.left, *node.comparators[:-1]]
                pairs = zip(left, node.ops, node.comparators, strict=True)
                return _all([self._comparison(a, operator, b) for a, operator, b in pairs])
            case ast.BinOp(op=ast.MatMult()):
                return self._regex(node)
            case ast.Name() | ast.Constant():
                raise self._refusal(
                    node, "a value alone is not a condition", "compare it with something, as in name != ''"
                )
        raise self._refusal(node, "this is not possible in a condition")

    def _comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Condition:
        if isinstance(operator, ast.In | ast.NotIn):
            inside = self._membership(left, right)
            return inside if isinstance(operator, ast.In) else lambda fields: not inside(fields)
        compare = _COMPARISONS.get(type(operator))
        if compare is None:
            raise self._refusal(left, "is and is not mean nothing here", "write == or !=")
        return self._compared(left, compare, right)

    def _compared(self, left: ast.expr, compare: Callable[[Value, Value], bool], right: ast.expr) -> Condition:
        """A comparison, in which a string has the type of the column on the other side."""
        a, b = self._operand(left), self._operand(right)
        return _compared(self._typed(left, a, b), compare, self._typed(right, b, a))

    def _typed(self, node: ast.expr, operand: WhereColumn | Value, other: WhereColumn | Value) -> WhereColumn | Value:
        if not isinstance(operand, str) or not isinstance(other, WhereColumn) or other.parse is None or not operand:
            return operand
        try:
            return other.parse(operand)
        except UsageError as error:
            raise self._refusal(node, error.message, error.hint or "") from error

    def _membership(self, left: ast.expr, right: ast.expr) -> Condition:
        if isinstance(right, ast.Tuple | ast.List | ast.Set):
            return _any([self._compared(left, _equal, member) for member in right.elts])
        sought, within = self._operand(left), self._operand(right)
        if isinstance(within, WhereColumn) and within.has_text:  # 'text' in column
            return lambda fields: str(_value(sought, fields)) in str(fields[within.place])
        raise self._refusal(right, "in needs a list or a column", "for example country in ('DE', 'FR'), or 'x' in name")

    def _regex(self, node: ast.BinOp) -> Condition:
        column, pattern = self._operand(node.left), self._operand(node.right)
        if not isinstance(column, WhereColumn) or not isinstance(pattern, str):
            raise self._refusal(node, "~ goes between a column and a string", "for example url ~ '^https:'")
        if not column.has_text:
            raise self._refusal(node, f"~ searches texts, and {column.name} is a number", "compare it with < or >")
        try:
            search = re.compile(pattern).search
        except re.error as error:
            raise self._refusal(
                node.right, f"no regular expression: {error}", "see Python's re for what may be in one"
            ) from error
        return lambda fields: search(str(fields[column.place])) is not None

    def _operand(self, node: ast.expr) -> WhereColumn | Value:
        match node:
            case ast.Name() | ast.Attribute():
                return self._column(node)
            case ast.Constant(value=str()) if self._is_one_string(node):
                return self._strings[self._place(node)]
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case ast.Constant(value=None | bool()):
                raise self._refusal(
                    node, "values are texts", "write 'true' or 'false' as they stand there; empty is ''"
                )
        raise self._refusal(node, "this is not a column, string or number")

    def _is_one_string(self, node: ast.Constant) -> bool:
        found = _TOKEN.match(self._text, self._place(node))
        return found is not None and self._place(node) in self._strings and found.end() == self._end(node)

    def _column(self, node: ast.Name | ast.Attribute) -> WhereColumn:
        source, name = self._name(node)
        try:
            return self._columns.find(name, source)
        except NoColumn as error:
            raise self._refusal(node, error.fault, error.hint) from error

    def _name(self, node: ast.Name | ast.Attribute) -> tuple[str, str]:
        """The source (``row`` in ``row.size``) and the name of a column; the source is empty if none is written.

        The spelling in the text counts, because the parser normalises names.
        """
        if isinstance(node, ast.Name):
            place = self._place(node)
            return "", self._braces.get(place, self._text[place : self._end(node)])
        source = node.value
        if not isinstance(source, ast.Name) or source.id not in self._columns.sources:
            raise self._refusal(node, "this is not a column, string or number")
        text = self._text[self._end(source) : self._end(node)]
        name = text.lstrip().removeprefix(".").lstrip()
        return source.id, self._braces.get(self._end(node) - len(name), name)


def _all(conditions: Sequence[Condition]) -> Condition:
    if len(conditions) == 1:
        return conditions[0]
    return lambda fields: all(condition(fields) for condition in conditions)


def _any(conditions: Sequence[Condition]) -> Condition:
    return lambda fields: any(condition(fields) for condition in conditions)


def _equal(a: Value, b: Value) -> bool:
    return a == b


_COMPARISONS: dict[type[ast.cmpop], Callable[[Value, Value], bool]] = {
    ast.Eq: _equal,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,  # type: ignore[operator]
    ast.LtE: lambda a, b: a <= b,  # type: ignore[operator]
    ast.Gt: lambda a, b: a > b,  # type: ignore[operator]
    ast.GtE: lambda a, b: a >= b,  # type: ignore[operator]
}


def _value(operand: WhereColumn | Value, fields: Fields) -> Value:
    return fields[operand.place] if isinstance(operand, WhereColumn) else operand


def _compared(
    left: WhereColumn | Value, compare: Callable[[Value, Value], bool], right: WhereColumn | Value
) -> Condition:
    """A comparison of two operands: as numbers if both spell one, otherwise as texts."""
    if isinstance(left, WhereColumn) and isinstance(right, int | float):
        return _compared_with_number(left.place, compare, right)

    def condition(fields: Fields) -> bool:
        a, b = _value(left, fields), _value(right, fields)
        if isinstance(a, str) and isinstance(b, str):
            if isinstance(left, WhereColumn) and isinstance(right, WhereColumn):
                x, y = number_of(a), number_of(b)
                if x is not None and y is not None:
                    return compare(x, y)
            return compare(a, b)
        x = number_of(a) if isinstance(a, str) else a
        y = number_of(b) if isinstance(b, str) else b
        if x is None or y is None:
            return compare is _COMPARISONS[ast.NotEq]
        return compare(x, y)

    return condition


def _compared_with_number(place: int, compare: Callable[[Value, Value], bool], number: float) -> Condition:
    """The same for a column and a number, the most common comparison, in half the time."""
    without_number = compare is _COMPARISONS[ast.NotEq]

    def condition(fields: Fields) -> bool:
        value = fields[place]
        found = number_of(value) if isinstance(value, str) else value
        return without_number if found is None else compare(found, number)

    return condition
