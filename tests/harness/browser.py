"""A real browser, and what a test watches of a page in it: errors, requests, bytes, focus, rules of accessibility.

Playwright drives the Chromium that `toolchain/browser.py` finds. While one is open, its thread counts as one that runs
an event loop: `asyncio.run` is refused there, and so is a second browser. Hence one per module of tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, WebError, sync_playwright

from toolchain import browser as chromium

REQUIRED = "DROPMERGE_BROWSER_TESTS"
"""Set to "required", a missing browser is a failure: nobody reads what a run of CI skipped."""
_PATIENCE_MS = 60_000
_OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    # No test depends on the network: other hosts than this one do not exist.
    "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)  # fmt: skip
_WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa")
_RUN_AXE = """tags => axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]})"""


def find_chromium() -> str | None:
    return chromium.find()


def require_chromium() -> str:
    """The browser's path. Without one the test is skipped, or fails where REQUIRED says so."""
    if path := find_chromium():
        return path
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(chromium.missing(), pytrace=False)
    pytest.skip(chromium.missing())


@contextmanager
def open_browser() -> Iterator[Browser]:
    path = require_chromium()
    with sync_playwright() as playwright:
        # Ctrl-C is pytest's: its fixtures close the browser.
        browser = playwright.chromium.launch(
            executable_path=path, args=_OPTIONS, handle_sigint=False, timeout=_PATIENCE_MS
        )
        try:
            yield browser
        finally:
            browser.close()


class Answer(NamedTuple):
    status: int
    url: str


@dataclass
class WatchedPage:
    """A tab with cookies and a cache of its own, and what has happened in it since it was opened."""

    page: Page
    host: str
    """The page's own, with its port: requests to any other are foreign."""
    runs_scripts: bool = True
    answers: list[Answer] = field(default_factory=list)
    """One per response, the redirects' as well."""
    _errors: list[str] = field(default_factory=list)
    _foreign: list[str] = field(default_factory=list)
    _load: list[Request] = field(default_factory=list)
    """The requests since the last navigation began."""

    def __post_init__(self) -> None:
        context = self.page.context
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_any_request)
        self.page.on("websocket", lambda socket: self._on_url(socket.url))
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.page.context.close()

    @property
    def status(self) -> int:
        """Of the document that is shown."""
        shown = next(one for one in self._load if _is_document(one) and not one.redirected_to)
        response = shown.response()
        assert response, f"no response from {shown.url}"
        return response.status

    def errors(self) -> list[str]:
        """What the console shows as an error: of scripts, of requests that failed, of what the CSP refused."""
        self._catch_up()
        return list(self._errors)

    def foreign(self) -> list[str]:
        """The URLs asked for on other hosts, also where the CSP refused them."""
        self._catch_up()
        return list(self._foreign)

    def bytes_loaded(self) -> int:
        """What came over the network since the last navigation, headers included; nothing for what the cache had.

        Waits until each response is complete, but for streams of events, which never are, and are not counted.
        """
        self._catch_up()
        finite = [one for one in self._load if one.resource_type != "eventsource"]
        sizes = [one.sizes() for one in finite if one.response()]
        return sum(one["responseHeadersSize"] + one["responseBodySize"] for one in sizes)

    def press(self, keys: str) -> None:
        """Press one key after another, as in "Tab Tab Shift+Tab Enter"."""
        for key in keys.split():
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def focused(self) -> str:
        """What a screen reader calls the element with the focus, as in `button "Replay"`; "nothing" if none has it."""
        session = self.page.context.new_cdp_session(self.page)
        try:
            found = session.send("Runtime.evaluate", {"expression": "document.activeElement"})["result"]
            if found.get("className") == "HTMLBodyElement" or "objectId" not in found:
                return "nothing"
            wanted = {"objectId": found["objectId"], "fetchRelatives": False}
            (node,) = session.send("Accessibility.getPartialAXTree", wanted)["nodes"]
        finally:
            session.detach()
        return f'{node["role"]["value"]} "{node["name"]["value"]}"'

    def axe(self) -> list[str]:
        """One line per element and rule of WCAG 2.0, 2.1 and 2.2, levels A and AA, that it violates.

        The rules come in as a debugger's expression would: the page keeps its CSP. They wait for timers, which a page
        without scripts has not.
        """
        if not self.runs_scripts:
            raise ValueError("the rules are a script, and this page was opened without scripts")
        self.page.evaluate(_axe_core())
        found = self.page.evaluate(_RUN_AXE, list(_WCAG))
        return [_line(rule["id"], node) for rule in found["violations"] for node in rule["nodes"]]

    def sideways_scroll(self) -> int:
        """The pixels by which the page is wider than its window."""
        return int(self.page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"))

    def screenshot(self, path: Path) -> None:
        """The whole page, the same each time: animations are at their end and no caret blinks."""
        self.page.screenshot(path=path, full_page=True, animations="disabled", caret="hide", scale="css")

    def _catch_up(self) -> None:
        """What had happened when this was called has been noted when it returns: events come in order."""
        self.page.evaluate("0")

    def _on_console(self, message: ConsoleMessage) -> None:
        # The browser asks for an icon whenever it likes, so that its absence would be an error now and then.
        at = message.location
        if message.type == "error" and urlsplit(at["url"]).path != "/favicon.ico":
            self._errors.append(f"{message.text} ({at['url']}:{at['lineNumber'] + 1})")

    def _on_error(self, error: WebError) -> None:
        self._errors.append(str(error.error))

    def _on_any_request(self, request: Request) -> None:
        self._on_url(request.url)

    def _on_url(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.netloc not in ("", self.host):  # data:, blob: and about: have none
            self._foreign.append(url)

    def _on_request(self, request: Request) -> None:
        if _is_document(request) and not request.redirected_from:
            self._load.clear()
        self._load.append(request)

    def _on_response(self, response: Response) -> None:
        self.answers.append(Answer(response.status, response.url))


def open_page(
    browser: Browser, url: str, *, width: int = 1280, height: int = 900, dark: bool = False, javascript: bool = True
) -> WatchedPage:
    """Open the URL in a tab that shares nothing with others, and wait until it has loaded."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=javascript,
    )
    context.set_default_timeout(_PATIENCE_MS)
    watched = WatchedPage(context.new_page(), urlsplit(url).netloc, javascript)
    watched.page.goto(url)
    return watched


def _is_document(request: Request) -> bool:
    return request.is_navigation_request() and request.frame.parent_frame is None


@cache
def _axe_core() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def _line(rule: str, node: dict[str, Any]) -> str:
    target = " ".join(str(part) for part in node["target"])
    reasons = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
    return f"{target}: {rule}: {'; '.join(reasons)}"
