"""Actions from the page: whatever two people, a double click or a kill do, each letter is acted on once."""

from __future__ import annotations

import os
import pwd
import re
import signal
from collections.abc import Iterator
from functools import partial
from typing import Any

import psutil
import pytest
import requests
from playwright.sync_api import Browser, expect

from dropmerge.page.forms import READ_ONLY
from tests.harness.browser import WatchedPage
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.console import Console, console
from tests.harness.dead_letters import empty_dead_letters, ours, put, put_many, wait_for_the_table
from tests.harness.feeds import AGAIN, write_feeds
from tests.harness.page_forms import discard_on_the_page
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import wait_until
from tests.harness.tab import await_figures, open_tab, operation_ended

ME = pwd.getpwuid(os.getuid()).pw_name
_MOST = 12
BAD_HEADER = HEADER.replace("credit_score", "score")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("acting")
    feeds = write_feeds(folder / "feeds")
    (feeds / "again.yaml").write_text(AGAIN)
    with running(folder, feeds) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)


@pytest.fixture(scope="module")
def shown(pipeline: Pipeline) -> Iterator[Console]:
    with console(pipeline) as shown:
        yield shown


@pytest.fixture(scope="module", autouse=True)
def merged(pipeline: Pipeline) -> list[str]:
    """Files that are in the table: a letter of one, replayed, is merged at once."""
    files = [pipeline.drop(f"act-{n}.csv", HEADER + row(f"act-{n}")) for n in range(_MOST)]
    pipeline.wait_until_idle()
    return files


def letters(pipeline: Pipeline, count: int) -> list[str]:
    """These wait, and no others."""
    empty_dead_letters(pipeline)
    blobs = list(pipeline.connection.storage.list_blobs("landing", prefix="incoming/accounts/act-"))[:count]
    assert len(blobs) == count
    ids = [
        put(
            pipeline,
            ours(blob.name, eventType="OBJECT_FINALIZE", objectGeneration=str(blob.generation), payloadFormat="NONE"),
        )
        for blob in blobs
    ]
    wait_for_the_table(pipeline)
    return ids


def path_of(kind: str, ids: list[str]) -> str:
    """Where the page asks whether they are meant."""
    return f"/dead-letters/act?kind={kind}" + "".join(f"&id={one}" for one in ids)


def begun(pipeline: Pipeline, since: int = 0) -> list[str]:
    """The operations that were recorded, but for so many before."""
    rows = pipeline.connection.rows(
        "SELECT operation_id FROM `ops.journal` WHERE event = 'operation_began' ORDER BY happened_at"
    )
    return [one["operation_id"] for one in rows][since:]


def how_ended(commands: Commands, ids: list[str]) -> dict[str, Any]:
    """By letter, what became of it; a letter that waits is not among them."""
    ended = [one for one in commands.json("dead-letters", "list", "--ended") if one["id"] in ids]
    assert len(ended) == len({one["id"] for one in ended}), "one has ended twice"
    return {one["id"]: one["state"] for one in ended}


def discard(tab: WatchedPage, why: str = "a trial") -> None:
    tab.page.fill("[name=why]", why)
    tab.page.click("#do")
    operation_ended(tab)


def operation_of(tab: WatchedPage) -> str:
    expect(tab.page.locator("#state")).to_be_visible()
    return tab.page.url.rpartition("/")[2]


def test_of_two_people_one_wins_and_the_other_reads_who_took_them(
    pipeline: Pipeline, commands: Commands, browser: Browser, shown: Console
) -> None:
    ids = letters(pipeline, 3)
    before = len(begun(pipeline))
    path = path_of("discard", ids)
    with open_tab(browser, shown, path) as one, open_tab(browser, shown, path) as other:
        discard(one)
        discard(other)
        expect(one.page.locator("#done")).to_have_text("3")
        expect(other.page.locator("#done")).to_have_text("0")
        expect(one.page.get_by_role("heading", name="Taken by somebody else first")).to_have_count(0)
        expect(other.page.get_by_role("heading", name="Taken by somebody else first")).to_be_visible()
        taken = other.page.locator("#live li")
        expect(taken).to_have_count(3)
        for n, letter in enumerate(ids):
            expect(taken.nth(n)).to_contain_text(letter)
            expect(taken.nth(n)).to_contain_text("discarded")
            expect(taken.nth(n)).to_contain_text(f"by {ME}")
    assert len(begun(pipeline, before)) == 2
    assert how_ended(commands, ids) == dict.fromkeys(ids, "discarded")


