"""Forged and foreign requests change nothing; names and errors of others are text; bad arguments have a sentence."""

from __future__ import annotations

import csv
import http.client
import io
import json
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

import psutil
import pytest
import requests
from playwright.sync_api import Browser

from dropmerge.operations.loads.find_file import find_file
from dropmerge.page.app import VIEWS
from dropmerge.page.forms import MAX_BYTES, READ_ONLY
from tests.harness.browser import WatchedPage, open_page
from tests.harness.cloud import running
from tests.harness.console import Console, console
from tests.harness.dead_letters import HOSTILE, ours, put, wait_for_the_table
from tests.harness.feeds import write_feeds_of_folders
from tests.harness.page_forms import form_of
from tests.harness.pipeline import HEADER, Pipeline, row

_SCRIPT = "<script>window.ran=1</script>"
_EVENT = '"onmouseover="window.ran=1" autofocus onfocus="window.ran=1'
_IMAGE = "'><img src=x onerror=window.ran=1>"
NAMES = {
    "a script": f"{_SCRIPT}.csv",
    "an attribute": f"{_EVENT}.csv",
    "an image": f"{_IMAGE}.csv",
    "an address": "javascript:window.ran=1",
    "a template": "{{7*7}}{% raw %}.csv",
    "turned around": "\N{RIGHT-TO-LEFT OVERRIDE}vsc.exe\N{LEFT-TO-RIGHT MARK}",
    "control characters": "tab\there\x07\x1b[31m.csv",
    "a formula": '=1+1+cmd|" /C calc"!A0',
    "a thousand bytes": "/".join(["x" * 191] * 5),
    "an entity": "&lt;b&gt;&amp;#60;",
    "a query": "a?b=c&d=e%00%2F+#1",
}
"""What an object may be called behind its folder."""
OF_LETTERS = {**NAMES, "NUL": "nul\0in it", "one word of a thousand bytes": "x" * 960}
"""What anybody who may publish can write. Files have no such names here: a local bucket's are those of a folder."""


@dataclass(frozen=True)
class Hostile:
    pipeline: Pipeline
    console: Console
    session: requests.Session
    files: Mapping[str, str]
    """By the kind of its name, gs://bucket/object#generation of a file that was merged."""
    letters: Mapping[str, str]
    """By the kind of its name, the id of a dead letter, in whose every field that is text it is."""

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.console.base + path, timeout=120)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    folder = tmp_path_factory.mktemp("hostile")
    with running(folder, write_feeds_of_folders(folder / "feeds")) as pipeline:
        files = {kind: pipeline.drop(name, HEADER + row(kind)) for kind, name in NAMES.items()}
        pipeline.drop(f"{_SCRIPT}-some.csv", HEADER + row("good") + row("bad", _SCRIPT) + row("e", "=1+1"), "tolerant")
        letters = {kind: put(pipeline, _letter(name)) for kind, name in OF_LETTERS.items()}
        for service, data, attributes in HOSTILE:
            put(pipeline, attributes, f"{service}-dead-letter", data)
        pipeline.wait_until_idle()
        wait_for_the_table(pipeline)
        with console(pipeline) as page:
            yield Hostile(pipeline, page, page.session(), files, letters)


def _letter(name: str) -> dict[str, str]:
    short = name[:100]
    return ours(
        f"incoming/accounts/{name}"[:1000],
        reason=short,
        dropmerge_error=f"{name[:400]}\n{name}"[:1000],
        dropmerge_feed=short,
        dropmerge_contract=short,
        dropmerge_load_id=short,
        k=name,
    )


# What others' pages and programs send.


def _waiting(hostile: Hostile) -> int:
    found = hostile.get("/dead-letters.json").json()
    assert isinstance(found, list)
    return len(found)


def _journal(hostile: Hostile) -> int:
    return int(hostile.pipeline.connection.rows("SELECT COUNT(*) AS n FROM `ops.journal`")[0]["n"])


@pytest.fixture
def unchanged(hostile: Hostile) -> Iterator[None]:
    """What was waiting waits, and nobody has recorded anything."""
    before = _waiting(hostile), _journal(hostile)
    yield
    assert (_waiting(hostile), _journal(hostile)) == before


