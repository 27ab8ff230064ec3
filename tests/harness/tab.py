"""A tab of the console page as a person uses it: by keyboard, or by clicks where those are what is tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, expect

from tests.harness.browser import WatchedPage, open_page
from tests.harness.console import Console
from tests.harness.subscription import wait_until

_MOST_TABS = 300
_NEWER_MS = 30_000
_OF_ANSWERS = re.compile("Failed to load resource: |htmx: htmx:error: Failed to fetch")
_IS_FOCUSED = "element => element === document.activeElement"


@contextmanager
def open_tab(browser: Browser, console: Console, path: str = "/overview") -> Iterator[WatchedPage]:
    """Signed in, on this page. At its end, no script has failed and no other host was asked."""
    with open_page(browser, console.address) as watched:
        if path != "/overview":
            watched.page.goto(console.base + path)
        yield watched
        assert watched.foreign() == []
        # What a test provokes has a status, which the browser says, too.
        failed = [one for one in watched.errors() if not _OF_ANSWERS.match(one)]
        assert not failed, failed


def reach(watched: WatchedPage, element: Locator, backwards: bool = False) -> None:
    """Press Tab until the element has the focus, which has to be visible there."""
    expect(element).to_be_visible()
    for _ in range(_MOST_TABS):
        if element.evaluate(_IS_FOCUSED):
            break
        watched.press("Shift+Tab" if backwards else "Tab")
    else:
        raise AssertionError(f"{_MOST_TABS} times Tab do not lead to {element}; it ended at {watched.focused()}")
    assert shows_focus(watched.page), f"nobody sees that {watched.focused()} has the focus"


def shows_focus(page: Page) -> bool:
    """Whether what has the focus has an outline, or another of its own."""
    return bool(
        page.evaluate(
            """() => {
                const style = getComputedStyle(document.activeElement);
                return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
            }"""
        )
    )


def enter(watched: WatchedPage, element: Locator) -> None:
    """Go to a link or a button by Tab, and press Enter on it."""
    reach(watched, element)
    watched.press("Enter")


def link(watched: WatchedPage, name: str | re.Pattern[str]) -> Locator:
    return watched.page.get_by_role("link", name=name, exact=isinstance(name, str)).first


def button(watched: WatchedPage, name: str | re.Pattern[str]) -> Locator:
    return watched.page.get_by_role("button", name=name, exact=isinstance(name, str)).first


def look_again(watched: WatchedPage) -> None:
    """Ask for newer figures now, as the page does by itself every few seconds, and wait until they were answered."""
    with watched.page.expect_response(lambda answer: "hx-request" in answer.request.headers, timeout=_NEWER_MS):
        watched.page.evaluate("htmx.trigger(document.getElementById('live'), 'poll')")


def await_figures(watched: WatchedPage, hold: Callable[[], object], what: str) -> None:
    """Until newer figures are so."""

    def look() -> object:
        look_again(watched)
        return hold()

    wait_until(look, what)


def operation_ended(watched: WatchedPage, state: str = "done") -> None:
    """Wait until the operation that is shown has ended so."""
    expect(watched.page.locator("#state .state")).to_contain_text(state, timeout=120_000)
