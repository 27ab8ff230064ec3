"""What somebody comes to the page for, by keyboard alone: no test here has a mouse."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import Browser, expect

from tests.harness.browser import WatchedPage
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.console import Console, console
from tests.harness.dead_letters import empty_dead_letters, ours, put, wait_for_the_table
from tests.harness.feeds import AGAIN, write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.processes import await_end
from tests.harness.subscription import wait_until
from tests.harness.tab import await_figures, button, enter, link, open_tab, operation_ended, reach, shows_focus

BAD_HEADER = HEADER.replace("credit_score", "score")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("stories")
    feeds = write_feeds(folder / "feeds")
    (feeds / "again.yaml").write_text(AGAIN)
    with running(folder, feeds) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def shown(pipeline: Pipeline) -> Iterator[Console]:
    with console(pipeline) as shown:
        yield shown


@pytest.fixture
def tab(browser: Browser, shown: Console) -> Iterator[WatchedPage]:
    """The overview."""
    with open_tab(browser, shown) as tab:
        yield tab


def _kill(service: str) -> None:
    """Its worker too, which goes on for a moment without its parent."""
    master = psutil.Process(int(os.environ[f"DROPMERGE_{service.upper()}_PID"]))
    processes = [*master.children(recursive=True), master]
    for process in processes:
        process.kill()
    await_end(processes)


def test_why_a_file_is_stuck(pipeline: Pipeline, tab: WatchedPage) -> None:
    """From the overview to the file's page, which says what it waits for; it is merged once that is there again."""
    _kill("merge")
    uri = pipeline.drop("stuck.csv", HEADER + row("stuck"))
    wait_until(lambda: pipeline.explain(uri)["state"] == "staged", "staged")
    page = tab.page
    await_figures(tab, lambda: page.get_by_role("link", name="stuck.csv").count(), "shown")
    expect(page.get_by_text("merge does not answer")).to_be_visible()
    enter(tab, link(tab, "stuck.csv"))
    expect(page.get_by_role("heading", level=1)).to_have_text("stuck.csv")
    expect(page.locator(".headline")).to_contain_text("staged")
    expect(page.locator("#live")).to_contain_text("merge does not answer (connection refused)")
    pipeline.cloud.up()
    pipeline.connect()
    pipeline.wait_until_idle()
    expect(page.locator(".headline")).to_contain_text("merged", timeout=30_000)


