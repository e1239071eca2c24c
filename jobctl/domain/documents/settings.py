"""Settings, their files, and recipes."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.values import Sha256

TrustName = Literal["trusted", "untrusted", "changed"]


class SettingBlock(TypedDict):
    """One setting and its source."""

    key: str
    value: object
    source: str
    where: str


class SettingsFileBlock(TypedDict):
    """One place of settings."""

    source: str
    path: str
    exists: bool
    ignored: Annotated[str | None, "the reason why the file is not read"]
    trust: Annotated[str | None, "for the file of a project: trusted, untrusted or changed"]


class IgnoredBlock(TypedDict):
    """A setting of a project file that is not trusted."""

    key: str
    value: object
    where: str


class ConfigDocument(TypedDict):
    """Every setting, as ``jobctl config show --json`` shows it."""

    schema: Literal["jobctl.config/1"]
    values: list[SettingBlock]
    files: list[SettingsFileBlock]
    ignored: list[IgnoredBlock]


class ConfigPathDocument(TypedDict):
    """The files of settings, as ``jobctl config path --json`` shows them."""

    schema: Literal["jobctl.config_path/1"]
    files: list[SettingsFileBlock]


class ConfigTrustDocument(TypedDict):
    """The answer of ``jobctl config trust --json`` and ``jobctl config untrust --json``."""

    schema: Literal["jobctl.config_trust/1"]
    path: str
    trust: TrustName
    sha256: NotRequired[Sha256]
    was_trusted: NotRequired[bool]


class ConfigChangeDocument(TypedDict):
    """The answer of ``jobctl config set --json`` and ``jobctl config unset --json``."""

    schema: Literal["jobctl.config_change/1"]
    path: str
    key: str
    value: Annotated[object, "null if the key is not set any more"]
    before: Annotated[object, "the value that the file had; null if it had none"]
    in_effect: Annotated[bool, "false if another place takes precedence, or the file is not trusted"]


class ConfigEditDocument(TypedDict):
    """The answer of ``jobctl config edit --json``."""

    schema: Literal["jobctl.config_edit/1"]
    path: str
    changed: bool
    trust: Annotated[str | None, "for the file of a project: trusted, untrusted or changed"]


class RecipeBlock(TypedDict):
    """One recipe."""

    name: str
    source: str
    file: str
    options: dict[str, object]


class RecipesDocument(TypedDict):
    """The recipes, as ``jobctl recipe list --json`` shows them."""

    schema: Literal["jobctl.recipes/1"]
    recipes: list[RecipeBlock]


class OfferedRecipeBlock(TypedDict):
    """A recipe that a caller may run over HTTP, without its command, paths and environment."""

    name: str
    summary: str
    options: Annotated[dict[str, object], "the safe options that it sets"]
    takes: Annotated[list[str], "the options that a request may give"]


class OfferedRecipesDocument(TypedDict):
    """The recipes that a caller may run, as ``GET /v1/recipes`` answers."""

    schema: Literal["jobctl.offered_recipes/1"]
    recipes: list[OfferedRecipeBlock]


class OfferedRecipeDocument(OfferedRecipeBlock):
    """One of them, as ``GET /v1/recipes/NAME`` answers."""

    schema: Literal["jobctl.offered_recipe/1"]


class RecipeDocument(RecipeBlock):
    """One recipe, as ``jobctl recipe show NAME --json`` shows it."""

    schema: Literal["jobctl.recipe/1"]