def test_what_somebody_took_is_said_and_what_never_was_is_not_found(pipeline: Pipeline, shown: Console) -> None:
    """Only what is not known is named."""
    (taken, left) = letters(pipeline, 2)
    discard_on_the_page(shown, taken, "by somebody else")
    session = shown.session()
    answer = session.get(shown.base + path_of("replay", [taken]), timeout=60)
    assert (answer.status_code, "None of them is waiting any more" in answer.text) == (200, True)
    answer = session.get(shown.base + path_of("undo", [left]), timeout=60)
    assert (answer.status_code, "None of them can be taken back" in answer.text) == (200, True)
    for kind in ("replay", "discard", "undo"):
        answer = session.get(shown.base + path_of(kind, [taken, left, "999999"]), timeout=60)
        assert (answer.status_code, "no dead letter 999999 is known" in answer.text) == (404, True)


def test_two_people_act_at_the_same_time(
    pipeline: Pipeline, commands: Commands, browser: Browser, shown: Console
) -> None:
    """Between them they act on each letter once, and each page names those that it did not get."""
    ids = letters(pipeline, 8)
    path = path_of("discard", ids)
    with open_tab(browser, shown, path) as one, open_tab(browser, shown, path) as other:
        for tab in (one, other):
            tab.page.fill("[name=why]", "at once")
        for tab in (one, other):
            tab.page.evaluate("document.getElementById('do').click()")
        for tab in (one, other):
            operation_ended(tab)
        done = [int(tab.page.inner_text("#done")) for tab in (one, other)]
        taken = [tab.page.locator("#live li").count() for tab in (one, other)]
    assert sum(done) == 8
    assert taken == done[::-1]
    assert how_ended(commands, ids) == dict.fromkeys(ids, "discarded")


def test_a_double_click_begins_one_operation(pipeline: Pipeline, browser: Browser, shown: Console) -> None:
    """And leads to its page, not to an error."""
    before = len(begun(pipeline))
    ids = letters(pipeline, 2)
    with open_tab(browser, shown, path_of("replay", ids)) as tab:
        tab.page.uncheck("[name=canary]")
        tab.page.dblclick("#do")
        operation_ended(tab)
        expect(tab.page.locator("#done")).to_have_text("2")
        sent = [one for one in tab.answers if one.url.endswith("/operations")]
        assert begun(pipeline, before) == [operation_of(tab)]
        assert {one.status for one in sent} == {303}


def test_the_same_form_sent_at_the_same_time_begins_one_operation(
    pipeline: Pipeline, browser: Browser, shown: Console
) -> None:
    """Each answer leads to the operation's page, which knows it."""
    before = len(begun(pipeline))
    ids = letters(pipeline, 2)
    with open_tab(browser, shown, path_of("replay", ids)) as tab:
        answers = tab.page.evaluate(
            """async () => {
                const body = new URLSearchParams(new FormData(document.querySelector("form.act")));
                const send = () => fetch("/operations", {method: "POST", body});
                return (await Promise.all([send(), send(), send()])).map(({status, url}) => [status, url]);
            }"""
        )
        (operation,) = begun(pipeline, before)
        assert answers == [[200, f"{shown.base}/operations/{operation}"]] * 3
        tab.page.goto(answers[0][1])
        operation_ended(tab)


def test_going_back_and_sending_the_form_again_begins_no_more(
    pipeline: Pipeline, browser: Browser, shown: Console
) -> None:
    """Nor does to load the operation's page again, in its middle or later."""
    before = len(begun(pipeline))
    ids = letters(pipeline, 3)
    with open_tab(browser, shown, path_of("replay", ids)) as tab:
        page = tab.page
        page.uncheck("[name=canary]")
        page.fill("[name=rate]", "1")
        form = page.evaluate("new URLSearchParams(new FormData(document.querySelector('form.act'))).toString()")
        page.click("#do")
        operation = operation_of(tab)
        page.reload()
        expect(page.locator("#state")).to_be_visible()
        page.reload()
        operation_ended(tab)
        expect(page.locator("#done")).to_have_text("3")
        again = page.evaluate(
            """body => fetch("/operations", {method: "POST", body: new URLSearchParams(body)})
                .then(({status, url}) => [status, url])""",
            form,
        )
        assert again == [200, f"{shown.base}/operations/{operation}"]
        page.go_back()
        if page.locator("#do").count():
            page.click("#do")
            operation_ended(tab)
        else:
            expect(page.locator("#live")).to_contain_text("None of them is waiting any more")
    assert begun(pipeline, before) == [operation]