def test_a_group_of_dead_letters_is_replayed_once_the_contract_is_right(pipeline: Pipeline, tab: WatchedPage) -> None:
    """Seen to merge on the operation's page, all from the overview on."""
    uris = [pipeline.drop(f"renamed-{n}.csv", "icao,wrong\nEDDF,1\n", feed="airports") for n in range(2)]
    pipeline.wait_until_idle()
    wait_for_the_table(pipeline)
    contract = pipeline.connection.feeds_folder / "airports.yaml"
    text = contract.read_text()
    try:
        contract.write_text(
            text.partition("version:")[0]
            + "columns:\n  - {name: icao, type: STRING}\n  - {name: wrong, type: INT64}\n"
        )
        contract.write_text(contract.read_text().replace("columns:", "version: wrong\ncolumns:"))
        pipeline.deploy("ingest", "merge")
        page = tab.page
        tab.press("g d")
        expect(page).to_have_title("Dead letters · dropmerge")
        enter(tab, link(tab, "replay 2 wrong_header of airports"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Replay 2 dead letters")
        reach(tab, page.get_by_label("why (optional; the journal keeps it)"))
        tab.type("the contract is right now")
        enter(tab, button(tab, "Replay 2"))
        operation_ended(tab)
        expect(page.locator("#done")).to_have_text("2")
        expect(page.locator("#merged")).to_have_text("2")
        expect(page.locator("#live")).to_contain_text("the contract is right now")
        assert {pipeline.explain(uri)["state"] for uri in uris} == {"merged"}
    finally:
        contract.write_text(text)
        pipeline.deploy("ingest", "merge")


def test_a_discard_has_a_reason_and_is_taken_back(pipeline: Pipeline, tab: WatchedPage) -> None:
    """Who gave the letter up and why is in the audit; taken back, it waits again under a new id."""
    first = put(pipeline, ours("incoming/accounts/given-up.csv", "empty_file"))
    wait_for_the_table(pipeline)
    page = tab.page
    tab.press("g d")
    enter(tab, link(tab, first))
    enter(tab, link(tab, "discard…"))
    reach(tab, page.get_by_label("why (the journal keeps it)"))
    tab.type("it was a trial")
    tab.press("Enter")
    operation_ended(tab)
    expect(page.locator("#done")).to_have_text("1")
    operation = page.url
    tab.press("g a")
    expect(page).to_have_title("Audit · dropmerge")
    expect(page.get_by_role("row", name="it was a trial")).to_contain_text("discarded 1 dead letter")
    tab.press("g p")
    enter(tab, link(tab, "discard 1 letter"))
    expect(page).to_have_url(operation)
    enter(tab, link(tab, "take the discard back…"))
    enter(tab, button(tab, "Take 1 back"))
    operation_ended(tab)
    (again,) = page.locator("#live").get_by_role("link", name=re.compile("^[0-9]+$")).all_inner_texts()
    tab.press("g d")
    expect(page.locator(f"[data-row='{again}']")).to_contain_text("given-up.csv")
    enter(tab, link(tab, again))
    expect(page.locator(".headline")).to_contain_text("waiting")
    expect(page.get_by_role("heading", name="Where it came from")).to_be_visible()
    assert again != first
    assert [one.id for one in pipeline.dead_letters()] == [again]


def test_the_story_of_a_row_that_was_rejected_and_of_one_that_is_superseded(
    pipeline: Pipeline, tab: WatchedPage
) -> None:
    """Which file has the row, and why it is not in the table."""
    older = "n,v,w\ntwo,1,1\nthree,1,much\nfour,1,much\n"
    for name, data in (
        ("first.csv", "n,v,w\none,1,1\n"),
        ("half.csv", older),
        ("half.csv", "n,v,w\none,2,much\ntwo,2,3\n"),
    ):
        pipeline.drop(name, data, feed="again")
        pipeline.wait_until_idle()
    wait_for_the_table(pipeline)
    for key, file, verdict in (("one", "half.csv", "rejected"), ("two", "half.csv", "older")):
        tab.press("g s")
        expect(tab.page).to_have_title("A row's story · dropmerge")
        reach(tab, tab.page.get_by_role("combobox", name="feed"))
        tab.type("again")
        enter(tab, button(tab, "choose"))
        reach(tab, tab.page.get_by_role("textbox", name="n", exact=True))
        tab.type(key)
        tab.press("Enter")
        story = tab.page.get_by_role("table", name="Newest first")
        expect(story.get_by_role("row", name=f"{file} ").filter(has_text=verdict)).to_contain_text(verdict)
        expect(tab.page.get_by_role("table", name="The row")).to_contain_text("●●●")


@pytest.fixture
def letters(pipeline: Pipeline) -> list[str]:
    """Three that wait, and no others: the oldest first."""
    empty_dead_letters(pipeline)
    names = [f"incoming/accounts/key-{n}.csv" for n in range(3)]
    ids = [
        put(pipeline, ours(name, dropmerge_dead_lettered_at=f"2025-01-0{n + 1}T00:00:00Z"))
        for n, name in enumerate(names)
    ]
    wait_for_the_table(pipeline)
    return ids


@pytest.fixture
def list_of_letters(letters: list[str], browser: Browser, shown: Console) -> Iterator[WatchedPage]:
    with open_tab(browser, shown, "/dead-letters") as tab:
        await_figures(tab, lambda: _ids(tab) == letters, "the letters and no others")
        yield tab


def _ids(tab: WatchedPage) -> list[str]:
    """Of the letters that are shown."""
    return [
        id
        for id in tab.page.locator("tr[data-row]").evaluate_all("rows => rows.map(row => row.dataset.row)")
        if id.isdigit()
    ]


def test_keys_lead_to_pages_rows_and_help(letters: list[str], list_of_letters: WatchedPage) -> None:
    """`g` and a letter, `/`, `j` and `k`, `x`, `?`: the focus is where it is seen. In a field they are text."""
    tab, page = list_of_letters, list_of_letters.page
    tab.press("/")
    assert tab.focused() == 'textbox "object contains"'
    assert shows_focus(page)
    tab.type("g/jx?")
    expect(page.locator("#search")).to_have_value("g/jx?")
    assert page.url.endswith("/dead-letters")
    tab.press("Tab")
    # The first row is that of the group.
    tab.press("j j")
    at_hand = page.locator("[data-at-hand]")
    expect(at_hand).to_have_attribute("data-row", letters[0])
    assert tab.focused() == f'checkbox "select {letters[0]}"'
    assert shows_focus(page)
    tab.press("j x j j j k")
    expect(at_hand).to_have_attribute("data-row", letters[1])
    assert _checked(tab) == [letters[1]]
    tab.press("x")
    assert _checked(tab) == []
    assert tab.focused() == f'checkbox "select {letters[1]}"'
    tab.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    tab.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    assert tab.focused() == f'checkbox "select {letters[1]}"', "it is where it was"
    tab.press("j x")
    enter(tab, button(tab, "replay selected…"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Replay 1 dead letter")
    expect(page.get_by_role("table")).to_contain_text("key-2.csv")
    for key, title in {"o": "Overview", "f": "Files", "d": "Dead letters", "r": "Rejected rows"}.items():
        tab.press(f"g {key}")
        expect(page).to_have_title(f"{title} · dropmerge")


def _checked(tab: WatchedPage) -> list[str]:
    return list(tab.page.locator("input:checked").evaluate_all("boxes => boxes.map(box => box.value)"))


def test_what_is_chosen_and_open_stays_when_figures_change(
    pipeline: Pipeline, letters: list[str], list_of_letters: WatchedPage
) -> None:
    """Rows that come wait until they are asked for while the focus is among the rows: a button says how many."""
    tab, page = list_of_letters, list_of_letters.page
    reach(tab, page.get_by_label(f"select {letters[1]}"))
    tab.press("Space")
    new = [put(pipeline, ours(f"incoming/accounts/new-{n}.csv")) for n in range(2)]
    wait_for_the_table(pipeline)
    fresh = button(tab, "2 new: show")
    await_figures(tab, lambda: fresh.count(), "offered")
    assert _ids(tab) == letters, "nothing has moved"
    assert _checked(tab) == [letters[1]]
    assert tab.focused() == f'checkbox "select {letters[1]}"'
    reach(tab, fresh, backwards=True)
    tab.press("Enter")
    expect(page.locator("tr[data-row]")).to_have_count(1 + 5)
    assert set(_ids(tab)) == {*letters, *new}
    assert _checked(tab) == [letters[1]]
    assert tab.focused() == 'main ""', "the button is gone; the rows follow"
    expect(fresh).to_have_count(0)


def test_rows_that_go_wait_as_well(pipeline: Pipeline, letters: list[str], list_of_letters: WatchedPage) -> None:
    """Somebody else discards one while the focus is among the rows."""
    tab = list_of_letters
    reach(tab, tab.page.get_by_label(f"select {letters[2]}"))
    Commands.of(pipeline).run("dead-letters", "discard", "--id", letters[0], "--why", "by a command", "--yes")
    gone = button(tab, "1 gone: show")
    await_figures(tab, lambda: gone.count(), "offered")
    assert _ids(tab) == letters
    assert tab.focused() == f'checkbox "select {letters[2]}"'
    reach(tab, gone, backwards=True)
    tab.press("Enter")
    wait_until(lambda: _ids(tab) == letters[1:], "shown")


def test_under_the_pointer_nothing_moves(pipeline: Pipeline, letters: list[str], list_of_letters: WatchedPage) -> None:
    """Where the pointer is elsewhere, rows come by themselves, and a line says how many."""
    tab = list_of_letters
    tab.page.locator(f"[data-row='{letters[1]}']").hover()
    put(pipeline, ours("incoming/accounts/below.csv"))
    wait_for_the_table(pipeline)
    await_figures(tab, lambda: button(tab, "1 new: show").count(), "offered")
    assert _ids(tab) == letters
    tab.page.mouse.move(0, 0)
    await_figures(tab, lambda: len(_ids(tab)) == 4, "shown")


def test_figures_change_under_an_open_detail_that_has_the_focus(
    pipeline: Pipeline, letters: list[str], browser: Browser, shown: Console
) -> None:
    """It stays open, and the focus stays on it, whichever figures come."""
    with open_tab(browser, shown, f"/dead-letters/{letters[0]}") as tab:
        details = tab.page.locator("#message")
        reach(tab, details.locator("summary"))
        tab.press("Enter")
        expect(details).to_have_attribute("open", "")
        tab.page.evaluate("window.before = document.getElementById('message')")
        Commands.of(pipeline).run("dead-letters", "discard", "--id", letters[0], "--why", "by a command", "--yes")
        await_figures(tab, lambda: "by a command" in tab.page.locator(".headline").inner_text(), "ended")
        assert tab.page.evaluate("window.before.isConnected") is False, "it is another element by now"
        expect(details).to_have_attribute("open", "")
        assert "attributes" in tab.focused()
