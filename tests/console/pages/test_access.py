"""Whoever reads with a screen reader, by keyboard or with weak eyes finds everything that the others find."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import console
from tests.support.pages import House

PAGES = (
    *("/", "/runs", "/deliveries", "/deliveries/1", "/findings", "/mirrors", "/jobs", "/sign-in"),
    *("/applications/pay", "/runs/pay-deliver-m3v8q", "/runs/ledger-deliver-9fh4z", "/runs/ledger-deliver-9fh4z/yaml"),
)
TONES = ("good", "note", "warn", "bad", "unknown", "busy")


class Outline(HTMLParser):
    """What a page offers to those who do not see it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.nameless: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._labelled = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note headings, ids, and fields outside of a label."""
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []  # type: ignore[list-item]  # it is not None there
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self._labelled += tag == "label"
        field = tag in ("select", "textarea") or (tag == "input" and found.get("type") != "hidden")
        if field and not self._labelled and "aria-label" not in found:
            self.nameless.append(f"{tag} {found}")
        if tag in ("a", "button", "th"):
            self._open.append((tag, found, []))

    def handle_endtag(self, tag: str) -> None:
        """A link, a button and the head of a column must say something."""
        self._labelled -= tag == "label"
        if self._open and self._open[-1][0] == tag:
            _, found, said = self._open.pop()
            if not "".join(said).strip() and not found.get("aria-label"):
                self.nameless.append(f"{tag} {found}")

    def handle_data(self, data: str) -> None:
        """Text belongs to everything around it."""
        for _, _, said in self._open:
            said.append(data)


@pytest.mark.parametrize("page", PAGES)
def test_everything_has_a_name_and_stands_in_order(house: House, page: str) -> None:
    """Fields, buttons, links and columns say what they are; one main heading, and no id twice."""
    client = house.client() if page == "/sign-in" else house.signed_in()
    outline = Outline(client.get(page).get_data(as_text=True))
    assert outline.nameless == []
    assert outline.headings.count(1) == 1
    assert outline.headings[0] == 1
    assert sorted(outline.ids) == sorted(set(outline.ids))


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("start", [":root {", ':root[data-theme="dark"] {'], ids=["light", "dark"])
def test_every_text_has_enough_contrast(start: str) -> None:
    """WCAG 2.2, 1.4.3 (AA): 4.5 to 1, on every ground on which a text of that colour stands."""
    sheet = (Path(console.__file__).parent / "static/console.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", sheet.partition(start)[2].partition("}")[0]))
    pairs = [
        *itertools.product(("ink", "soft"), ("bg", "panel", "hover")),
        *itertools.product(("accent",), ("bg", "panel")),
        ("accent-ink", "accent"),
        *((tone, ground) for tone in TONES for ground in (f"{tone}-bg", "panel")),
    ]
    low = []
    for text, ground in pairs:
        light, dark = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
        low += [(text, ground)] if (light + 0.05) / (dark + 0.05) < 4.5 else []
    assert low == []
