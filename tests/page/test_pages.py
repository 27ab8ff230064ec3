"""Each page in a real browser: what it shows, for whom, at which width, and what it costs."""

from __future__ import annotations

import csv
import io
import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import psutil
import pytest
import requests
from playwright.sync_api import Browser
from werkzeug.datastructures import MultiDict

from deploy.topology import ROOT
from dropmerge.page.access import Person, Role
from dropmerge.page.app import VIEWS, make_app
from dropmerge.page.arguments import Arguments
from dropmerge.page.site import Site
from services.shared.reasons import ROW_REASONS
from tests.harness.browser import WatchedPage, open_page
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.console import Console, console
from tests.harness.feeds import write_feeds
from tests.harness.page_forms import discard_on_the_page, form_of
from tests.harness.pipeline import Pipeline
from tests.harness.samples import Samples, drop_samples

_PICTURES = ROOT / os.environ.get("DROPMERGE_PICTURES", "build/console")
_LARGEST_PICTURE = 120_000
_FIRST_LOAD = 130_000
_FRAGMENT, _WITH_PLOTS, _ROW = 8_000, 16_000, 650
_LINKS = "[...document.links].filter((one) => !one.closest('noscript')).map((one) => one.href)"
"""But for the one that stands in for the script, which fetches newer figures."""
_MEMORY = 150 * 2**20
_VIEWERS = 20

ADDRESSES = {
    "/overview": ("/overview", "Overview"),
    "/files": ("/files", "Files"),
    "/file": ("/file?name={merged}", "day-0.csv"),
    "/dead-letters": ("/dead-letters", "Dead letters"),
    "/dead-letters/act": ("/dead-letters/act?kind=replay&id={wrong_header}&id={too_many}", "Replay 2 dead letters"),
    "/dead-letters/<word:id>": ("/dead-letters/{wrong_header}", "Dead letter {wrong_header}"),
    "/rejected": ("/rejected", "Rejected rows"),
    "/rows": ("/rows?feed=accounts&key.customer_id=day-0&key.account_number=a", "A row's story"),
    "/feeds": ("/feeds", "Feeds"),
    "/feeds/<word:name>": ("/feeds/accounts", "Feed accounts"),
    "/operations": ("/operations", "Operations"),
    "/operations/<word:id>": ("/operations/{operation}", "Discard of 1 dead letter"),
    "/audit": ("/audit", "Audit"),
    "/health": ("/health", "Health"),
}
"""By the rule of its view, the address of a page and its title."""
OTHERS = {
    "a file with rejected rows": ("/file?name={rejecting}", "some.csv"),
    "a discarded letter": ("/dead-letters/{discarded}", "Dead letter {discarded}"),
    "a replayed letter": ("/dead-letters/{came_back}", "Dead letter {came_back}"),
    "a letter of rejected rows": ("/dead-letters/{too_many}", "Dead letter {too_many}"),
    "a letter without a feed": ("/dead-letters/{no_feed}", "Dead letter {no_feed}"),
    "ended letters": ("/dead-letters?ended=1", "Dead letters"),
    "a discard": ("/dead-letters/act?kind=discard&feed=accounts&reason=wrong_header", "Discard 51 dead letters"),
    "an undo": ("/dead-letters/act?kind=undo&id={discarded}", "Take back the discard of 1 dead letter"),
    "a form for a row": ("/rows", "A row's story"),
    "an idle feed": ("/feeds/airports", "Feed airports"),
}
PAGES = {**ADDRESSES, **OTHERS}


@dataclass(frozen=True)
class Shown:
    pipeline: Pipeline
    commands: Commands
    console: Console
    session: requests.Session
    words: dict[str, str]
    """What stands in braces above."""

    def at(self, page: str) -> str:
        """The path of a page."""
        return PAGES[page][0].format(**{name: quote(word) for name, word in self.words.items()})

    def title(self, page: str) -> str:
        return PAGES[page][1].format(**self.words)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.session.get(self.console.base + path, headers=headers, timeout=120)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("pages")
    with running(folder, write_feeds(folder / "feeds")) as pipeline:
        samples: Samples = drop_samples(pipeline)
        with console(pipeline) as page:
            operation = discard_on_the_page(page, samples.older, "it is on the page")
            words = {**vars(samples), "operation": operation}
            yield Shown(pipeline, Commands.of(pipeline), page, page.session(), words)


