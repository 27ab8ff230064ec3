"""What watches a page in a browser sees what is wrong with it, and nothing where nothing is, also under a CSP."""

from __future__ import annotations

import asyncio
import shlex
import threading
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask, Response, abort
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from tests.harness.browser import REQUIRED, open_browser, open_page, require_chromium
from toolchain import browser as chromium

DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
STYLE = """
p.faint { color: #bbb; background: #fff }
p.block { width: 600px; background: #888 }
@media (prefers-color-scheme: dark) { p.dusk { color: #222; background: #000 } }
@keyframes pulse { from { width: 1px } to { width: 900px } }
p.pulse { animation: pulse 300ms infinite alternate; background: #00f; height: 50px }
p.tall { height: 2000px }
.close a { display: block; width: 9px; height: 9px; overflow: hidden }
"""
BODIES = {
    "good": '<p>Files</p><a href="good">Files</a> <label>Why <input></label> <button type="submit">Replay</button>',
    "logs": '<script src="/logs.js"></script>',
    "throws": '<script src="/throws.js"></script>',
    "rejects": '<script src="/rejects.js"></script>',
    "lacks": '<img src="/no-such.png" alt="a file">',
    "renames": '<script src="/renames.js"></script>',
    "foreign": '<img src="http://foreign.example/dot.gif" alt="a file">',
    "listens": '<script src="/listens.js"></script>',
    "calls": '<script src="/calls.js"></script>',
    "unnamed": '<img src="/dot.gif">',
    "faint": '<p class="faint">Files</p>',
    "dusk": '<p class="dusk">Files</p>',
    "close": '<div class="close"><a href="good">a</a><a href="good">b</a></div>',
    "block": '<p class="block">Files</p>',
    "pulse": '<p class="pulse">Files</p><p class="tall">Loads</p><label>Why <input autofocus></label>',
    "inline": f'<img src="{DOT}" alt="a file">',
}
SCRIPTS = {
    "logs": 'console.log("read"); console.warn("slow"); console.error("no rows")',
    "throws": 'throw new Error("no such row")',
    "rejects": 'Promise.reject(new Error("no answer"))',
    "renames": 'document.title = "Renamed"',
    "listens": 'new EventSource("/stream").onmessage = () => { document.title = "Live" }',
    "calls": 'new WebSocket("ws://foreign.example/live")',
}
SHELL = """<!doctype html><html lang="en"><head><title>{name}</title><link rel="stylesheet" href="/style.css"></head>
<body><main><h1>{name}</h1>{body}</main></body></html>"""


def _site(streams: threading.Event) -> Flask:
    """Each page as it is, and under /strict/ with a CSP."""
    site = Flask(__name__)

    @site.get("/<name>")
    def loose(name: str) -> str:
        return SHELL.format(name=name.capitalize(), body=BODIES[name]) if name in BODIES else abort(404)

    @site.get("/strict/<name>")
    def strict(name: str) -> Response:
        return Response(loose(name), headers={"Content-Security-Policy": "default-src 'self'"})

    @site.get("/<name>.js")
    def script(name: str) -> Response:
        return Response(SCRIPTS[name], mimetype="text/javascript")

    @site.get("/style.css")
    def style() -> Response:
        padding = f"/*{'.' * 20_000}*/"
        return Response(STYLE + padding, mimetype="text/css", headers={"Cache-Control": "max-age=600"})

    @site.get("/moved")
    def moved() -> Response:
        return Response(status=302, headers={"Location": "/good", "Set-Cookie": "seen=yes"})

    @site.get("/stream")
    def stream() -> Response:
        def events() -> Iterator[str]:
            yield "data: 1\n\n"
            streams.wait(60)

        return Response(events(), mimetype="text/event-stream")

    @site.get("/dot.gif")
    def dot() -> Response:
        return Response(b64decode(DOT.partition(",")[2]), mimetype="image/gif")

    return site


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The URL of the pages."""
    done = threading.Event()
    server = make_server("127.0.0.1", 0, _site(done), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    done.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["", "/strict"], ids=["without-csp", "strict-csp"])
def pages(site: str, request: pytest.FixtureRequest) -> str:
    """The URL of the same pages, without and with a CSP."""
    return f"{site}{request.param}"


@pytest.mark.parametrize(("width", "dark"), [(375, True), (1280, False)])
def test_a_good_page_is_clean(browser: Browser, pages: str, width: int, dark: bool) -> None:
    """Looking does no harm either: the rules of accessibility leave no error behind."""
    with open_page(browser, f"{pages}/good", width=width, dark=dark) as watched:
        assert watched.status == 200
        assert watched.axe() == []
        assert (watched.errors(), watched.foreign(), watched.sideways_scroll()) == ([], [], 0)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("logs", "no rows (SITE/logs.js:1)"),
        ("throws", "no such row"),
        ("rejects", "no answer"),
        (
            "lacks",
            "Failed to load resource: the server responded with a status of 404 (NOT FOUND) (SITE/no-such.png:1)",
        ),
    ],
)
def test_an_error_is_seen(browser: Browser, site: str, pages: str, name: str, error: str) -> None:
    """In the console, thrown, in a promise, or in the answer to a request; a warning is none."""
    with open_page(browser, f"{pages}/{name}") as watched:
        assert watched.errors() == [error.replace("SITE", site)]


def test_what_the_csp_refuses_is_an_error(browser: Browser, site: str) -> None:
    """The same page has none without a CSP, and an image within a page is no foreign request."""
    with open_page(browser, f"{site}/inline") as watched:
        assert (watched.errors(), watched.foreign()) == ([], [])
    with open_page(browser, f"{site}/strict/inline") as watched:
        (error,) = watched.errors()
        assert "violates the following Content Security Policy directive" in error
        assert watched.foreign() == []


@pytest.mark.parametrize(
    ("name", "url"), [("foreign", "http://foreign.example/dot.gif"), ("calls", "ws://foreign.example/live")]
)
def test_a_foreign_request_is_seen(browser: Browser, site: str, name: str, url: str) -> None:
    """It is not answered: the machine's other names do not exist here."""
    with open_page(browser, f"{site}/{name}") as watched:
        assert watched.foreign() == [url]
        assert "ERR_NAME_NOT_RESOLVED" in watched.errors()[0]


