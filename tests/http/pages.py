"""Reads pages: well-formed, with their forms, links and texts."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"meta", "br", "input", "link"}
#: Text that would act in a page, a terminal or an address if anything passed it on as it is.
HOSTILE = (
    "</script></style></title><script>window.hit=1</script>\"'><img src=x onerror=window.hit=2>\x1b[31m\u202e&amp;"
)


class Form(NamedTuple):
    """A form with its fields."""

    action: str
    method: str
    fields: dict[str, str]


class Page(HTMLParser):
    """Checks that every tag is closed in its place; keeps the text, the tags, the links and the forms."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.forms: list[Form] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "form":
            self.forms.append(Form(found["action"] or "", found.get("method") or "get", {}))
        if tag in ("input", "select") and self.forms and "form" in self.open:
            self.forms[-1].fields[found["name"] or ""] = found.get("value") or ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """All texts, with one space between words."""
        return " ".join(" ".join(self.words).split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a kind."""
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def links(self) -> list[str]:
        """The addresses of all links."""
        return [attrs["href"] or "" for attrs in self.named("a")]

    def form(self, action: str) -> Form:
        """The one form with this action."""
        (found,) = [form for form in self.forms if form.action == action]
        return found


def check_harmless(source: str) -> Page:
    """Check that nothing of a page can act: it has no script but ours, no inline style, no handler, no other host."""
    page = Page(source)
    for tag, attrs in page.tags:
        assert tag not in ("img", "style", "iframe", "object", "base"), tag
        assert not [name for name in attrs if name.startswith("on") or name == "style"], (tag, attrs)
        for name in ("src", "href", "action", "formaction"):
            target = attrs.get(name)
            assert target is None or target.startswith(("/", "#")), (tag, target)
            assert not (target or "").startswith("//"), (tag, target)
    scripts = page.named("script")
    assert [attrs.get("type") for attrs in scripts] in ([], ["module"])
    assert not set(source) & {chr(code) for code in (*range(9), *range(11, 32), 127, 0x202E)}
    return page
