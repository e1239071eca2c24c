"""Fill in what a command line leaves open: from a recipe, then from the settings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from jobctl.domain.job_options import NO_LIMIT, OPTIONS

#: What items can be instead of a command.
_WORK = ("shell", "call")
_SECRETS = ("notify_secret_env", "notify_secret_file")


def filled(given: Mapping[str, Any], words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The options of a submission and the words of its command; what the command line says stays.

    Raises UsageError for settings that are wrong, NotFound for an unknown recipe.
    """
    from jobctl.services.settings.settings import load_settings

    cwd = os.getcwd()
    settings = load_settings(os.environ, cwd)
    layers = [settings.section("submit")]
    if given["recipe"] is not None:
        from jobctl.services.settings.recipes import find_recipe

        layers.insert(0, find_recipe(given["recipe"], os.environ, cwd).options)
    return _merged(given, words, [{key.replace("-", "_"): value for key, value in each.items()} for each in layers])


def _merged(
    given: Mapping[str, Any], words: Sequence[str], layers: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[str]]:
    options, command = dict(given), list(words)
    taken_away = {option.key for option in OPTIONS if option.can_be_none and options[option.key] == NO_LIMIT}
    options |= dict.fromkeys(taken_away)
    has_command = bool(words) or given["shell"] is not None or given["call"] is not None
    for layer in layers:
        if not has_command:
            command = list(layer.get("command", command))
        for name, value in layer.items():
            if _is_open(options, name) and name not in taken_away and not (name in _WORK and has_command):
                options[name] = value
    if not options["notify"]:  # a secret in the settings is of no use to a job that notifies nobody
        options |= {name: given[name] for name in _SECRETS}
    return options, command


def _is_open(options: Mapping[str, Any], name: str) -> bool:
    value = options.get(name, "")
    return value is None or value is False or value in ((), [])
