"""Parsing of the HTML pages that echoic writes."""

from __future__ import annotations

import json
from html.parser import HTMLParser


class Tags(HTMLParser):
    """Every tag with its attributes, and the text of every script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1] += data

    def data(self) -> dict:
        return json.loads(self.scripts[0])
