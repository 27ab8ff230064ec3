"""A tab that stays open while a part is away: it says so, keeps the last figures, and has fresh ones afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, expect

from deploy.topology import ROOT
from tests.harness.cloud import running
from tests.harness.console import Console, console
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import wait_until
from tests.harness.tab import open_tab

_SEEN_MS = 60_000
# A command takes some 7 s to say that nobody answers.
_IN_TIME = 20.0


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with running(tmp_path_factory.mktemp("outage"), ROOT / "deploy" / "feeds") as pipeline:
        pipeline.drop("x.csv", HEADER + row("x"))
        pipeline.wait_until_idle()
        yield pipeline


@pytest.fixture
def shown(pipeline: Pipeline) -> Iterator[Console]:
    """Whatever a test ended is started again."""
    with console(pipeline) as shown:
        yield shown
    pipeline.cloud.up()
    pipeline.connect()


def _warehouse() -> int:
    return int(os.environ["DROPMERGE_WAREHOUSE_PID"])


def test_a_tab_outlives_the_warehouse(pipeline: Pipeline, browser: Browser, shown: Console) -> None:
    """A banner says which part is away, over the figures as of then; both go by themselves, without a reload."""
    with open_tab(browser, shown) as tab:
        page = tab.page
        banner, as_of = page.locator("#live .banner"), page.locator(".asof time")
        expect(page.locator("#merged-today")).to_have_text("1")
        page.evaluate("window.isTheSame = true")
        os.kill(_warehouse(), signal.SIGKILL)
        expect(banner).to_contain_text("the warehouse of the local cloud does not answer", timeout=_SEEN_MS)
        expect(banner).to_contain_text("These figures are old")
        expect(banner).to_contain_text("run dropmerge up to start it again")
        expect(page.locator("#merged-today")).to_have_text("1")
        old = as_of.get_attribute("datetime")
        pipeline.cloud.up()
        pipeline.connect()
        expect(banner).to_have_count(0, timeout=_SEEN_MS)
        assert (as_of.get_attribute("datetime") or "") > (old or "")
        pipeline.drop("y.csv", HEADER + row("y"))
        expect(page.locator("#merged-today")).to_have_text("2", timeout=_SEEN_MS)
        assert page.evaluate("window.isTheSame") is True


def test_a_page_that_nobody_has_read_yet_says_what_to_do(pipeline: Pipeline, browser: Browser, shown: Console) -> None:
    """And leads to itself, for when the part is there again."""
    with open_tab(browser, shown) as tab:
        os.kill(_warehouse(), signal.SIGKILL)
        tab.page.goto(f"{shown.base}/files?since=7d")
        assert tab.status == 503
        expect(tab.page.get_by_role("heading", level=1)).to_have_text("No answer")
        expect(tab.page.locator("main")).to_contain_text("the warehouse of the local cloud does not answer")
        pipeline.cloud.up()
        pipeline.connect()
        tab.page.get_by_role("link", name="Try again").click()
        expect(tab.page.locator("#live")).to_contain_text("x.csv")
        assert tab.page.url.endswith("/files?since=7d")


def test_health_says_nothing_of_another_moment(shown: Console) -> None:
    """What was known of the services before is not beside what is found now."""
    session = shown.session()

    def health() -> str:
        return session.get(f"{shown.base}/health", timeout=60).text

    assert "every part is as it should be" in health()
    assert "ingest answers" in health()
    os.kill(_warehouse(), signal.SIGKILL)
    wait_until(lambda: "WRONG" in health() and "is as it should be" not in health(), "wrong")
    wait_until(lambda: "ingest answers" not in health().partition("What was looked at")[0], "left out")


def test_a_tab_says_that_the_console_is_gone(pipeline: Pipeline, browser: Browser) -> None:
    """The figures stay; a console that was started again at the same port takes its own address only."""
    with console(pipeline) as shown, open_tab(browser, shown) as tab:
        silence = tab.page.locator("#silence")
        expect(silence).to_be_hidden()
        shown.process.terminate()
        shown.process.wait(20)
        expect(silence).to_be_visible(timeout=_SEEN_MS)
        expect(silence).to_contain_text("The page's server does not answer")
        expect(tab.page.locator("#merged-today")).to_be_visible()


def test_a_warehouse_that_hangs_keeps_nobody_longer_than_a_command(pipeline: Pipeline, shown: Console) -> None:
    """However many ask, for pages that have been read and for others, with one question or several."""
    session = shown.session()

    def ask(path: str) -> tuple[int, str]:
        answer = session.get(shown.base + path, timeout=_IN_TIME)
        return answer.status_code, answer.text

    assert ask("/overview")[0] == 200
    os.kill(_warehouse(), signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(8) as pool:
            wait_until(lambda: "These figures are old" in ask("/overview")[1], "old")
            found = list(pool.map(ask, ["/overview"] * 3 + ["/files"] * 5))
    finally:
        os.kill(_warehouse(), signal.SIGCONT)
    assert [status for status, _ in found] == [200] * 3 + [503] * 5
    for _, text in found[3:]:
        assert "and it is not working" in text
    assert any("These figures are old" in text for _, text in found[:3])
