"""The completion function for zsh."""

from __future__ import annotations

from collections.abc import Iterator

from jobctl.cli.completion import values
from jobctl.cli.completion.tree import Argument, Node, Option
from jobctl.cli.completion.values import Values

_HEAD = r"""#compdef jobctl
# zsh completion for jobctl
# Generated from the command tree: python -m jobctl.cli.commands.completion

# Completes numbers and names that only jobctl knows.
__jobctl_ask() {
  local kind=${@[-1]} line value
  local -a store found ask
  local -i at=${words[(I)--home]}
  # "words" has only the words of the subcommand, and --home may be before it.
  (( at )) && store=(--home ${${(Q)words[at + 1]}/#\~/$HOME})
  [[ -z $store && -n $__jobctl_home ]] && store=(--home $__jobctl_home)
  ask=($__jobctl_program __complete $kind $store -- ${(Q)PREFIX})
  for line in ${(f)"$(_call_program $kind ${(q)ask} 2>/dev/null)"}; do
    value=${line%%$'\t'*}
    value=${value//\\/\\\\}
    found+=("${value//:/\\:}:${line#*$'\t'}")
  done
  _describe -V -t $kind $kind found
}
"""

_TAIL = r"""
local __jobctl_program=$words[1] __jobctl_home
local -i at=${words[(I)--home]}
(( at )) && __jobctl_home=${${(Q)words[at + 1]}/#\~/$HOME}
__jobctl "$@"
"""

#: The words after -- are the line of another command.
_WORDS = (
    "  local -i dashes=${words[(i)--]}",
    "  if (( dashes < CURRENT )); then",
    "    shift $dashes words",
    "    (( CURRENT -= dashes ))",
    "    _normal",
    "    return",
    "  fi",
)


def zsh(root: Node) -> str:
    """Return the completion function for zsh."""
    return _HEAD + "".join("\n" + "\n".join(_function(node)) + "\n" for node in root.walk()) + _TAIL


def _function(node: Node) -> Iterator[str]:
    yield f"{_name(node)}() {{"
    if node.children:
        yield "  local context state state_descr line curcontext=$curcontext"
        yield "  typeset -A opt_args"
        yield "  local -a subcommands=("
        yield from (f"    {_quoted(f'{child.path[-1]}:{child.summary}')}" for child in node.children)
        yield "  )"
    if node.takes_words:
        yield from _WORDS
    yield f"  _arguments -s {'-C ' if node.children else '-S '}\\"
    rows = [row for option in node.options for row in _option(option)]
    rows += _dispatch() if node.children else _arguments(node)
    yield " \\\n".join(f"    {row}" for row in rows)
    if node.children:
        yield from _choice(node)
    yield "}"


def _name(node: Node) -> str:
    return "_".join(("__jobctl", *node.path))


def _dispatch() -> list[str]:
    return ["'1: :->command'", "'*:: :->rest'"]


def _choice(node: Node) -> Iterator[str]:
    yield "  case $state in"
    yield "    command) _describe -t commands command subcommands ;;"
    yield "    rest)"
    yield "      case $line[1] in"
    yield from (f"        {child.path[-1]}) {_name(child)} ;;" for child in node.children)
    yield from ("      esac", "      ;;", "  esac")


def _option(option: Option) -> Iterator[str]:
    explained = f"[{_bracketed(option.help)}]"
    value = f":{_message(option.metavar)}:{_action(values.of_option(option))}" if option.metavar else ""
    excluded = "" if option.multiple else f"({' '.join(option.names)})"
    for name in option.names:
        equals = ("=" if name.startswith("--") else "+") if option.metavar else ""
        yield _quoted(f"{'*' if option.multiple else excluded}{name}{equals}{explained}{value}")


def _arguments(node: Node) -> list[str]:
    found = [_argument(node, argument, place) for place, argument in enumerate(node.arguments, 1)]
    if node.takes_words:
        found += ["'(-)2:command:_command_names -e'", "'*::argument:_normal'"]
    return found


def _argument(node: Node, argument: Argument, place: int) -> str:
    position = "*" if argument.multiple else str(place)
    return _quoted(f"{position}:{_message(argument.metavar)}:{_action(values.of_argument(node, argument))}")


def _action(found: Values) -> str:
    words = " ".join(found.words)
    if found.kind in values.ASKED:
        return f"__jobctl_ask {found.kind}"
    if found.kind == "words" and words.endswith("="):
        return f"compadd -S '' - {words}"
    return {
        "files": "_files",
        "folders": "_directories",
        "words": f"({words})",
        "list": f"_sequence compadd - {words}",
    }.get(found.kind, " ")


def _message(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def _bracketed(text: str) -> str:
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
