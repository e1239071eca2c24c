"""The rules of a job in the body of a request: fields from the one table of options, with their bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from jobctl.domain.job_options import NO_LIMIT, OPTIONS, JobOption

#: Options that a request may give: none that names a command line, a path, a variable or a function.
SAFE = tuple(option for option in OPTIONS if option.safe)
#: Those that jobctl set changes, and those of a new round.
OF_SET = tuple(option for option in SAFE if option.effect)
OF_ROUNDS = tuple(option for option in SAFE if option.of_retry)
_LONGEST = 200


class Body(BaseModel):
    """The body of a request. A field that it does not have is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True)


def with_rules(name: str, base: type[BaseModel], options: Iterable[JobOption], doc: str) -> type[BaseModel]:
    """Return a body with a field for each option; null and "none" take a limit away."""
    fields: dict[str, Any] = {option.key: (_type(option), _field(option)) for option in options}
    return create_model(name, __base__=base, __doc__=doc, **fields)


def rules_in(body: BaseModel, options: Iterable[JobOption]) -> dict[str, str]:
    """Return the rules that a body gives, by ``JobOption.key``, as texts that the command line reads."""
    given = body.model_dump(exclude_unset=True)
    return {option.key: _text(given[option.key]) for option in options if option.key in given}


def by_name(rules: Mapping[str, str]) -> dict[str, str]:
    """Return the same rules by the names of the options."""
    return {key.replace("_", "-"): text for key, text in rules.items()}


def _type(option: JobOption) -> Any:
    if option.number:
        lowest = -(10**9) if option.lowest is None else option.lowest
        number = Annotated[int, Field(ge=lowest, le=option.highest)]
        return number | Literal["none"] | None if option.can_be_none else number
    if option.choices:
        words = (*option.choices, NO_LIMIT) if option.can_be_none else option.choices
        return Literal[words] | None if option.can_be_none else Literal[words]
    text = Annotated[
        str, Field(min_length=1, max_length=_LONGEST, json_schema_extra={"format": f"jobctl-{option.name}"})
    ]
    # A number is a duration in seconds, a size in bytes, a rate, a share: what the command line takes without a unit.
    value = text | Annotated[float, Field(ge=0, le=10**12)]
    return value | None if option.can_be_none else value


def _field(option: JobOption) -> Any:
    return Field(default=None, description=f"{option.help} {option.effect}".strip())


def _text(value: Any) -> str:
    """A value of JSON as a word of a command line."""
    if value is None:
        return NO_LIMIT
    return f"{value:.17g}" if isinstance(value, float) else str(value)