def test_a_foreign_request_that_the_csp_refuses_is_seen(browser: Browser, site: str) -> None:
    with open_page(browser, f"{site}/strict/foreign") as watched:
        assert watched.foreign() == ["http://foreign.example/dot.gif"]


def test_another_port_is_another_host(browser: Browser, site: str) -> None:
    """So is another name of the same machine."""
    other = site.replace("127.0.0.1", "localhost")
    with open_page(browser, f"{site}/good") as watched:
        watched.page.evaluate("url => fetch(url, {mode: 'no-cors'})", f"{other}/good")
        assert watched.foreign() == [f"{other}/good"]


def test_other_hosts_do_not_exist(browser: Browser, site: str) -> None:
    """Not even one that Chromium takes for this machine: what a test shows does not depend on the network."""
    fetch = "url => fetch(url, {mode: 'no-cors'}).then(() => 'answered', () => 'refused')"
    with open_page(browser, f"{site}/good") as watched:
        assert watched.page.evaluate(fetch, site.replace("127.0.0.1", "other.localhost") + "/good") == "refused"
        assert watched.page.evaluate(fetch, f"{site}/good") == "answered"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("unnamed", ["img: image-alt: "]),
        ("faint", ["p: color-contrast: "]),
        ("close", ["a:nth-child(1): target-size: ", "a:nth-child(2): target-size: "]),
    ],
)
def test_what_violates_a_rule_of_accessibility_is_a_line_each(
    browser: Browser, pages: str, name: str, lines: list[str]
) -> None:
    """The line has the element, the rule and what is wrong. The rules of WCAG 2.2 are among them."""
    with open_page(browser, f"{pages}/{name}") as watched:
        found = watched.axe()
    assert [line[: len(start)] for line, start in zip(found, lines, strict=True)] == lines
    assert all(len(line) > len(start) + 20 for line, start in zip(found, lines, strict=True))


def test_the_dark_scheme_is_looked_at_on_its_own(browser: Browser, site: str) -> None:
    with open_page(browser, f"{site}/dusk") as watched:
        assert watched.axe() == []
    with open_page(browser, f"{site}/dusk", dark=True) as watched:
        assert [line.partition(": ")[0] for line in watched.axe()] == ["p"]


def test_the_rules_of_accessibility_leave_the_csp_in_force(browser: Browser, site: str) -> None:
    """A script that would come in afterwards is refused where it was before."""
    insert = """() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        return window.ran === true;
    }"""
    for path, ran in (("/good", True), ("/strict/good", False)):
        with open_page(browser, site + path) as watched:
            watched.axe()
            assert watched.page.evaluate(insert) is ran
            assert (watched.errors() == []) is ran


def test_a_page_wider_than_its_window_is_seen(browser: Browser, site: str) -> None:
    """By how much depends on the window."""
    with open_page(browser, f"{site}/block", width=375) as watched:
        assert 225 <= watched.sideways_scroll() <= 250
    with open_page(browser, f"{site}/block", width=1280) as watched:
        assert watched.sideways_scroll() == 0


def test_bytes_are_counted_per_load_and_what_the_cache_has_is_not(browser: Browser, site: str) -> None:
    """All that a page needs counts, headers as well, and what it asks for later."""
    with open_page(browser, f"{site}/good") as watched:
        first = watched.bytes_loaded()
        watched.page.reload()
        second = watched.bytes_loaded()
        watched.page.evaluate("fetch('/style.css', {cache: 'no-store'}).then(answer => answer.text())")
        third = watched.bytes_loaded()
    assert 20_000 < first < 22_500
    assert 300 < second < 1_500
    assert 20_000 < third - second < 22_500