@pytest.fixture(scope="module")
def tab(browser: Browser, shown: Shown) -> Iterator[WatchedPage]:
    """A person's, who is let in."""
    with open_page(browser, shown.console.address) as watched:
        yield watched


@pytest.fixture(scope="module")
def plain_tab(browser: Browser, shown: Shown) -> Iterator[WatchedPage]:
    """One that runs no scripts."""
    with open_page(browser, shown.console.address, javascript=False) as watched:
        yield watched


def test_no_view_is_left_out() -> None:
    assert set(ADDRESSES) == set(VIEWS)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole_for_everybody(shown: Shown, tab: WatchedPage, page: str) -> None:
    """It has its title and one heading; no error, no request elsewhere, no violated rule of accessibility, in either
    scheme, on a screen and on a telephone; nothing has to be scrolled sideways."""
    errors, foreign = len(tab.errors()), len(tab.foreign())
    tab.page.set_viewport_size({"width": 1280, "height": 900})
    # The colours of buttons change in a moment, not at once, unless somebody wants no motion.
    tab.page.emulate_media(reduced_motion="reduce")
    tab.page.goto(shown.console.base + shown.at(page))
    assert tab.status == 200
    assert tab.page.title() == f"{shown.title(page)} · dropmerge"
    assert tab.page.locator("h1").all_inner_texts() == [shown.title(page)]
    found = {}
    for width in (1280, 390, 320):
        tab.page.set_viewport_size({"width": width, "height": 900})
        if sideways := tab.sideways_scroll():
            found[f"{width} px"] = [f"{sideways} px wider"]
        for scheme in _schemes(page, width):
            tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            if lines := tab.axe():
                found[f"{width} px, {scheme}"] = lines
    assert found == {}
    assert (tab.errors()[errors:], tab.foreign()[foreign:]) == ([], [])


def _schemes(page: str, width: int) -> Sequence[str]:
    """Both, of one page of each view."""
    if width == 320:
        return ()
    return ("light", "dark") if page in ADDRESSES else ("light",) if width == 1280 else ("dark",)


_FIGURES = """() => {
    const live = document.getElementById("live").cloneNode(true);
    // What scripts draw, and what says how long ago something was.
    live.querySelectorAll(".canvas, .needs, .asof").forEach((one) => one.remove());
    live.querySelectorAll("time").forEach((one) => { one.textContent = one.getAttribute("datetime"); });
    return [...live.querySelectorAll("td, th, dd, dt, li, p, caption")].map((one) => one.textContent.trim());
}"""


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_scripts_shows_the_same(
    shown: Shown, tab: WatchedPage, plain_tab: WatchedPage, page: str
) -> None:
    """Every figure, and every link, is in the page as it comes."""
    seen = []
    for one in (tab, plain_tab):
        one.page.goto(shown.console.base + shown.at(page))
        assert one.status == 200
        seen.append((one.page.evaluate(_FIGURES), one.page.evaluate(_LINKS)))
    assert seen[0] == seen[1]
    assert len(seen[0][0]) > 2 or page == "a form for a row"


def test_forms_and_links_work_without_scripts(shown: Shown, plain_tab: WatchedPage) -> None:
    """Files are filtered, paged through and opened."""
    page = plain_tab.page
    page.goto(f"{shown.console.base}/files")
    page.get_by_label("state").select_option("merged")
    page.get_by_label("name contains").fill("DAY-")
    page.get_by_role("search", name="Files").get_by_role("button").click()
    assert "52 files" in page.locator("#live").inner_text()
    first = page.locator("#live tbody a").all_inner_texts()
    page.get_by_role("link", name="older").click()
    second = page.locator("#live tbody a").all_inner_texts()
    assert (len(first), len(second), len({*first, *second})) == (50, 2, 52)
    name = second[-1].rpartition("/")[2]
    page.locator("#live tbody a").last.click()
    assert page.locator("h1").inner_text() == name
    page.goto(f"{shown.console.base}/files")
    page.get_by_label("or open one by any of its names").fill("over.csv")
    page.get_by_role("button", name="open").click()
    assert page.locator("h1").inner_text() == "over.csv"


