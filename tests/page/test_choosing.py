"""Which dead letters a page means: its list, groups, the question before an action and the command say the same."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from dropmerge.page.access import Person, Role
from dropmerge.page.app import make_app
from dropmerge.page.views import act, dead_letters
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.dead_letters import MERGE_DEAD_LETTERS, ours, put, wait_for_the_table
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row

_LONG_AGO = f"{datetime.now(UTC) - timedelta(days=8):%Y-%m-%dT%H:%M:%S}.000Z"
_ACCOUNTS = "incoming/accounts"


class _Anybody:
    """Lets everybody in."""

    def person(self, _: object) -> Person:
        return Person("ada", Role.OPERATOR, "session")


@dataclass(frozen=True)
class Waiting:
    pipeline: Pipeline
    client: FlaskClient
    ids: dict[str, str]
    """By a word for each."""

    def page(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def listed(self, query: str) -> set[str]:
        """The words for what the list has."""
        return self._named(re.findall(r'<tr data-row="(\d+)"', self.page(f"/dead-letters?{query}")))

    def asked_about(self, path: str) -> set[str]:
        """The words for those that the question is about."""
        ids = re.search(r'name="ids" value="([^"]*)"', self.page(path))
        return self._named(ids[1].split(",")) if ids else set()

    def _named(self, ids: list[str]) -> set[str]:
        return {word for word, one in self.ids.items() if one in ids}


@dataclass(frozen=True)
class Group:
    text: str
    count: int
    link: str
    discard: str


def groups(page: str) -> list[Group]:
    """Those of the list, in order."""
    table = page.partition("<h2>Groups</h2>")[2].partition("</table>")[0].partition("<tbody>")[2]
    found = []
    for line in table.split("<tr ")[1:]:
        links = list(map(unescape, re.findall(r'href="([^"]*)"', line)))
        text = unescape(re.sub(r"<[^>]+>", " ", line.partition(">")[2]))
        number = re.search(r'<td class="n">([\d,]+)</td>', line)
        assert number
        found.append(Group(" ".join(text.split()), int(number[1]), links[0], links[2]))
    return found


def command(page: str) -> list[str] | None:
    """What the page says to type; None where it says nothing."""
    found = re.search(r'<code id="command">(.*?)</code>', page)
    return shlex.split(unescape(found[1]))[1:] if found else None


def text_of(page: str) -> str:
    page = re.sub(r"</?bdi[^>]*>", "", page)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    folder = tmp_path_factory.mktemp("choosing")
    with running(folder, write_feeds(folder / "feeds")) as pipeline:
        pipeline.drop("replaced.csv", HEADER + row("good"))
        pipeline.wait_until_idle()
        old = {"dropmerge_dead_lettered_at": _LONG_AGO}
        ids = {
            "replaced": put(pipeline, ours(f"{_ACCOUNTS}/replaced.csv", dropmerge_feed="accounts", **old)),
            "header": put(pipeline, ours(f"{_ACCOUNTS}/header.csv", dropmerge_feed="accounts")),
            "value": put(pipeline, ours(f"{_ACCOUNTS}/BadValue.csv", "too_many_bad_rows", dropmerge_feed="accounts")),
            "elsewhere": put(pipeline, ours("incoming/nowhere/copy.csv", "no_feed")),
            "no reason": put(pipeline, ours("incoming/nowhere/none.csv", "")),
            "made up": put(pipeline, ours("incoming/nowhere/x.csv", "made_up", dropmerge_feed="unheard")),
            "merge": put(
                pipeline,
                ours(f"{_ACCOUNTS}/staged.csv", "staging_missing", dropmerge_feed="accounts"),
                MERGE_DEAD_LETTERS,
            ),
        }
        wait_for_the_table(pipeline)
        connection = replace(pipeline.connection, may_lease=False)
        app = make_app(lambda: connection, _Anybody(), lambda _: None)
        yield Waiting(pipeline, app.test_client(), ids)


CHOSEN = {
    "": {"replaced", "header", "value", "elsewhere", "no reason", "made up", "merge"},
    "name=badvalue": {"value"},
    "older=7d": {"replaced"},
    "older=30d": set[str](),
    "name=header&older=7d": set[str](),
    "reason=wrong_header": {"replaced", "header"},
    "reason=wrong_header&name=REPLACED": {"replaced"},
    "reason=-": {"no reason"},
    "feed=-": {"elsewhere", "no reason"},
    "feed=-&name=copy": {"elsewhere"},
    "feed=unheard&reason=made_up": {"made up"},
    "service=merge": {"merge"},
}
"""By the filters in the address, the letters that are meant."""


@pytest.mark.parametrize("query", CHOSEN)
def test_list_groups_and_question_mean_the_same(waiting: Waiting, query: str) -> None:
    """So do the answers for programs, and what each group leads to."""
    wanted = CHOSEN[query]
    assert waiting.listed(query) == wanted
    found: Any = waiting.client.get(f"/dead-letters.json?{query}").json
    assert {one["id"] for one in found} == {waiting.ids[word] for word in wanted}
    page = waiting.page(f"/dead-letters?{query}")
    assert sum(group.count for group in groups(page)) == len(wanted)
    of_groups: list[str] = []
    for group in groups(page):
        meant = waiting.listed(group.link.partition("?")[2])
        assert meant == waiting.asked_about(group.discard)
        assert len(meant) == group.count
        of_groups += meant
    assert sorted(of_groups) == sorted(wanted), "each letter is of one group"
    if query:
        assert waiting.asked_about(f"/dead-letters/act?kind=discard&{query}") == wanted
        letters = "1 dead letter" if len(wanted) == 1 else f"{len(wanted)} dead letters"
        assert f"{letters} of {len(CHOSEN[''])} that are waiting." in text_of(page)


@pytest.mark.parametrize("query", CHOSEN)
@pytest.mark.parametrize("kind", ["list", "replay", "discard"])
def test_the_command_means_the_same_or_is_not_shown(waiting: Waiting, kind: str, query: str) -> None:
    """A list has one where the command has its filters, a question also where the ids can be typed."""
    wanted = {waiting.ids[word] for word in CHOSEN[query]}
    if kind == "list":
        words = command(waiting.page(f"/dead-letters?{query}"))
        assert (words is None) == ("name=" in query or "=-" in query)
    elif query:
        words = command(waiting.page(f"/dead-letters/act?kind={kind}&{query}"))
        assert (words is None) == (not wanted)
    else:
        return
    if words is None or query == "feed=unheard&reason=made_up":
        return  # the command refuses a feed that no contract has
    found = Commands.of(waiting.pipeline).json(*words, *([] if kind == "list" else ["--dry-run"]))
    assert {one["id"] if kind == "list" else one for one in found} == wanted
    if kind == "replay":
        assert ("--canary" in words) == (len(wanted) > 1), "as the form has it"


def test_the_ids_of_many_are_all_typed_or_none(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = "&".join(f"id={one}" for one in waiting.ids.values())
    path = f"/dead-letters/act?kind=discard&{chosen}&service=ingest"
    meant = set(waiting.ids.values()) - {waiting.ids["merge"]}
    monkeypatch.setattr(act, "_MOST_TYPED", len(meant))
    words = command(waiting.page(path))
    assert words
    assert {one for one in words if one.isdigit()} == meant
    monkeypatch.setattr(act, "_MOST_TYPED", len(meant) - 1)
    assert command(waiting.page(path)) is None


@pytest.mark.parametrize("ended", ["", "&ended=1"])
@pytest.mark.parametrize("page", ["/dead-letters", "/dead-letters/act"])
def test_a_reason_or_a_feed_that_nothing_has_is_refused(waiting: Waiting, page: str, ended: str) -> None:
    """In words that name those that there are. What a letter has is none of them, whoever made it up."""
    refused = text_of(waiting.page(f"{page}?reason=zzz{ended}", 400))
    assert "reason is one of access_denied, " in refused
    assert "not 'zzz'" in refused
    assert "no feed 'zzz'; there are: accounts, " in text_of(waiting.page(f"{page}?feed=zzz{ended}", 404))
    assert "No dead letters like that" in waiting.page("/dead-letters?reason=empty_file")


def test_what_is_chosen_is_shown_as_chosen(waiting: Waiting) -> None:
    """Also what no contract and no release knows."""
    page = waiting.page("/dead-letters?reason=made_up&feed=unheard&older=3h")
    assert re.findall(r"<option selected>(.*?)</option>", page) == ["made_up", "unheard", "3h"]


def test_a_group_says_how_many_have_a_newer_file_that_is_merged(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of so many of the oldest as are looked at."""
    found = {group.link: group.text for group in groups(waiting.page("/dead-letters"))}
    assert {link for link, text in found.items() if "✓ safe to discard" in text} == {
        "/dead-letters?reason=wrong_header&feed=accounts&service=ingest"
    }
    assert "1 of 2 ✓ safe to discard" in found["/dead-letters?reason=wrong_header&feed=accounts&service=ingest"]
    monkeypatch.setattr(dead_letters, "_JUDGED", 1)
    (text,) = [group.text for group in groups(waiting.page("/dead-letters")) if "safe" in group.text]
    assert "1 of the oldest 1 ✓ safe to discard" in text


