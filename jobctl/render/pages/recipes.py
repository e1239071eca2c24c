"""The pages of recipes: the list, the form for a file, and what a file would become."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from jobctl.domain.job_options import BY_NAME, JobOption
from jobctl.domain.wording import number, plural
from jobctl.render.pages.forms import Field, fields, hint_markup, link
from jobctl.render.pages.frame import Page
from jobctl.render.report.sections import titles, wide
from jobctl.render.report.svg import text_of

if TYPE_CHECKING:
    from jobctl.domain.documents.settings import OfferedRecipeBlock
    from jobctl.domain.documents.submit import PreviewDocument

#: The options that most people give with a file; the others are below them.
_FIRST = ("name", "key", "slots", "timeout", "attempts", "rate")
_MORE = ("format", "delimiter", "encoding", "invalid", "where", "item-key", "max-failures", "deadline", "hold")


class Rejected(NamedTuple):
    """A file that was refused, in the words of the command."""

    message: str
    hint: str = ""
    rows: Sequence[tuple[str, str]] = ()  # the place and the problem of each bad row
    more: int = 0  # bad rows that are not in ``rows``


def recipe_list_page(recipes: Sequence[OfferedRecipeBlock]) -> Page:
    """The page of the recipes that can be used here."""

    def body() -> Iterator[str]:
        yield '<div class="heading"><h1>Recipes</h1></div>'
        if not recipes:
            yield '<p class="empty">No recipe can be used here. A recipe that says <code>http = true</code> appears: '
            yield "see <code>jobctl man config</code>.</p>"
            return
        yield '<ul class="recipes">'
        for each in recipes:
            name, summary = link(_place(each), each["name"]), text_of(each["summary"])
            yield f"<li><h2>{name}</h2><p>{summary}</p></li>"
        yield "</ul>"

    return Page("Recipes", list(body()), "/recipes")


def _place(recipe: OfferedRecipeBlock) -> str:
    return f"/recipes/{quote(recipe['name'], safe='')}"


def recipe_page(recipe: OfferedRecipeBlock, answer: Iterable[str] = ()) -> Page:
    """The form that takes a file for a recipe; ``answer`` is markup about the file that was sent."""

    def body() -> Iterator[str]:
        name, summary = text_of(recipe["name"]), text_of(recipe["summary"])
        yield f'<div class="heading"><h1>{name}</h1><p class="soft">{summary}</p></div>'
        yield from _form(recipe)
        yield f'<div id="answer" aria-live="polite">{"".join(answer)}</div>'

    return Page(f"Recipe {recipe['name']}", list(body()), "/recipes")


def _form(recipe: OfferedRecipeBlock) -> Iterator[str]:
    base = text_of(_place(recipe))
    yield f'<form id="upload" class="upload" method="post" action="{base}/jobs" enctype="multipart/form-data"'
    yield f' data-preview="{base}/preview">'
    yield '<div id="drop" class="drop"><label for="file">A file with one row for each item</label>'
    yield '<input id="file" name="file" type="file" required aria-describedby="file-hint">'
    yield '<p id="file-hint" class="soft">CSV, TSV, JSON lines, plain lines, a workbook or Parquet, also compressed. '
    yield '<span class="scripted">You can drop it here.</span></p></div>'
    yield from _options(recipe)
    yield f'<p class="buttons"><button formaction="{base}/preview">Check the file</button>'
    yield '<button class="main">Submit</button></p>'
    yield '<p id="sending" class="sending" role="status"></p></form>'


def _options(recipe: OfferedRecipeBlock) -> Iterator[str]:
    """The options that a request may give; the others are rules of the recipe."""
    taken = {name: _field(BY_NAME[name], recipe) for name in (*_FIRST, *_MORE) if name in recipe["takes"]}
    yield "<details><summary>Options</summary>"
    yield fields((each for name, each in taken.items() if name in _FIRST), "option-")
    yield "<details><summary>More options</summary>"
    yield fields((each for name, each in taken.items() if name in _MORE), "option-") + "</details></details>"


def _field(option: JobOption, recipe: OfferedRecipeBlock) -> Field:
    now = recipe["options"].get(option.name)
    if not option.metavar:
        choices: tuple[tuple[str, str], ...] = (("", "yes" if now else "no"), ("true", "yes"))
        return Field(option.name, option.name, hint=option.help, choices=choices)
    if option.choices:
        choices = (("", str(now or option.default or "as its name says")), *((word, word) for word in option.choices))
        return Field(option.name, option.name, hint=option.help, choices=choices)
    return Field(option.name, option.name, hint=option.help, now=str(now or option.default))


def preview_part(document: PreviewDocument) -> Iterator[str]:
    """What the file would become: its rows, its columns, the first commands, and what a person should know."""
    problems = document["problems"]
    state = "It cannot be submitted as it is." if problems else "It can be submitted."
    yield f'<section id="preview"><h2>The file</h2><p><strong>{state}</strong> {text_of(_sentence(document))}</p>'
    if document["columns"]:
        yield f"<p>Columns: {', '.join(f'<code>{text_of(name)}</code>' for name in document['columns'])}</p>"
    if document["replay_of"]:
        job = document["replay_of"]
        place = link(f"/jobs/{job}", f"Job {job}")
        yield f'<p class="notice">{place} has this key and this work: it would not run twice.</p>'
    for words in document["notices"]:
        yield f'<p class="notice">{text_of(words)}</p>'
    if problems:
        yield f'<ul class="problems">{"".join(f"<li>{text_of(line)}</li>" for line in problems)}</ul>'
    yield from _first_rows(document)
    yield "</section>"


def _sentence(document: PreviewDocument) -> str:
    others = (("rejected", "rejected"), ("not_selected", "not selected"), ("skipped", "skipped"))
    counts = {name: document[name] for name in ("rejected", "not_selected", "skipped")}
    parts = [f"{number(counts[name])} {words}" for name, words in others if counts[name]]
    return ", ".join([f"Format {document['format']}, {plural(document['rows'], 'row')}", *parts]) + "."


def _first_rows(document: PreviewDocument) -> Iterator[str]:
    if not document["first"]:
        return
    has_commands = any(document["commands"])
    names = [text_of(name) for name in document["columns"]] or ["line"]
    yield f"<h3>The first {plural(len(document['first']), 'row')}</h3>{wide('First rows')}<table>"
    yield titles([">item", *names, *(["command"] if has_commands else [])])
    for place, row in enumerate(document["first"]):
        cells = "".join(f"<td>{text_of(cell)}</td>" for cell in row)
        command = document["commands"][place] if place < len(document["commands"]) else []
        cells += f"<td><code>{text_of(shlex.join(command))}</code></td>" if has_commands else ""
        yield f'<tr><td class="number">{place + 1}</td>{cells}</tr>'
    yield "</table></div>"


def rejected_part(found: Rejected) -> Iterator[str]:
    """Why a file was refused, with the place of each bad row."""
    yield '<section id="preview" class="problem"><h2>The file was refused</h2>'
    yield f"<p>{text_of(found.message)}</p>"
    if found.rows:
        yield f"{wide('Bad rows')}<table>{titles(('place', 'problem'))}"
        for place, problem in found.rows:
            yield f'<tr><td class="nowrap">{text_of(place)}</td><td>{text_of(problem)}</td></tr>'
        yield "</table></div>"
    if found.more:
        yield f'<p class="soft">and {plural(found.more, "more row")}</p>'
    if found.hint:
        yield f"<p>{hint_markup(found.hint)}</p>"
    yield "</section>"
