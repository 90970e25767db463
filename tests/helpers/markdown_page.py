"""Renders Markdown as GitHub does, and reads the page back."""

from __future__ import annotations

from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options as Cmark


class Page(HTMLParser):
    """What GitHub's Markdown makes of a text: its tags, the rows of its tables, its code blocks, its summaries."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []
        self.blocks: list[str] = []
        self.summaries: list[str] = []
        self.paragraphs: list[str] = []
        self._open: list[str] = []
        self.feed(cmarkgfm.github_flavored_markdown_to_html(text, options=Cmark.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self._open.append(tag)
        places = {"tr": self.rows, "pre": self.blocks, "summary": self.summaries, "p": self.paragraphs}
        if tag in places:
            places[tag].append([] if tag == "tr" else "")
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self._open or "th" in self._open:
            self.rows[-1][-1] += data
        for tag, place in (("pre", self.blocks), ("summary", self.summaries), ("p", self.paragraphs)):
            if tag in self._open:
                place[-1] += data