FORGED: dict[str, tuple[dict[str, str | None], dict[str, str | None], int]] = {
    "no cookie": ({"Cookie": None}, {}, 403),
    "a cookie of another token": ({"Cookie": "dropmerge-{port}=" + "x" * 32}, {}, 403),
    "an empty cookie": ({"Cookie": "dropmerge-{port}="}, {}, 403),
    "a cookie of another port": ({"Cookie": "dropmerge-1={token}"}, {}, 403),
    "a name that was made to mean this machine": ({"Host": "evil.example:{port}"}, {}, 403),
    "another port's name": ({"Host": "127.0.0.1:1"}, {}, 403),
    "no port in the name": ({"Host": "127.0.0.1"}, {}, 403),
    "another site": ({"Origin": "http://evil.example"}, {}, 403),
    "another port of this machine": ({"Origin": "http://127.0.0.1:1"}, {}, 403),
    "a name that only begins as ours": ({"Origin": "{base}.evil.example"}, {}, 403),
    "a page of no site": ({"Origin": "null"}, {}, 403),
    "no origin": ({"Origin": None}, {}, 403),
    "a browser that says cross-site": ({"Sec-Fetch-Site": "cross-site"}, {}, 403),
    "a browser that says same-site": ({"Sec-Fetch-Site": "same-site"}, {}, 403),
    "no form token": ({}, {"csrf": None}, 403),
    "an empty form token": ({}, {"csrf": ""}, 403),
    "another form token": ({}, {"csrf": "0" * 64}, 403),
    "a form token that is no text": ({}, {"csrf": "é\udcff"}, 403),
    "too large a form": ({}, {"why": "x" * MAX_BYTES}, 413),
}
"""Headers and fields that replace those of a good form, left out where they are None; the status."""


@pytest.mark.parametrize("how", FORGED)
@pytest.mark.parametrize("target", ["act", "cancel", "values"])
@pytest.mark.usefixtures("unchanged")
def test_a_forged_form_changes_nothing(hostile: Hostile, how: str, target: str) -> None:
    """Whatever it is that a person's form would change or show."""
    headers, fields, status = FORGED[how]
    if target == "act":
        form = form_of(
            hostile.console, hostile.session, f"/dead-letters/act?kind=discard&id={hostile.letters['a script']}"
        )
        path, sent = form.action, {**form.fields, "why": "forged"}
    else:
        csrf = form_of(hostile.console, hostile.session, "/rejected").fields["csrf"]
        path = "/rejected" if target == "values" else f"/operations/{'0' * 12}/cancel"
        sent = {"csrf": csrf, "values": "1"}
    given = _given(hostile, headers)
    answer = _post(hostile, path, {**sent, **fields}, given)
    assert answer.status == status
    body = answer.read().decode()
    assert "Traceback" not in body
    assert _SCRIPT not in body
    _check_headers(dict(answer.headers.items()))


def test_a_huge_body_is_refused_before_it_is_read(hostile: Hostile) -> None:
    """Of somebody who is not known yet, too."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(hostile.console.base).port or 0, timeout=30)
    connection.putrequest("POST", "/operations")
    connection.putheader("Content-Length", str(10 * MAX_BYTES))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert answer.getheader("Server") is None
    connection.close()


def _given(hostile: Hostile, headers: Mapping[str, str | None]) -> dict[str, str]:
    base = urlsplit(hostile.console.base)
    token = hostile.console.address.partition("token=")[2]
    good: dict[str, str | None] = {
        "Host": base.netloc,
        "Origin": hostile.console.base,
        "Sec-Fetch-Site": "same-origin",
        "Cookie": f"dropmerge-{base.port}={token}",
    }
    words = {"port": str(base.port), "base": hostile.console.base, "token": token}
    return {name: value.format(**words) for name, value in {**good, **headers}.items() if value is not None}


def _post(
    hostile: Hostile, path: str, fields: Mapping[str, str | None], headers: Mapping[str, str]
) -> http.client.HTTPResponse:
    """As it is: no library adds a header, or corrects one."""
    base = urlsplit(hostile.console.base)
    connection = http.client.HTTPConnection(str(base.hostname), base.port, timeout=60)
    body = urlencode({name: value for name, value in fields.items() if value is not None}, errors="surrogateescape")
    connection.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
    for name, value in {**headers, "Content-Type": "application/x-www-form-urlencoded"}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body.encode())
    return connection.getresponse()


def test_the_form_that_the_forged_ones_are_made_of_is_good(hostile: Hostile) -> None:
    """But for what was replaced, they would have been taken: this one's values are shown."""
    csrf = form_of(hostile.console, hostile.session, "/rejected").fields["csrf"]
    before = _journal(hostile)
    answer = _post(hostile, "/rejected", {"csrf": csrf, "values": "1"}, _given(hostile, {}))
    assert answer.status == 200
    assert b"It is recorded that you asked for the values." in answer.read()
    assert _journal(hostile) == before + 1