def test_letters_that_came_later_are_not_touched(
    pipeline: Pipeline, commands: Commands, browser: Browser, shown: Console
) -> None:
    """Also where a group was chosen, which they belong to."""
    ids = letters(pipeline, 2)
    with open_tab(browser, shown, "/dead-letters") as tab:
        group = tab.page.get_by_role("link", name="discard 2 wrong_header of accounts")
        await_figures(tab, group.count, "shown")
        group.click()
        expect(tab.page.get_by_role("heading", level=1)).to_have_text("Discard 2 dead letters")
        later = put(pipeline, ours("incoming/accounts/later.csv"))
        wait_for_the_table(pipeline)
        discard(tab)
        expect(tab.page.locator("#done")).to_have_text("2")
    assert [one.id for one in pipeline.dead_letters()] == [later]
    assert how_ended(commands, [*ids, later]) == dict.fromkeys(ids, "discarded")


def test_what_the_first_does_is_seen_before_the_others_follow(
    pipeline: Pipeline, commands: Commands, browser: Browser, shown: Console
) -> None:
    """The contract is still wrong: one comes back, the others have never left."""
    empty_dead_letters(pipeline)
    for n in range(3):
        pipeline.drop(f"canary-{n}.csv", BAD_HEADER + row(f"canary-{n}"))
    pipeline.wait_until_idle()
    wait_for_the_table(pipeline)
    ids = [one.id for one in pipeline.dead_letters()]
    with open_tab(browser, shown, path_of("replay", ids)) as tab:
        assert tab.page.is_checked("[name=canary]")
        tab.page.click("#do")
        operation_ended(tab, "stopped")
        expect(tab.page.locator("#live")).to_contain_text("The first was not merged, so 2 others are still waiting.")
        expect(tab.page.locator("#came-back")).to_have_text("1")
        came_back = tab.page.get_by_role("region", name="What came back")
        expect(came_back).to_contain_text("wrong_header", timeout=30_000)
        (back,) = came_back.get_by_role("rowheader").all_inner_texts()
    left = {one.id for one in pipeline.dead_letters()}
    assert len(left) == 3
    assert len(left & set(ids)) == 2
    assert back in left - set(ids)


def test_an_operation_is_cancelled_in_its_middle(
    pipeline: Pipeline, commands: Commands, browser: Browser, shown: Console
) -> None:
    """What is done stays done; the rest waits, and can be acted on at once."""
    ids = letters(pipeline, _MOST)
    with open_tab(browser, shown, path_of("replay", ids)) as tab:
        slowly(tab)
        tab.page.click("#cancel")
        operation_ended(tab, "stopped")
        done = int(tab.page.inner_text("#done"))
    assert 0 < done < _MOST
    left = [one.id for one in pipeline.dead_letters()]
    assert how_ended(commands, ids) == {one: "replayed" for one in ids if one not in left}
    assert len(left) == _MOST - done


def slowly(tab: WatchedPage, rate: str = "1") -> str:
    """Begin it, so many a second, and wait until some are done; the operation's id."""
    if tab.page.locator("[name=canary]").count():
        tab.page.uncheck("[name=canary]")
    tab.page.fill("[name=rate]", rate)
    tab.page.click("#do")
    operation = operation_of(tab)
    expect(tab.page.locator("#done")).not_to_have_text("0", timeout=60_000)
    return operation


def worker_of(operation: str) -> psutil.Process:
    (found,) = [
        one
        for one in psutil.process_iter(["cmdline"])
        if (one.info["cmdline"] or [])[-2:] == ["dropmerge.page.worker", operation]
    ]
    return found


def test_a_worker_that_was_killed_is_known_and_the_rest_can_be_replayed(
    pipeline: Pipeline, commands: Commands, browser: Browser, shown: Console
) -> None:
    """The page says so; no letter is lost."""
    ids = letters(pipeline, _MOST)
    with open_tab(browser, shown, path_of("replay", ids)) as tab:
        worker_of(slowly(tab)).kill()
        operation_ended(tab, "failed")
        expect(tab.page.locator("#live .banner")).to_contain_text("the process that carried it out ended by signal 9")
        # Until the leases of the killed one have lapsed.
        wait_until(lambda: len(pipeline.dead_letters()) + len(how_ended(commands, ids)) >= _MOST, "free")
        tab.page.goto(shown.base + path_of("replay", ids))
        left = int(tab.page.locator("#do").inner_text().split()[1])
        assert 0 < left < _MOST
        tab.page.click("#do")
        operation_ended(tab)
        expect(tab.page.locator("#done")).to_have_text(str(left))
    assert pipeline.dead_letters() == []
    assert how_ended(commands, ids) == dict.fromkeys(ids, "replayed")


