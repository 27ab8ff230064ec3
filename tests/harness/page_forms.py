"""Forms of the console's pages, sent without a browser: as they are, or forged."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import requests

from tests.harness.console import Console
from tests.harness.subscription import wait_until


@dataclass
class Form:
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    """As they are filled in when the page is opened, those that are hidden as well."""


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.posted: list[Form] = []
        self._is_within = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_within = given.get("method") == "post"
            if self._is_within:
                self.posted.append(Form(given["action"]))
        elif tag == "input" and self._is_within and given.get("type") != "checkbox":
            self.posted[-1].fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_within = False


def form_of(console: Console, session: requests.Session, path: str) -> Form:
    """The one form of a page that changes something."""
    answer = session.get(console.base + path, timeout=120)
    assert answer.status_code == 200, answer.text[:500]
    parser = _Forms()
    parser.feed(answer.text)
    (form,) = parser.posted
    return form


def discard_on_the_page(console: Console, letter: str, why: str) -> str:
    """As a person does; returns the operation's id once it is done."""
    session = console.session()
    form = form_of(console, session, f"/dead-letters/act?kind=discard&id={letter}")
    sent = {**form.fields, "why": why}
    answer = session.post(console.base + form.action, sent, headers={"Origin": console.base}, timeout=120)
    assert answer.status_code == 200, answer.text[:500]
    operation = form.fields["key"]
    wait_until(lambda: console.json(f"/operations/{operation}.json")["state"] == "done", "discarded")
    return operation