@pytest.mark.usefixtures("unchanged")
def test_a_viewer_changes_nothing(hostile: Hostile) -> None:
    """With the token of the viewer's own pages; there is no button either."""
    letter = hostile.letters["a script"]
    with console(hostile.pipeline, "--read-only") as viewers:
        session = viewers.session()
        token = {"csrf": form_of(viewers, session, "/rows").fields["csrf"]}
        for path, sent in (
            ("/operations", {**token, "key": "0" * 12, "kind": "discard", "ids": letter, "why": "may I"}),
            ("/rejected", {**token, "values": "1"}),
            (f"/operations/{'0' * 12}/cancel", token),
        ):
            answer = session.post(viewers.base + path, sent, headers={"Origin": viewers.base}, timeout=60)
            assert (answer.status_code, "read-only" in answer.text) == (403, True)
        for path in ("/overview", "/dead-letters", f"/dead-letters/{letter}", "/rejected"):
            page = session.get(viewers.base + path, timeout=60).text
            assert ('method="post"' in page, "/dead-letters/act" in page) == (False, False)
        page = session.get(f"{viewers.base}/dead-letters/act?kind=discard&id={letter}", timeout=60).text
        assert ('method="post"' in page, READ_ONLY in page) == (False, True)


@pytest.mark.parametrize(
    "path", ["/overview", "/files.json", "/dead-letters.csv", "/static/page.js", "/no/such", "/enter"]
)
def test_who_has_no_token_sees_nothing(hostile: Hostile, path: str) -> None:
    """Nor whoever has one of an earlier run."""
    for query in ("", "?token=", f"?token={'x' * 32}", "?token=%ff%00"):
        answer = requests.get(hostile.console.base + path + query, timeout=60, allow_redirects=False)
        assert answer.status_code == 403
        assert "incoming" not in answer.text
        assert "Set-Cookie" not in answer.headers
        _check_headers(answer.headers)


@pytest.mark.usefixtures("unchanged")
def test_headers_that_anybody_can_write_let_nobody_in(hostile: Hostile) -> None:
    """Google's proxy would have written them; here, nobody has checked them."""
    claims = {
        "x-goog-authenticated-user-email": "accounts.google.com:ada@example.com",
        "x-goog-authenticated-user-id": "accounts.google.com:1",
        "x-goog-iap-jwt-assertion": "e30.e30.e30",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": "127.0.0.1",
    }
    assert requests.get(f"{hostile.console.base}/overview", headers=claims, timeout=60).status_code == 403
    text = hostile.session.get(f"{hostile.console.base}/overview", headers=claims, timeout=60).text
    assert "ada@example.com" not in text
    assert "evil.example" not in text


