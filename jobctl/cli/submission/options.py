"""The options that ``submit`` and ``run`` share, made from the table of job options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typer import Context
from typer.core import TyperOption

from jobctl.cli.command import CommandWithWords
from jobctl.domain.job_options import OPTIONS, JobOption

_VALUES = "jobctl.job_options"


class IntakeCommand(CommandWithWords):
    """A command that accepts work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params[:1], *map(_declared, OPTIONS), *self.params[1:]]


def _declared(option: JobOption) -> TyperOption:
    return TyperOption(
        param_decls=[f"--{option.name}", *([option.short] if option.short else [])],
        is_flag=not option.metavar,
        default=None if option.metavar else False,
        type=(int if option.number else str) if option.metavar else None,
        multiple=option.multiple,
        metavar=option.metavar or None,
        help=option.help,
        callback=_keep,
        expose_value=False,
        rich_help_panel=option.panel,
    )


def _keep(ctx: Any, param: Any, value: Any) -> Any:
    ctx.meta.setdefault(_VALUES, {})[param.name] = value
    return value


def values(ctx: Context) -> Mapping[str, Any]:
    """The options as they were given, by ``JobOption.key``."""
    found: Mapping[str, Any] = ctx.meta[_VALUES]
    return found