def test_an_operation_outlives_the_console(pipeline: Pipeline, commands: Commands, browser: Browser) -> None:
    """Ctrl-C at its terminal ends the console; it is started again: the operation went on, and its page shows it."""
    ids = letters(pipeline, 8)
    with console(pipeline) as first, open_tab(browser, first, path_of("replay", ids)) as tab:
        operation = slowly(tab)
        worker = worker_of(operation)
        os.killpg(first.process.pid, signal.SIGINT)
        assert first.process.wait(20) == 0
        assert int(tab.page.inner_text("#done")) < 8
        assert worker.status() != psutil.STATUS_ZOMBIE
        with console(pipeline) as second, open_tab(browser, second, f"/operations/{operation}") as later:
            operation_ended(later)
            expect(later.page.locator("#done")).to_have_text("8")
    assert how_ended(commands, ids) == dict.fromkeys(ids, "replayed")


def test_a_read_only_console_has_no_buttons_and_takes_no_form(pipeline: Pipeline, browser: Browser) -> None:
    """Where an action would be, nothing is; its page says why; whoever sends the form all the same is refused."""
    (letter,) = letters(pipeline, 1)
    with console(pipeline, "--read-only") as shown, open_tab(browser, shown) as tab:
        for path in ("/overview", "/dead-letters", f"/dead-letters/{letter}", "/rejected"):
            tab.page.goto(shown.base + path)
            expect(tab.page.locator("form[method=post]")).to_have_count(0)
            expect(tab.page.locator("a[href*='/dead-letters/act']")).to_have_count(0)
            expect(tab.page.locator("#live").get_by_role("button", name="pause")).to_have_count(1)
            expect(tab.page.locator("#live").get_by_role("button")).to_have_count(1)
        expect(tab.page.locator(".who")).to_contain_text("viewer")
        for kind in ("replay", "discard", "undo"):
            tab.page.goto(shown.base + path_of(kind, [letter]))
            expect(tab.page.locator("#live form, #live button.main")).to_have_count(0)
            if kind != "undo":  # this letter waits
                expect(tab.page.locator("#live .banner")).to_have_text(READ_ONLY)
                expect(tab.page.locator("#live tbody")).to_contain_text(letter)
        session = shown.session()
        token = fields_of(session.get(f"{shown.base}/rows", timeout=60).text)["csrf"]
        form = {"csrf": token, "key": "0" * 12, "kind": "discard", "ids": letter, "why": "all the same"}
        answer = session.post(f"{shown.base}/operations", form, headers={"Origin": shown.base}, timeout=60)
        assert (answer.status_code, READ_ONLY in answer.text) == (403, True)
    assert [one.id for one in pipeline.dead_letters()] == [letter]


