"""The completion script for bash. It needs only bash 4.

With the package bash-completion, it also completes the arguments of the command after ``--``.
"""

from __future__ import annotations

from collections.abc import Iterator

from jobctl.cli.completion import values
from jobctl.cli.completion.tree import Node
from jobctl.cli.completion.values import Values

_HEAD = r"""# bash completion for jobctl
# Generated from the command tree: python -m jobctl.cli.commands.completion

"""

_WORK = r"""
# Sets "typed" to the text $1 without its quotes. It evaluates nothing.
__jobctl_unquote() {
    local text=$1 quote='' character
    typed=
    while [[ -n $text ]]; do
        character=${text:0:1}
        text=${text:1}
        if [[ $quote == "'" && $character != "'" ]]; then
            typed+=$character
        elif [[ $character == "$quote" ]]; then
            quote=
        elif [[ $character == \\ ]]; then
            typed+=${text:0:1}
            text=${text:1}
        elif [[ -z $quote && $character == [\'\"] ]]; then
            quote=$character
        else
            typed+=$character
        fi
    done
}

# Completes numbers and names that only jobctl knows; several values are shown with their descriptions. Another user
# may have chosen a name, so it is inserted with quotes: otherwise $(...) in it would run.
__jobctl_ask() {
    local -a store=() lines=()
    local line typed value quoted
    [[ -n $home ]] && store=(--home "$home")
    __jobctl_unquote "$cur"
    mapfile -t lines < <("$program" __complete "$1" "${store[@]}" -- "$typed" 2>/dev/null)
    for line in "${lines[@]}"; do
        value=${line%%$'\t'*}
        printf -v quoted %q "$value"
        # After an opening quote, only a value that needs no quotes can be inserted.
        [[ $cur == [\'\"]* && $quoted != "$value" ]] && continue
        if ((${#lines[@]} > 1)) && [[ $COMP_TYPE == 9 || $COMP_TYPE == 63 ]]; then
            quoted+="  ${line#*$'\t'}"
        fi
        COMPREPLY+=("$quoted")
    done
    compopt -o nosort 2>/dev/null
}

# Quotes the names of programs, which bash inserts as they are.
__jobctl_quote() {
    local -i at
    for at in "${!COMPREPLY[@]}"; do
        printf -v "COMPREPLY[at]" %q "${COMPREPLY[at]}"
    done
}

__jobctl_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
    if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace
    fi
}

__jobctl_list() {
    local before=
    [[ $cur == *,* ]] && before=${cur%,*},
    mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${cur##*,}")
}

__jobctl_files() {
    mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
    compopt -o filenames
}

# Completes the other command, which begins at word $1.
__jobctl_command() {
    if declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif ((COMP_CWORD == $1)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
        __jobctl_quote
    else
        __jobctl_files -f
    fi
}

_jobctl() {
    local program=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} home='' path='' word
    local commands switches valued takes_words option='' place=0 i=1
    COMPREPLY=()
    __jobctl_node ''
    while ((i < COMP_CWORD)); do
        word=${COMP_WORDS[i]}
        if [[ $word == -- ]]; then
            if ((takes_words)); then
                __jobctl_command $((i + 1))
                return
            fi
            ((i += 1))
        elif [[ $word == -?* && $valued == *" $word "* ]]; then
            option=$word
            ((i += 1))
            # bash splits --option=value into three words.
            [[ ${COMP_WORDS[i]} == = ]] && ((i < COMP_CWORD)) && ((i += 1))
            if ((i >= COMP_CWORD)); then
                [[ $cur == = ]] && cur=
                __jobctl_value "$path" "$option"
                return
            fi
            [[ $option == --home ]] && home=${COMP_WORDS[i]/#\~/$HOME}
            ((i += 1))
        elif [[ $word == -?* ]]; then
            ((i += 1))
        elif [[ -n $commands ]]; then
            path=${path:+$path }$word
            __jobctl_node "$path" || return
            ((i += 1))
        elif ((takes_words && place == 1)); then
            __jobctl_command "$i"
            return
        else
            ((place += 1, i += 1))
        fi
    done
    if [[ $cur == -* ]]; then
        __jobctl_words "$switches $valued"
    elif [[ -n $commands ]]; then
        __jobctl_words "$commands"
    elif ((takes_words && place == 1)); then
        __jobctl_command "$COMP_CWORD"
    else
        __jobctl_place "$path" "$place"
    fi
}

complete -F _jobctl jobctl
"""


def bash(root: Node) -> str:
    """Return the completion script for bash."""
    nodes = list(root.walk())
    functions = (_tree(nodes), _options(nodes), _places(nodes))
    return _HEAD + "\n".join("\n".join(function) + "\n" for function in functions) + _WORK


def _tree(nodes: list[Node]) -> Iterator[str]:
    yield "# Sets, for command $1: subcommands, options without and with a value, and whether another command follows."
    yield "__jobctl_node() {"
    yield "    commands='' takes_words=0"
    yield "    case $1 in"
    for node in nodes:
        yield f"    '{node.name}')"
        if node.children:
            yield f"        commands='{' '.join(child.path[-1] for child in node.children)}'"
        yield f"        switches='{_names(node, valued=False)}'"
        yield f"        valued=' {_names(node, valued=True)} '"
        if node.takes_words:
            yield "        takes_words=1"
        yield "        ;;"
    yield "    *) return 1 ;;"
    yield from ("    esac", "}")


def _names(node: Node, *, valued: bool) -> str:
    return " ".join(name for option in node.options if bool(option.metavar) == valued for name in option.names)


def _options(nodes: list[Node]) -> Iterator[str]:
    by_action: dict[str, dict[str, None]] = {}
    for node in nodes:
        for option in node.options:
            found = _action(values.of_option(option)) if option.metavar else ""
            if found:
                by_action.setdefault(found, {}).update((f"'{node.name} {name}'", None) for name in option.names)
    yield "__jobctl_value() {"
    yield '    case "$1 $2" in'
    for action, patterns in by_action.items():
        yield f"    {' | '.join(patterns)}) {action} ;;"
    yield from ("    esac", "}")


def _places(nodes: list[Node]) -> Iterator[str]:
    yield "__jobctl_place() {"
    yield '    case "$1 $2" in'
    for node in nodes:
        for place, argument in enumerate(node.arguments):
            found = _action(values.of_argument(node, argument))
            if found:
                yield f"    '{node.name} '{'*' if argument.multiple else place}) {found} ;;"
    yield from ("    esac", "}")


def _action(found: Values) -> str:
    if found.kind in values.ASKED:
        return f"__jobctl_ask {found.kind}"
    if found.kind == "files":
        return "__jobctl_files -f"
    if found.kind == "folders":
        return "__jobctl_files -d"
    words = " ".join(found.words)
    return {"words": f"__jobctl_words '{words}'", "list": f"__jobctl_list '{words}'"}.get(found.kind, "")