def test_dead_letters_are_paged_through_without_scripts(shown: Shown, plain_tab: WatchedPage) -> None:
    """To the last one, and back to the beginning."""
    page = plain_tab.page
    page.goto(f"{shown.console.base}/dead-letters?feed=accounts")
    total = int(page.locator("#waiting").inner_text().split()[0])
    first = page.locator("#live tbody th a[href^='/dead-letters/']").all_inner_texts()
    page.get_by_role("link", name="more").click()
    second = page.locator("#live tbody th a[href^='/dead-letters/']").all_inner_texts()
    assert len({*first, *second}) == len(first) + len(second) == total > 50
    page.get_by_role("link", name="from the beginning").click()
    assert page.locator("#live tbody th a[href^='/dead-letters/']").all_inner_texts() == first


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_json_and_csv_at_the_same_address(shown: Shown, page: str) -> None:
    """Both can be read by a program, the CSV by the names of its columns."""
    path, _, query = shown.at(page).partition("?")
    answer = shown.get(f"{path}.json?{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    answer.json()
    answer = shown.get(f"{path}.csv?{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    header, *lines = csv.reader(io.StringIO(answer.text))
    assert {len(line) for line in lines} <= {len(header)}
    assert len(set(header)) == len(header) > 0
    # Nothing was asked there, or nothing has come: then there is no line either.
    assert lines or page in ("a form for a row", "an idle feed")


@pytest.mark.parametrize(
    ("path", "query", "column", "values"),
    [
        ("/files", "state=merged&feed=accounts&name=day-1", "state", {"merged"}),
        ("/files", "state=dead_lettered", "state", {"dead_lettered"}),
        ("/files", "feed=tolerant", "feed", {"tolerant"}),
        ("/dead-letters", "reason=too_many_bad_rows", "reason", {"too_many_bad_rows"}),
        ("/dead-letters", "feed=-", "feed", {None}),
        ("/dead-letters", "name=OLDER-1", "reason", {"wrong_header"}),
        ("/dead-letters", "ended=1&reason=wrong_header", "reason", {"wrong_header"}),
        ("/rejected", "feed=tolerant", "feed", {"tolerant"}),
    ],
)
def test_filters_hold_for_people_and_programs(
    shown: Shown, path: str, query: str, column: str, values: set[str | None]
) -> None:
    """As many in each form of the answer, and fewer than without the filter."""
    found = shown.get(f"{path}.json?{query}").json()
    assert {one[column] for one in found} == values
    lines = list(csv.DictReader(io.StringIO(shown.get(f"{path}.csv?{query}").text)))
    assert {line[column] for line in lines} == {value or "" for value in values}
    unfiltered = shown.get(f"{path}.json?{'ended=1' if 'ended' in query else ''}").json()
    assert 0 < len(found) == len(lines) <= len(unfiltered)
    number = "row" if path == "/rejected" else "file" if path == "/files" else "dead letter"
    assert f"{len(found)} {'rejected ' if number == 'row' else ''}{number}" in shown.get(f"{path}?{query}").text


_ACTED_ON = {"/file": "/file?name=given-up.csv", "/dead-letters/<word:id>": "/dead-letters/{discarded}"}
"""Of an event that a command recorded, the account is known too."""


@pytest.mark.parametrize("rule", VIEWS)
def test_columns_are_all_that_rows_have(shown: Shown, rule: str) -> None:
    """No more and no fewer: each is of some row."""
    found = urlsplit(_ACTED_ON.get(rule, ADDRESSES[rule][0]).format(**shown.words))
    words: MultiDict[str, str] = MultiDict(parse_qsl(found.query))
    words.update({name: found.path.rpartition("/")[2] for name in re.findall(r"<word:(\w+)>", rule)})
    view = VIEWS[rule](Site(lambda: shown.pipeline.connection), Arguments(words))
    assert {name for row in view.rows() for name in row} == set(view.columns)


def test_operations_are_those_of_the_page_and_of_commands_in_each_form(shown: Shown) -> None:
    """In the same order."""
    found = shown.get("/operations.json").json()
    began = [one.get("began_at") or one["happened_at"] for one in found]
    own = [one for one in found if "kind" in one]
    assert 0 < len(own) < len(found)
    lines = list(csv.DictReader(io.StringIO(shown.get("/operations.csv").text)))
    assert [line["began_at"] for line in lines] == began
    assert [line["id"] for line in lines] == [one.get("id") or one["operation_id"] for one in found]
    assert "replayed 1 dead letter" in [line["what"] for line in lines]


_MOVES = ("as_of", "version")
_AGE = re.compile(r"\b\d+ (s|min|h|d) old\b")


def _still(found: Any) -> Any:
    """Without what time alone changes."""
    if isinstance(found, dict):
        return {name: _still(value) for name, value in found.items() if name not in _MOVES}
    if isinstance(found, str):
        return _AGE.sub("old", found)
    return [_still(one) for one in found] if isinstance(found, list) else found


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("/overview.json", "status"),
        ("/dead-letters.json", "dead-letters list"),
        ("/dead-letters.json?reason=too_many_bad_rows", "dead-letters list --reason too_many_bad_rows"),
        ("/dead-letters.json?ended=1", "dead-letters list --ended"),
        ("/files.json", "history"),
        ("/files.json?state=merged&since=7d", "history --since 7d --in-state merged"),
        ("/audit.json", "audit"),
        ("/file.json?name={merged}", "explain {merged}"),
        ("/file.json?name={rejecting}", "explain {rejecting}"),
        ("/dead-letters/{wrong_header}.json", "dead-letters show {wrong_header}"),
        ("/dead-letters/{discarded}.json", "dead-letters show {discarded}"),
        ("/dead-letters/{came_back}.json", "dead-letters show {came_back}"),
        ("/health.json", "doctor"),
    ],
)  # fmt: skip
def test_figures_are_those_of_the_command(shown: Shown, path: str, command: str) -> None:
    """Once nothing is on its way, all of them."""
    typed = command.format(**shown.words)
    answer = shown.get(path.format(**{name: quote(word) for name, word in shown.words.items()}))
    assert answer.status_code == 200
    assert _still(answer.json()) == _still(shown.commands.json(*shlex.split(typed)))