def test_a_stream_that_goes_on_is_not_waited_for(browser: Browser, site: str) -> None:
    """A page that is kept up to date is watched all the same."""
    with open_page(browser, f"{site}/listens") as watched:
        watched.page.wait_for_function("document.title === 'Live'")
        assert 20_000 < watched.bytes_loaded() < 22_500


def test_each_answer_is_kept_with_its_status(browser: Browser, site: str) -> None:
    """The page's own status is that of the document that is shown."""
    with open_page(browser, f"{site}/moved") as watched:
        assert watched.answers == [(302, f"{site}/moved"), (200, f"{site}/good"), (200, f"{site}/style.css")]
        assert watched.status == 200
        watched.page.goto(f"{site}/no/such/page")
        assert watched.status == 404


def test_a_page_is_used_by_keyboard(browser: Browser, pages: str) -> None:
    """The element with the focus goes by the role and the name that a screen reader says."""
    with open_page(browser, f"{pages}/good") as watched:
        assert watched.focused() == "nothing"
        watched.press("Tab")
        assert watched.focused() == 'link "Files"'
        watched.press("Tab")
        assert watched.focused() == 'textbox "Why"'
        watched.type("late")
        assert watched.page.input_value("input") == "late"
        watched.press("Tab Shift+Tab Tab")
        assert watched.focused() == 'button "Replay"'


def test_a_page_is_opened_without_scripts(browser: Browser, site: str) -> None:
    """All but the rules of accessibility can be looked at, and those say that they cannot."""
    with open_page(browser, f"{site}/renames") as watched:
        assert watched.page.title() == "Renamed"
    with open_page(browser, f"{site}/renames", javascript=False) as watched:
        assert watched.page.title() == "Renames"
        assert (watched.focused(), watched.errors(), watched.sideways_scroll()) == ("nothing", [], 0)
        with pytest.raises(ValueError, match="without scripts"):
            watched.axe()


def test_two_pages_share_no_cookie(browser: Browser, site: str) -> None:
    """They are two people's."""
    with open_page(browser, f"{site}/moved") as one, open_page(browser, f"{site}/good") as other:
        assert one.page.evaluate("document.cookie") == "seen=yes"
        assert other.page.evaluate("document.cookie") == ""


def test_a_screenshot_is_the_same_each_time(browser: Browser, site: str, tmp_path: Path) -> None:
    """Of the whole page, whatever moves or blinks in it."""
    shots = [tmp_path / f"{number}.png" for number in range(3)]
    with open_page(browser, f"{site}/pulse", width=400, height=300) as watched:
        for shot in shots:
            watched.screenshot(shot)
    assert len({shot.read_bytes() for shot in shots}) == 1
    header = shots[0].read_bytes()[:24]
    width, height = int.from_bytes(header[16:20]), int.from_bytes(header[20:24])
    assert (width, height > 2000) == (400, True)


def _title(url: str) -> str:
    """As a browser of its own shows it: in a thread that drives no other."""
    with open_browser() as browser, open_page(browser, url) as watched:
        return watched.page.title()


def test_a_browser_leaves_the_thread_to_event_loops_and_other_browsers(site: str) -> None:
    """Tests of other modules in the same process run both."""

    def both() -> list[str]:
        return [_title(f"{site}/good"), asyncio.run(asyncio.sleep(0, "slept")), _title(f"{site}/good")]

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(both).result() == ["Good", "slept", "Good"]


def test_without_a_browser_a_test_is_skipped_or_fails_with_the_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one that make test has printed; where the tests are required it is the failure."""
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")
    monkeypatch.delenv(REQUIRED, raising=False)
    sentence = chromium.missing()
    assert "CHROMIUM=/no/such/browser does not run" in sentence
    # Either is caught and looked at: a skip that nobody catches would pass for a skip of this test.
    outcomes = (pytest.skip.Exception, pytest.fail.Exception)
    with pytest.raises(outcomes) as optional:
        require_chromium()
    monkeypatch.setenv(REQUIRED, "required")
    with pytest.raises(outcomes) as required:
        require_chromium()
    assert (optional.type, required.type) == outcomes
    assert optional.value.msg == required.value.msg == sentence


def test_the_browser_that_is_asked_for_is_driven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CHROMIUM is a script here that takes down how it was called."""
    script = tmp_path / "mine"
    script.write_text(f'#!/bin/sh\necho "$*" >>{shlex.quote(str(tmp_path))}/log\nexec {require_chromium()} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(script))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(_title, "about:blank").result() == ""
    asked, driven = (tmp_path / "log").read_text().splitlines()
    assert asked == "--version"
    assert {"--headless", "--no-sandbox", "--disable-quic"} <= set(driven.split())