def test_the_port_is_open_on_this_machine_only(hostile: Hostile) -> None:
    """On each other address that the machine has, it refuses."""
    port = int(urlsplit(hostile.console.base).port or 0)
    own = {one.address for found in psutil.net_if_addrs().values() for one in found if one.family == socket.AF_INET}
    others = own - {"127.0.0.1"} | {"127.0.0.2"}
    for address in others:
        with pytest.raises(ConnectionRefusedError), socket.create_connection((address, port), timeout=10):
            pass
    listens = [tuple(one.laddr) for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    assert [address for address, its_port in listens if its_port == port] == ["127.0.0.1"]


@pytest.mark.parametrize(
    "path",
    ["/", "/overview", "/files.json", "/files.csv", "/no/such", "/files?since=1w", "/static/page.css",
     "/static/vendor/htmx.js", "/static/no-such.js", "/static/../app.py"],
)  # fmt: skip
def test_every_answer_has_the_headers_that_protect_it(hostile: Hostile, path: str) -> None:
    answer = hostile.session.get(hostile.console.base + path, timeout=60, allow_redirects=False)
    _check_headers(answer.headers, may_be_kept=path.startswith("/static/") and answer.status_code == 200)


def _check_headers(headers: Mapping[str, str], *, may_be_kept: bool = False) -> None:
    policy = {part.split()[0]: part.split()[1:] for part in headers["Content-Security-Policy"].split(";")}
    assert policy["default-src"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == ("public, max-age=3600" if may_be_kept else "no-store")
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "POST"])
@pytest.mark.usefixtures("unchanged")
def test_pages_are_only_asked_for(hostile: Hostile, method: str) -> None:
    answer = hostile.session.request(method, f"{hostile.console.base}/overview", timeout=60)
    assert answer.status_code == 405
    _check_headers(answer.headers)


# What others have named.

_WATCH = """
    window.violations = [];
    window.alert = window.confirm = window.prompt = () => { window.ran = "a dialog"; };
    document.addEventListener("securitypolicyviolation", (one) => {
        violations.push(`${one.violatedDirective} ${one.blockedURI}`);
    });
"""


@pytest.fixture(scope="module")
def tab(browser: Browser, hostile: Hostile) -> Iterator[WatchedPage]:
    """As wide as a telephone."""
    with open_page(browser, hostile.console.address, width=390) as watched:
        watched.page.add_init_script(_WATCH)
        yield watched


def _looks_harmless(tab: WatchedPage, url: str) -> None:
    errors, foreign = len(tab.errors()), len(tab.foreign())
    tab.page.goto(url)
    for element in tab.page.locator("main a, main td, main summary").all()[:20]:
        element.dispatch_event("mouseover")
        element.dispatch_event("focus")
    tab.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    seen = tab.page.evaluate(
        "[window.ran, window.violations, document.querySelectorAll('main script, main img, main [onfocus]').length]"
    )
    assert seen == [None, [], 0]
    assert (tab.sideways_scroll(), tab.errors()[errors:], tab.foreign()[foreign:]) == (0, [], [])
    shown = tab.page.inner_text("body")
    assert [one for one in shown if not one.isprintable() and one not in "\n\t"] == []
    assert all(one.isprintable() for one in tab.page.title())


@pytest.mark.parametrize(
    "path",
    [
        "/overview",
        "/files",
        "/dead-letters",
        "/dead-letters?feed=-",
        "/dead-letters/act?kind=replay&service=ingest",
        "/rejected",
        "/rows?feed=tolerant&key.customer_id=bad&key.account_number=a",
        "/feeds/accounts",
        "/operations",
        "/audit",
    ],
)
def test_lists_of_hostile_names_are_text(hostile: Hostile, tab: WatchedPage, path: str) -> None:
    """No script runs, nothing is asked for elsewhere, no character hides or turns the line around."""
    _looks_harmless(tab, hostile.console.base + path)
    assert tab.status == 200


@pytest.mark.parametrize("kind", NAMES)
def test_a_file_of_a_hostile_name_has_its_page(hostile: Hostile, tab: WatchedPage, kind: str) -> None:
    """The link in the list leads there, and the command that is shown names it."""
    name = NAMES[kind]
    tab.page.goto(f"{hostile.console.base}/files?name={quote(name)}&feed=accounts")
    links = tab.page.locator("#live tbody a[href^='/file']")
    assert links.count() == 1
    _looks_harmless(tab, str(links.first.evaluate("(one) => one.href")))
    assert tab.status == 200
    uri = hostile.files[kind]
    assert hostile.get(f"/file.json?name={quote(uri)}").json()["state"] == "merged"
    assert find_file(hostile.pipeline.connection, uri).name == f"incoming/accounts/{name}"