def test_a_reason_is_said_in_words(shown: Shown) -> None:
    assert ROW_REASONS["not_an_integer"] in unescape(shown.get("/rejected").text)


def test_what_to_do_names_the_file(shown: Shown) -> None:
    """In the command, and by a link to its rows."""
    text = unescape(shown.get(f"/dead-letters/{shown.words['too_many']}").text)
    assert "<code>dropmerge rejected --object incoming/accounts/half.csv</code> shows each row" in text
    fix = "<code>dropmerge rejected --object incoming/accounts/half.csv --csv FILE</code> writes the whole file"
    assert re.search(rf"<p>To fix it: <bdi>[^<]+{fix}", text)
    (path,) = re.findall(r'<a href="(/rejected\?file=[^"]+)">its rejected rows', text)
    assert "half.csv" in shown.get(path).text


@pytest.mark.parametrize(
    ("path", "words", "command"),
    [
        ("/rejected", {}, "rejected"),
        ("/rejected", {"reason": "not_an_integer"}, "rejected --reason not_an_integer"),
        (
            "/rows",
            {"feed": "accounts", "key.customer_id": "day-0", "key.account_number": "a"},
            "explain --feed accounts --row customer_id=day-0 account_number=a",
        ),
    ],
)
def test_rows_are_those_of_the_command(shown: Shown, path: str, words: dict[str, str], command: str) -> None:
    """With their values where the form asks for them; otherwise the same without."""
    expected = _still(shown.commands.json(*shlex.split(command)))
    csrf = form_of(shown.console, shown.session, "/rows").fields["csrf"]
    origin = {"Origin": shown.console.base}
    form = {**words, "csrf": csrf, "values": "1"}
    answer = shown.session.post(f"{shown.console.base}{path}.json", form, headers=origin, timeout=120)
    assert (answer.status_code, _still(answer.json())) == (200, expected)
    hidden = _still(shown.get(f"{path}.json?{urlencode(words)}").json())
    assert hidden != expected
    assert _names(hidden) == _names(expected)


