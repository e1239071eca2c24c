"""The completion script for fish."""

from __future__ import annotations

from collections.abc import Iterator

from jobctl.cli.completion import values
from jobctl.cli.completion.tree import Node, Option
from jobctl.cli.completion.values import Values

_HEAD = r"""# fish completion for jobctl
# Generated from the command tree: python -m jobctl.cli.commands.completion

# Succeeds if the words so far are the command $argv[1] and, if given, exactly $argv[2] of its arguments.
function __jobctl_at
    __jobctl_in_words; and return 1
    set -l words (commandline -opc)
    set -e words[1]
    set -l path
    set -l place 0
    set -l skip 0
    for word in $words
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --
                return 1
            case '-?*'
                contains -- $word $__jobctl_valued; and set skip 1
            case '*'
                if set -q path[1]; and not contains -- "$path" $__jobctl_groups
                    set place (math $place + 1)
                else
                    set -a path $word
                end
        end
    end
    test "$path" = "$argv[1]"; or return 1
    set -q argv[2]; or return 0
    test $place = $argv[2]
end

# Prints numbers and names that only jobctl knows.
function __jobctl_ask
    set -l words (commandline -opc)
    set -l store
    if set -l at (contains -i -- --home $words); and test $at -lt (count $words)
        set store --home (string replace -r '^~' $HOME -- $words[(math $at + 1)])
    end
    $words[1] __complete $argv[1] $store -- (commandline -ct) 2>/dev/null
end

# Prints the position of the other command among the words so far; fails if it has not begun.
function __jobctl_words_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l seen 0
    set -l skip 0
    set -l at 1
    for word in $words
        set at (math $at + 1)
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --
                test $seen -gt 1; or return 1
                math $at + 1
                return 0
            case '-?*'
                contains -- $word $__jobctl_valued; and set skip 1
            case '*'
                test $seen = 0; and not contains -- $word $__jobctl_givers; and return 1
                set seen (math $seen + 1)
                if test $seen = 3
                    echo $at
                    return 0
                end
        end
    end
    return 1
end

function __jobctl_in_words
    __jobctl_words_at >/dev/null
end

# Completes the name of a program. A word with a dash is left out: complete would read it as its own option.
function __jobctl_program
    set -l token (commandline -ct)
    string match -q -- '-*' "$token"; or complete --do-complete="$token"
end

function __jobctl_words
    set -l words (commandline -opc)
    set -l at (__jobctl_words_at)
    if test $at -gt (count $words)
        __jobctl_program
    else
        set -l token (commandline -ct)
        set -l line (string join ' ' -- (string escape -- $words[$at..-1]) "$token")
        complete --do-complete="$line"
    end
end

complete -c jobctl -f
complete -c jobctl -n __jobctl_in_words -xa '(__jobctl_words)'
"""


def fish(root: Node) -> str:
    """Return the completion script for fish."""
    nodes = list(root.walk())
    valued = dict.fromkeys(name for node in nodes for option in node.options if option.metavar for name in option.names)
    groups = [_quoted(node.name) if " " in node.name else node.name for node in nodes if node.children and node.path]
    givers = [node.name for node in nodes if node.takes_words]
    lists = [
        f"set -g __jobctl_valued {' '.join(valued)}",
        f"set -g __jobctl_groups {' '.join(groups)}",
        f"set -g __jobctl_givers {' '.join(givers)}",
    ]
    rows = [row for node in nodes for row in (*_commands(node), *_places(node), *_options(node))]
    return _HEAD + "\n".join([*between_blank_lines(lists), *rows]) + "\n"


def between_blank_lines(lines: list[str]) -> list[str]:
    """Return lines between two blank lines."""
    return ["", *lines, ""]


def _at(node: Node, place: int | None = None) -> str:
    where = f"__jobctl_at '{node.name}'" + ("" if place is None else f" {place}")
    return f'complete -c jobctl -n "{where}"'


def _commands(node: Node) -> Iterator[str]:
    for child in node.children:
        yield f"{_at(node)} -xa {child.path[-1]} -d {_quoted(child.summary)}"


def _places(node: Node) -> Iterator[str]:
    for place, argument in enumerate(node.arguments):
        found = _action(values.of_argument(node, argument))
        if found:
            yield f"{_at(node, None if argument.multiple else place)} {found}"
    if node.takes_words:
        yield f"{_at(node, len(node.arguments))} -xa '(__jobctl_program)'"


def _options(node: Node) -> Iterator[str]:
    for option in node.options:
        yield f"{_at(node)} {_names(option)}{_value(option)} -d {_quoted(option.help)}"


def _names(option: Option) -> str:
    return " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)


def _value(option: Option) -> str:
    if not option.metavar:
        return ""
    found = values.of_option(option)
    return f" {_action(found) or '-x'}" if found.kind != "files" else " -rF"


def _action(found: Values) -> str:
    words = " ".join(found.words)
    if found.kind in values.ASKED:
        return f"-kxa '(__jobctl_ask {found.kind})'"
    return {
        "files": "-F",
        "folders": "-xa '(__fish_complete_directories (commandline -ct))'",
        "words": f"-xa '{words}'",
        "list": f"-xa '(__fish_append , {words})'",
    }.get(found.kind, "")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