@pytest.mark.parametrize("kind", OF_LETTERS)
def test_a_letter_of_a_hostile_name_has_its_page(hostile: Hostile, tab: WatchedPage, kind: str) -> None:
    """So have its reason, its feed, its error and its attributes; what its page leads to is a page."""
    _looks_harmless(tab, f"{hostile.console.base}/dead-letters/{hostile.letters[kind]}")
    assert tab.status == 200
    links = set(tab.page.evaluate("[...document.querySelectorAll('main a')].map((one) => one.href)"))
    assert links
    assert all(link.startswith(f"{hostile.console.base}/") for link in links)


def test_each_letter_that_anybody_may_publish_has_its_page(hostile: Hostile, tab: WatchedPage) -> None:
    """Whatever its attributes are, and its bytes."""
    found = hostile.get("/dead-letters.json").json()
    assert len(found) >= len(HOSTILE) + len(hostile.letters)
    for one in found:
        if one["id"] not in hostile.letters.values():
            _looks_harmless(tab, f"{hostile.console.base}/dead-letters/{one['id']}")
            assert tab.status == 200


def test_values_of_rejected_rows_are_text(hostile: Hostile, tab: WatchedPage) -> None:
    """They come into the page when somebody asks for them."""
    tab.page.goto(f"{hostile.console.base}/rejected?feed=tolerant")
    assert tab.page.locator("#live td code").count() == 0
    tab.page.locator("#values").click()
    tab.page.wait_for_load_state()
    codes = tab.page.locator("#live td code").all_inner_texts()
    assert {_SCRIPT, "=1+1"} <= set(codes)
    assert tab.page.evaluate("[window.ran, window.violations]") == [None, []]


@pytest.mark.parametrize("path", ["/files.csv", "/dead-letters.csv", "/rejected.csv", "/audit.csv", "/overview.csv"])
def test_no_cell_is_a_formula(hostile: Hostile, path: str) -> None:
    """A spreadsheet computes nothing that others have written; the JSON has it as it is."""
    lines = list(csv.reader(io.StringIO(hostile.get(path).text)))
    assert [cell for line in lines for cell in line if re.match(r"[=+@\t\r]|-(?![0-9.]+$)", cell)] == []
    if path == "/dead-letters.csv":
        reasons = {one["reason"] for one in hostile.get("/dead-letters.json").json()}
        assert NAMES["a formula"] in reasons
        assert any(f"'{NAMES['a formula']}" in line for line in lines)


# What nobody should ask.

WORDS = {
    "/overview": ["span"],
    "/files": ["feed", "state", "since", "after"],
    "/file": ["name"],
    "/dead-letters": ["service", "older", "ended", "reason", "feed", "name"],
    "/dead-letters/act": ["kind", "service", "reason", "operation", "id", "feed", "name", "older"],
    "/dead-letters/<word:id>": ["id"],
    "/rejected": ["feed", "reason", "file"],
    "/rows": ["feed"],
    "/feeds": [],
    "/feeds/<word:name>": ["name", "span"],
    "/operations": [],
    "/operations/<word:id>": ["id"],
    "/audit": ["since"],
    "/health": [],
}
"""By the rule of its view, the parameters of which some are wrong."""
BAD = ["\0", "x" * 1025, _SCRIPT, "'; DROP TABLE x; --", "\ud800", "-1", "9" * 30, "0001-01-01T00:00:00+14:00"]


