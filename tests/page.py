"""One HTML page, as a reader sees it, and what must hold for every page of the portal."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from xml.etree.ElementTree import Element

import html5lib

INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "code", "data", "em", "i", "kbd", "mark", "q", "small"}
    | {"span", "strong", "sub", "sup", "svg", "time"}
)
UNSEEN = frozenset({"script", "style", "template", "title"})
NOT_TYPED = frozenset({"hidden", "submit", "button", "reset", "image"})
MACHINE_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?")
REFERENCES = ("for", "aria-describedby", "aria-labelledby", "aria-controls", "list")


def words(element: Element) -> str:
    """Return the text inside `element`, its white space collapsed, blocks set apart."""
    return " ".join("".join(_pieces(element)).split())


def _pieces(element: Element) -> Iterator[str]:
    if element.tag in UNSEEN or not isinstance(element.tag, str):
        return
    gap = "" if element.tag in INLINE else " "
    yield gap + (element.text or "")
    for child in element:
        yield from _pieces(child)
        yield child.tail or ""
    yield gap


class Page:
    """A page that was opened: what it says, where it leads, what it asks."""

    def __init__(self, html: str, path: str, status: int) -> None:
        self.html, self.path, self.status = html, path, status
        parser = html5lib.HTMLParser(
            tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False
        )
        self.root: Element = parser.parse(html)
        self.parse_errors = [
            f"line {place[0]}: {kind} {details}" for place, kind, details in parser.errors
        ]
        self._parents = {child: parent for parent in self.root.iter() for child in parent}

    def all(self, *tags: str) -> list[Element]:
        """Return all elements with one of `tags`, in their order."""
        return [element for element in self.root.iter() if element.tag in tags]

    def inside(self, element: Element, tag: str) -> Element | None:
        """Return the nearest `tag` around `element`."""
        found: Element | None = element
        while found is not None and found.tag != tag:
            found = self._parents.get(found)
        return found

    @cached_property
    def text(self) -> str:
        """All that the page says."""
        (body,) = self.all("body")
        return words(body)

    @property
    def heading(self) -> str:
        """The words of the h1."""
        return next((words(element) for element in self.all("h1")), "")

    @property
    def headings(self) -> list[str]:
        """The words of all headings."""
        return [words(element) for element in self.all("h1", "h2", "h3", "h4")]

    @property
    def flashes(self) -> list[str]:
        """What the portal says about the step before: done, refused, kept."""
        return [words(e) for e in self.root.iter() if e.get("role") in {"status", "alert"}]

    @property
    def links(self) -> list[tuple[str, str]]:
        """(words, address) of all links."""
        return [(words(link), link.get("href", "")) for link in self.all("a") if link.get("href")]

    @property
    def buttons(self) -> list[Element]:
        """All that submits a form."""
        kinds = {"submit", "image"}
        pressed = [e for e in self.all("button") if e.get("type", "submit") == "submit"]
        return pressed + [e for e in self.all("input") if e.get("type") in kinds]

    @property
    def controls(self) -> list[Element]:
        """All that a reader fills in."""
        return [
            element
            for element in self.all("input", "select", "textarea")
            if element.get("type") not in NOT_TYPED
        ]

    def labels(self, control: Element) -> list[str]:
        """Return every name of `control`: its labels, and the names that only some readers hear."""
        name = control.get("id")
        named = [label for label in self.all("label") if name and label.get("for") == name]
        around = self.inside(control, "label")
        if around is not None and around not in named:
            named.append(around)
        by = [self.by_id(one) for one in control.get("aria-labelledby", "").split()]
        spoken = [control.get("aria-label", "")] + [words(one) for one in by if one is not None]
        return [label for label in [words(one) for one in named] + spoken if label]

    def by_id(self, name: str) -> Element | None:
        """Return the element with the identifier `name`."""
        return next((element for element in self.root.iter() if element.get("id") == name), None)

    def faults(self) -> list[str]:
        """Return what is wrong with the page, as sentences; nothing for a sound one."""
        return [
            *self.parse_errors,
            *self._frame_faults(),
            *self._outline_faults(),
            *self._identifier_faults(),
            *self._form_faults(),
            *self._policy_faults(),
        ]

    def _frame_faults(self) -> Iterator[str]:
        if not self.html.lstrip().lower().startswith("<!doctype html>"):
            yield "there is no doctype"
        if not self.root.get("lang"):
            yield "the page does not say its language"
        if not any((title.text or "").strip() for title in self.all("title")):
            yield "the page has no title"
        headings = len(self.all("h1"))
        if headings != 1:
            yield f"there are {headings} h1, not one"
        yield from (
            f"a picture without alt: {e.get('src')}"
            for e in self.all("img")
            if e.get("alt") is None
        )
        for element in [*self.all("a"), *self.buttons]:
            seen = words(element) or element.get("aria-label") or element.get("value")
            if not seen and not any(child.get("alt") for child in element.iter("img")):
                yield f"a {element.tag} without words: {element.attrib}"

    def _outline_faults(self) -> Iterator[str]:
        """Name what the HTML standard does not allow of headings, times and sections."""
        levels = [int(element.tag[1]) for element in self.all("h1", "h2", "h3", "h4")]
        yield from (
            f"an h{there} follows an h{before}"
            for before, there in pairwise(levels)
            if there > before + 1
        )
        for element in self.all("time"):
            if not MACHINE_TIME.fullmatch(element.get("datetime", "")):
                yield f"{element.get('datetime')!r} is no time that a machine reads"

    def _identifier_faults(self) -> Iterator[str]:
        known = Counter(element.get("id") for element in self.root.iter() if element.get("id"))
        yield from (f"the id {name!r} stands {n} times" for name, n in known.items() if n > 1)
        for element in self.root.iter():
            for attribute in REFERENCES:
                for name in element.get(attribute, "").split():
                    if name not in known:
                        yield f"{attribute}={name!r} of a {element.tag} leads nowhere"
        for label, address in self.links:
            if address.startswith("#") and address[1:] and address[1:] not in known:
                yield f"the link {label!r} leads to {address}, which is not here"

    def _form_faults(self) -> Iterator[str]:
        for control in self.controls:
            if not self.labels(control):
                yield f"no label for {control.get('name')!r}"
        for form in self.all("form"):
            names = {field.get("name") for field in form.iter("input")}
            if form.get("method", "get").lower() == "post" and "csrf_token" not in names:
                yield f"the form to {form.get('action') or 'here'} has no csrf_token"
        for choice in self.all("select"):
            first = next(choice.iter("option"), None)
            if choice.get("required") is not None and (first is None or first.get("value")):
                yield f"{choice.get('name')!r} is required and has no empty line to begin with"
        for group in self.all("fieldset"):
            if group.find(".//legend") is None:
                yield "a fieldset without a legend"

    def _policy_faults(self) -> Iterator[str]:
        """Name what the Content-Security-Policy would drop."""
        for element in self.root.iter():
            if not isinstance(element.tag, str):
                continue
            if element.tag == "style" or (element.tag == "script" and not element.get("src")):
                yield f"an inline {element.tag}"
            for name, value in element.attrib.items():
                if name == "style" or re.match(r"on[a-z]+$", str(name)):
                    yield f"an inline {name} on a {element.tag}"
                if name in {"href", "action", "src"} and value.lower().startswith("javascript:"):
                    yield f"a script as the {name} of a {element.tag}"
