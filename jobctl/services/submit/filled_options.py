"""The options of a submission that its caller leaves open: a recipe and the settings fill them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobctl.domain.job_options import NO_LIMIT, OPTIONS, is_given

if TYPE_CHECKING:
    from jobctl.services.submit.submit_place import SubmitPlace

#: The options that give items other work than a command.
_WORK = ("shell", "call")
_WAYS_BACK = ("undo", "undo_shell", "undo_call")
_SECRETS = ("notify_secret_env", "notify_secret_file")


def fill_in(
    given: Mapping[str, Any], words: Sequence[str], settings: Mapping[str, Any], place: SubmitPlace
) -> tuple[dict[str, Any], list[str]]:
    """The options of a submission and the words of its command. Recipe and settings fill in the options that
    the caller leaves open.

    Raises NotFound for an unknown recipe.
    """
    layers = [settings]
    if given["recipe"] is not None:
        from jobctl.services.settings.recipes import find_recipe

        layers.insert(0, find_recipe(given["recipe"], place.environ, place.cwd).options)
    return _merged(given, words, [{key.replace("-", "_"): value for key, value in each.items()} for each in layers])


def _merged(
    given: Mapping[str, Any], words: Sequence[str], layers: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[str]]:
    options, command = dict(given), list(words)
    without_limit = {option.key for option in OPTIONS if option.can_be_none and options[option.key] == NO_LIMIT}
    options |= dict.fromkeys(without_limit)
    has_command = bool(words) or given["shell"] is not None or given["call"] is not None
    has_way_back = any(given[name] is not None for name in _WAYS_BACK)
    for layer in layers:
        if not has_command:
            command = list(layer.get("command", command))
        for name, value in layer.items():
            if _is_open(options, name) and name not in without_limit and not _replaces(name, has_command, has_way_back):
                options[name] = value
    if not options["notify"]:  # without a target, a job needs no secret from the settings
        options |= {name: given[name] for name in _SECRETS}
    return options, command


def _replaces(name: str, has_command: bool, has_way_back: bool) -> bool:
    """True if the caller gives other work in place of the work that a recipe names."""
    return (name in _WORK and has_command) or (name in _WAYS_BACK and has_way_back)


def _is_open(options: Mapping[str, Any], name: str) -> bool:
    return not is_given(options.get(name, ""))