@pytest.mark.parametrize("rule", VIEWS)
def test_a_bad_argument_is_refused_in_words(hostile: Hostile, rule: str) -> None:
    """Never an error of ours, never a script, and as JSON where that was asked for; or nothing has such a name."""
    for name in WORDS[rule]:
        for bad in BAD:
            path, query = re.sub("<word:.*>", "0", rule), {name: bad}
            if f":{name}>" in rule:
                path, query = re.sub("<word:.*>", quote(bad, safe="", errors="surrogatepass"), rule), {}
            typed = urlencode(query, errors="surrogatepass")
            for form in ("", ".json", ".csv"):
                answer = hostile.get(f"{path}{form}?{typed}")
                where = f"{path}{form}?{typed}"
                assert answer.status_code in (200, 400, 404), f"{where}: {answer.status_code}"
                assert "Traceback" not in answer.text
                assert _SCRIPT not in answer.text or form
                if form and answer.status_code != 200:
                    assert answer.headers["Content-Type"] == "application/json", where
                    assert json.loads(answer.text)["error"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/overview?span=1h", 400, "span is one of 3h, 24h, 7d, 30d; not '1h'"),
        ("/files?state=done", 400, "state is one of arrived, "),
        ("/files?feed=nobody", 404, "no feed 'nobody'"),
        ("/files?since=46d", 400, "at most 45d; not '46d'"),
        ("/files?after=yesterday", 400, "after is a time such as 2026-01-31T09:00:00Z; not 'yesterday'"),
        ("/files?name=" + "x" * 2049, 400, "name is too long"),
        ("/file", 400, "name a file, such as ?name=gs://bucket/object"),
        ("/file?name=nothing.csv", 404, "no file is called 'nothing.csv'"),
        ("/dead-letters?service=cook", 400, "service is one of ingest, merge; not 'cook'"),
        ("/dead-letters?older=old", 400, "older is a number and m, h or d"),
        ("/dead-letters?reason=ugly", 400, "reason is one of access_denied, "),
        ("/dead-letters?feed=nobody", 404, "no feed 'nobody'"),
        ("/dead-letters/act?kind=discard&reason=ugly", 400, "reason is one of access_denied, "),
        ("/dead-letters/act?kind=discard&feed=nobody", 404, "no feed 'nobody'"),
        ("/dead-letters?ended=2", 400, "ended is one of 1; not '2'"),
        ("/dead-letters/12345678901", 404, "no dead letter 12345678901 is known"),
        ("/dead-letters/act", 400, "choose dead letters first"),
        ("/dead-letters/act?id=", 400, "choose dead letters first"),
        ("/dead-letters/act?all=1", 400, "choose dead letters first"),
        ("/dead-letters/act?id=12345678901", 404, "no dead letter 12345678901 is known"),
        ("/dead-letters/act?kind=discard&id=1&id=2&feed=accounts", 404, "no dead letter 1, 2 is known"),
        ("/dead-letters/act?kind=undo&id=12345678901", 404, "no dead letter 12345678901 is known"),
        ("/dead-letters/act?kind=undo&operation=0123456789ab", 404, "no operation 0123456789ab is known"),
        ("/dead-letters/act?kind=eat", 400, "kind is one of replay, discard, undo; not 'eat'"),
        ("/dead-letters/act?kind=undo", 400, "choose discarded dead letters first"),
        ("/rejected?reason=ugly", 400, "reason is one of "),
        ("/rejected?feed=nobody", 404, "no feed 'nobody'"),
        ("/rows?feed=nobody", 404, "no feed 'nobody'"),
        ("/feeds/nobody", 404, "no feed 'nobody'; there are: accounts, airports, tolerant"),
        ("/feeds/accounts?span=2y", 400, "span is one of"),
        ("/operations/0123456789ab", 404, "no operation 0123456789ab is known"),
        ("/operations/x", 404, "no operation has that id: it is 12 hexadecimal digits"),
        ("/audit?since=soon", 400, "since is a number and m, h or d"),
        ("/no/such", 404, "The requested URL was not found"),
    ],
)
def test_a_sentence_says_what_would_do(hostile: Hostile, path: str, status: int, words: str) -> None:
    """On a page as whole as others, which leads back."""
    answer = hostile.get(path)
    assert answer.status_code == status
    shown = re.sub(r"<[^>]+>", "", answer.text).replace("&#39;", "'")
    assert words in shown
    assert 'href="/overview"' in answer.text
    place, _, query = path.partition("?")
    machine = hostile.get(f"{place}.json?{query}")
    assert machine.status_code == status
    assert words in machine.json()["error"]