def _names(found: Any) -> Any:
    """Of a JSON, without its values."""
    if isinstance(found, dict):
        return {name: _names(value) for name, value in found.items()}
    return [_names(one) for one in found] if isinstance(found, list) else None


def test_the_overview_has_the_figures_of_status(shown: Shown, tab: WatchedPage) -> None:
    """On its cards, and in the row of each feed."""
    status = shown.commands.json("status")
    feeds = status["feeds"]
    tab.page.goto(f"{shown.console.base}/overview")
    cards = {name: int(tab.page.locator(f"#{name}").inner_text()) for name in
             ("in-flight", "merged-today", "dead-letters", "rejected-rows")}  # fmt: skip
    assert cards == {
        "in-flight": sum(one["in_flight"] for one in feeds.values()),
        "merged-today": sum(one["merged_today"] for one in feeds.values()),
        "dead-letters": status["dead_letters"],
        "rejected-rows": sum(one["rejected_rows"] for one in feeds.values()),
    }
    assert cards["merged-today"] > 50 < cards["dead-letters"]
    rows = {
        (cells := row.locator("th, td").all_inner_texts())[0]: (*cells[2:5], *cells[8:])
        for row in tab.page.locator("table.feeds tbody tr").all()
    }
    assert rows == {
        name: tuple(
            str(one[figure])
            for figure in ("in_flight", "staged", "merged_today", "rejected_rows", "dead_letters_waiting")
        )
        for name, one in feeds.items()
    }


@pytest.mark.parametrize("page", PAGES)
def test_the_command_of_a_page_can_be_typed(shown: Shown, page: str) -> None:
    """What would change something is tried with --dry-run."""
    (command,) = re.findall(r'<code id="command">(.*?)</code>', shown.get(shown.at(page)).text)
    program, *words = shlex.split(unescape(command))
    assert program == "dropmerge"
    if page == "a form for a row":
        assert words == ["explain", "--row", "KEY=VALUE"]  # to be filled in
        return
    is_action = words[:2] in (["dead-letters", "replay"], ["dead-letters", "discard"], ["dead-letters", "undo"])
    done = shown.commands.run(*words, *(["--dry-run"] if is_action else []))
    assert done.stdout.strip()


def test_the_first_load_is_small(browser: Browser, shown: Shown) -> None:
    """Everything that a browser fetches which has nothing yet, headers too."""
    with open_page(browser, shown.console.address) as watched:
        watched.page.wait_for_selector(".u-legend")
        kinds = {urlsplit(one.url).path.rpartition("/")[2] for one in watched.answers if one.status == 200}
        assert {"overview", "page.css", "page.js", "htmx.js", "uPlot.js", "uPlot.css"} <= kinds
        assert 20_000 < watched.bytes_loaded() <= _FIRST_LOAD
        bodies = [shown.get(urlsplit(one.url).path).content for one in watched.answers if one.status == 200]
    assert sum(map(len, bodies)) <= _FIRST_LOAD, "as they are before they are compressed"