def fields_of(page: str) -> dict[str, str]:
    """The hidden ones of its form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


@pytest.mark.parametrize(
    ("origin", "host", "more"),
    [
        ("{base}", "", {"csrf": ""}),
        ("{base}", "", {"csrf": "0" * 64}),
        ("", "", {}),
        ("http://elsewhere.example", "", {}),
        ("http://elsewhere.example:{port}", "elsewhere.example:{port}", {}),
    ],
    ids=["no-token", "another-token", "no-origin", "another-origin", "another-name"],
)
def test_a_form_that_this_page_has_not_sent_is_refused(
    pipeline: Pipeline, shown: Console, origin: str, host: str, more: dict[str, str]
) -> None:
    """Without its token, from another site, or under a name that was made to lead here; sent as it is, it is taken."""
    (letter,) = letters(pipeline, 1)
    before, session = len(begun(pipeline)), shown.session()
    act = session.get(shown.base + path_of("discard", [letter]), timeout=60).text
    cookies = "; ".join(f"{one.name}={one.value}" for one in session.cookies)
    place = {"base": shown.base, "port": shown.base.rpartition(":")[2]}
    headers = {"Cookie": cookies, "Origin": origin.format(**place)} | ({"Host": host.format(**place)} if host else {})
    fields = fields_of(act) | {"why": "from elsewhere"}
    post = partial(requests.post, f"{shown.base}/operations", timeout=60, allow_redirects=False)
    assert post(fields | more, headers=headers).status_code == 403
    assert begun(pipeline, before) == []
    assert post(fields, headers={"Cookie": cookies, "Origin": shown.base}).status_code == 303
    assert begun(pipeline, before) == [fields["key"]]
    wait_until(lambda: not pipeline.dead_letters(), "discarded")


def test_many_are_discarded_only_by_who_types_how_many(
    pipeline: Pipeline, commands: Commands, browser: Browser, shown: Console
) -> None:
    """Above 100. A wrong number is refused, and what was typed is kept."""
    empty_dead_letters(pipeline)
    put_many(pipeline, 101, 8)
    wait_for_the_table(pipeline)
    with open_tab(browser, shown, "/dead-letters") as tab:
        page = tab.page
        group = page.get_by_role("link", name="discard 101 wrong_header of accounts")
        await_figures(tab, group.count, "shown")
        group.click()
        page.fill("[name=why]", "a hundred and one")
        page.click("#do")
        assert page.evaluate("document.activeElement.name") == "typed", "the browser asks for it"
        page.fill("[name=typed]", "100")
        page.click("#do")
        expect(page.locator("#live .banner")).to_contain_text("takes typing how many they are: 101")
        assert tab.status == 422
        assert page.input_value("[name=why]") == "a hundred and one"
        assert len(pipeline.dead_letters()) == 101
        page.fill("[name=typed]", "101")
        page.click("#do")
        operation_ended(tab)
        expect(page.locator("#done")).to_have_text("101")
    assert pipeline.dead_letters() == []


def test_without_a_reason_nothing_is_discarded(pipeline: Pipeline, browser: Browser, shown: Console) -> None:
    """Spaces are no reason. The browser asks for one; so does the server."""
    (letter,) = letters(pipeline, 1)
    with open_tab(browser, shown, path_of("discard", [letter])) as tab:
        tab.page.click("#do")
        assert tab.page.evaluate("document.activeElement.name") == "why"
        tab.page.fill("[name=why]", "   ")
        tab.page.click("#do")
        expect(tab.page.locator("#live .banner")).to_contain_text("to discard takes a reason")
        assert tab.status == 422
        assert [one.id for one in pipeline.dead_letters()] == [letter]
        discard(tab, "a reason")


def test_every_action_is_in_the_audit_with_who_and_why(
    pipeline: Pipeline, commands: Commands, browser: Browser, shown: Console
) -> None:
    """Replay, discard and undo, by their operations."""
    ids = letters(pipeline, 2)
    found = {}
    with open_tab(browser, shown, path_of("replay", ids[:1])) as tab:
        discard(tab, "replayed by a test")
        found[operation_of(tab)] = ("replayed", "replayed by a test")
        tab.page.goto(shown.base + path_of("discard", ids[1:]))
        discard(tab, "discarded by a test")
        found[operation_of(tab)] = ("discarded", "discarded by a test")
        tab.page.click("#undo")
        discard(tab, "undone by a test")
        found[operation_of(tab)] = ("undone", "undone by a test")
    audit = {one["operation_id"]: one for one in commands.json("audit")}
    assert {operation: (*audit[operation]["events"], audit[operation]["why"]) for operation in found} == found
    assert {audit[operation]["who"] for operation in found} == {ME}


def test_values_are_hidden_until_somebody_asks_which_is_recorded(
    pipeline: Pipeline, commands: Commands, browser: Browser, shown: Console
) -> None:
    """Of rejected rows, and of the row of a key."""
    pipeline.drop("hidden.csv", "n,v,w\none,1,77123\ntwo,1,spurious\n", feed="again")
    pipeline.wait_until_idle()

    def asked() -> list[Any]:
        return [one for one in commands.json("audit") if "values_shown" in one["events"]]

    with open_tab(browser, shown) as tab:
        for path, value in (("/rejected", "spurious"), ("/rows?feed=again&key.n=one", "77123")):
            before = len(asked())
            tab.page.goto(shown.base + path)
            expect(tab.page.locator("#live")).to_contain_text("●●●")
            assert value not in tab.page.content()
            assert len(asked()) == before
            tab.page.click("#values")
            expect(tab.page.locator("#live")).to_contain_text("It is recorded that you asked for the values.")
            assert value in tab.page.content()
            (new,) = asked()[before:]
            assert new["who"] == ME