def test_what_failed_for_different_reasons_is_not_judged_by_one(waiting: Waiting) -> None:
    """Each reason and feed is listed with how many they are."""
    page = text_of(waiting.page("/dead-letters/act?kind=replay&feed=accounts"))
    for line in ("wrong_header · accounts: 2", "too_many_bad_rows · accounts: 1", "staging_missing · accounts: 1"):
        assert line in page
    warning = "the first one tells nothing about the others"
    assert f"these failed for 3 different reasons: {warning}" in page
    assert warning not in text_of(waiting.page("/dead-letters/act?kind=discard&feed=accounts"))
    alike = text_of(waiting.page("/dead-letters/act?kind=replay&reason=wrong_header"))
    assert warning not in alike
    assert "wrong_header · accounts" not in alike


def test_what_still_no_feed_wants_will_fail_again(waiting: Waiting) -> None:
    """Asked of the contracts of now."""
    path = f"/dead-letters/act?kind=replay&id={waiting.ids['elsewhere']}"
    warning = "no feed's pattern matches the name of 1 of these files still"
    assert warning in text_of(waiting.page(path))
    assert warning not in text_of(waiting.page(path.replace("replay", "discard")))
    connection = replace(waiting.pipeline.connection, may_lease=False)
    accounts = connection.feeds["accounts"]
    wider = accounts.model_copy(update={"objects": "incoming/nowhere/*.csv"})
    vars(connection)["feeds"] = {**connection.feeds, "accounts": wider}
    app = make_app(lambda: connection, _Anybody(), lambda _: None)
    assert warning not in text_of(app.test_client().get(path).text)


@pytest.mark.parametrize(
    ("kind", "one", "two"),
    [
        ("replay", "It goes back to the topic that it came from, as it was.", "They go back to the topics that they"),
        ("discard", "It is given up: nothing of it is merged.", "They are given up: nothing of them is merged."),
    ],
)
def test_one_letter_is_spoken_of_as_one(waiting: Waiting, kind: str, one: str, two: str) -> None:
    assert one in text_of(waiting.page(f"/dead-letters/act?kind={kind}&name=badvalue"))
    assert two in text_of(waiting.page(f"/dead-letters/act?kind={kind}&reason=wrong_header"))


def test_how_often_a_letter_was_replayed_has_one_name(waiting: Waiting) -> None:
    headings = re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", waiting.page("/dead-letters"))
    assert headings.count("replayed before") == 2
    assert not {"came back", "replays"} & set(headings)


def test_files_have_a_command_where_it_shows_the_same(waiting: Waiting) -> None:
    """It has no filter for a part of a name."""
    assert command(waiting.page("/files?feed=accounts")) == ["history", "--since", "24h", "--feed", "accounts"]
    assert command(waiting.page("/files?feed=accounts&name=good")) is None