@pytest.mark.parametrize("page", PAGES)
def test_newer_figures_are_a_small_part_of_the_page(shown: Shown, page: str) -> None:
    """With plots more, and so much more for each row of a list; nothing at all while they are the same."""
    path = shown.at(page)
    part = shown.get(path, **{"HX-Request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.text
    if "hx-get" in part.text:
        most = _WITH_PLOTS if "data-plot=" in part.text else _FRAGMENT
        assert len(part.content) <= most + _ROW * max(0, part.text.count("<tr data-row=") - 10)
    again = _unless_new(shown, path, part)
    # A form to act has a key of its own each time, and asks for nothing newer.
    if 'name="key"' in part.text:
        assert again.status_code == 200
        assert "hx-get" not in part.text
    else:
        assert (again.status_code, again.content) == (304, b"")


def _unless_new(shown: Shown, path: str, part: requests.Response) -> requests.Response:
    """What is answered to who has that part, where nothing was read anew in between."""
    for _ in range(10):
        again = shown.get(path, **{"HX-Request": "true", "If-None-Match": part.headers["ETag"]})
        if again.status_code == 304 or _as_of(again) == _as_of(part):
            return again
        part = again
    pytest.fail(f"{path} was read anew each time")


def _as_of(part: requests.Response) -> str:
    return part.text.partition("as of ")[2].partition("</time>")[0]


class _Known:
    """Lets everybody in."""

    def person(self, _: object) -> Person:
        return Person("ada", Role.VIEWER, "session")


def _look(pipeline: Pipeline, viewers: int) -> None:
    """At the overview, all at once; its process has read nothing before."""
    app = make_app(lambda: pipeline.connection, _Known(), lambda _: None)
    gate = Barrier(viewers)

    def look(_: int) -> int:
        gate.wait(60)
        return app.test_client().get("/overview").status_code

    with ThreadPoolExecutor(viewers) as pool:
        assert set(pool.map(look, range(viewers))) == {200}


def test_twenty_viewers_make_no_more_statements_than_one(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted where they are sent: the console itself, which has viewers of its own, asks the same warehouse."""
    monkeypatch.setattr(Site, "seconds", 3600.0)
    client = shown.pipeline.connection.warehouse.client
    sent: list[str] = []

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def send(sql: str, *given: Any, **options: Any) -> Any:
            sent.append(sql)
            return original(sql, *given, **options)

        return send

    for name in ("query", "query_and_wait"):
        monkeypatch.setattr(client, name, counted(getattr(client, name)))
    _look(shown.pipeline, 1)
    one = len(sent)
    _look(shown.pipeline, _VIEWERS)
    assert 5 < one < 20
    assert len(sent) - one == one


_RENAME = """([from, to]) => document.querySelectorAll("td bdi").forEach((one) => {
    one.textContent = one.textContent.replace(from, to);
})"""


def test_pictures_of_every_page_are_taken(browser: Browser, shown: Shown) -> None:
    """For eyes: in build/console, or where DROPMERGE_PICTURES says."""
    _PICTURES.mkdir(parents=True, exist_ok=True)
    wanted: Sequence[tuple[str, str, int, bool]] = [
        *((_name(rule), rule, 1280, False) for rule in ADDRESSES),
        ("overview-dark", "/overview", 1280, True),
        ("overview-390", "/overview", 390, False),
    ]
    with open_page(browser, shown.console.address) as watched:
        for name, rule, width, dark in wanted:
            watched.page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
            watched.page.set_viewport_size({"width": width, "height": 760 if rule == "/overview" else 640})
            # Of many files that are alike, the others say more.
            watched.page.goto(shown.console.base + ("/files?name=r" if rule == "/files" else shown.at(rule)))
            watched.page.evaluate(_RENAME, [str(shown.pipeline.connection.feeds_folder), "deploy/feeds"])
            watched.page.screenshot(path=_PICTURES / f"{name}.png", animations="disabled", caret="hide", scale="css")
    taken = {name: (_PICTURES / f"{name}.png").read_bytes() for name, *_ in wanted}
    assert len(set(taken.values())) == len(wanted)
    assert {name: len(data) for name, data in taken.items() if len(data) >= _LARGEST_PICTURE} == {}


def _name(rule: str) -> str:
    """dead-letters-id of /dead-letters/<word:id>."""
    return rule.strip("/").replace("/<word:", "-").replace("/", "-").rstrip(">")


def test_the_console_is_small_after_all_pages_were_looked_at(shown: Shown) -> None:
    """The one process that it is, with all that it has loaded and remembers."""
    for page in PAGES:
        assert shown.get(shown.at(page)).status_code == 200
    console = psutil.Process(shown.console.process.pid)
    assert console.children() == []
    assert console.memory_info().rss < _MEMORY


def test_the_parameters_of_a_next_page_are_those_of_this_one(shown: Shown) -> None:
    """Filters stay when one goes on."""
    text = shown.get("/files?feed=accounts&since=7d").text
    (link,) = [
        part.partition('"')[0] for part in text.split('href="') if part.startswith("/files?") and "after=" in part
    ]
    query = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
    assert (query["feed"], query["since"]) == (["accounts"], ["7d"])
