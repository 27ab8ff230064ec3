"""The page as a WSGI application: who may ask, which address is which page, and how errors look."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from flask import Flask, Response, g, redirect, render_template, request
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter
from werkzeug.wrappers import Response as WerkzeugResponse

from dropmerge.operations.connection import Connection
from dropmerge.operations.describe_error import describe_error
from dropmerge.operations.errors import NotDone, UsageError
from dropmerge.operations.no_answer import NoAnswer
from dropmerge.page import filters
from dropmerge.page.access import Access, Person, Refused
from dropmerge.page.actions import Actions, Start
from dropmerge.page.arguments import Arguments
from dropmerge.page.forms import MAX_BYTES, Forms
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel, as_csv, as_json
from dropmerge.page.views.act import act, read_form
from dropmerge.page.views.audit import audit
from dropmerge.page.views.dead_letters import dead_letters
from dropmerge.page.views.feeds import feed, feeds
from dropmerge.page.views.file import file
from dropmerge.page.views.files import files
from dropmerge.page.views.health import health, release
from dropmerge.page.views.letter import letter
from dropmerge.page.views.operations import operation, operations
from dropmerge.page.views.overview import overview
from dropmerge.page.views.rejected import rejected
from dropmerge.page.views.rows import KEY, rows

View = Callable[[Site, Arguments], ViewModel]

VIEWS: dict[str, View] = {
    "/overview": overview,
    "/files": files,
    "/file": file,
    "/dead-letters": dead_letters,
    "/dead-letters/act": act,
    "/dead-letters/<word:id>": letter,
    "/rejected": rejected,
    "/rows": rows,
    "/feeds": feeds,
    "/feeds/<word:name>": feed,
    "/operations": operations,
    "/operations/<word:id>": operation,
    "/audit": audit,
    "/health": health,
}
"""By address; with .json or .csv behind it the same for machines."""

SECTIONS = (
    ("/overview", "Overview"),
    ("/files", "Files"),
    ("/dead-letters", "Dead letters"),
    ("/rejected", "Rejected"),
    ("/rows", "Rows"),
    ("/feeds", "Feeds"),
    ("/operations", "Operations"),
    ("/audit", "Audit"),
    ("/health", "Health"),
)

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class _Word(BaseConverter):
    """A name or an id: what follows a dot is the form of the answer."""

    regex = r"[\w-]+"


def make_app(connect: Callable[[], Connection], access: Access, start: Start) -> Flask:
    """`connect`: the connection of now; the same one again, unless it leads elsewhere by now. `start`: starts whoever
    carries out an operation."""
    app = Flask(__name__)
    app.url_map.converters["word"] = _Word
    app.config.update(MAX_CONTENT_LENGTH=MAX_BYTES, MAX_FORM_MEMORY_SIZE=MAX_BYTES)
    site, forms, actions = Site(connect), Forms(), Actions(connect, start)
    filters.register(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(partial(_let_in, access))
    app.after_request(_harden)
    app.register_error_handler(Exception, _error)
    app.context_processor(partial(_of_every_page, site, forms))
    app.add_url_rule("/", "home", lambda: redirect("/overview"))
    for rule, view in VIEWS.items():
        for form in ("", ".json", ".csv"):
            app.add_url_rule(
                f"{rule}{form}", f"{view.__name__}{form}".replace(".", "_"), partial(_show, site, view, form)
            )
    app.add_url_rule("/operations", "begin", partial(_begin, site, forms, actions), methods=["POST"])
    app.add_url_rule(
        "/operations/<word:id>/cancel", "cancel", partial(_cancel, site, forms, actions), methods=["POST"]
    )
    for rule, view in (("/rejected", rejected), ("/rows", rows)):
        for form in ("", ".json", ".csv"):
            posted = partial(_show_posted, site, forms, actions, view, form)
            name = f"posted_{view.__name__}{form}".replace(".", "_")
            app.add_url_rule(f"{rule}{form}", name, posted, methods=["POST"])
    if hasattr(access, "enter"):
        app.add_url_rule("/enter", "enter", lambda: access.enter(request))
    return app


def _of_every_page(site: Site, forms: Forms) -> dict[str, Any]:
    person: Person | None = g.get("person")
    return {
        "sections": SECTIONS,
        "person": person,
        "csrf": forms.token(person) if person else "",
        "letters": site.known_letters(),
        "release": release(),
    }


def _begin(site: Site, forms: Forms, actions: Actions) -> WerkzeugResponse:
    """Begin what a form asks for, and lead to how it goes. A form that cannot be taken is shown again, with why."""
    forms.require_operator(request, g.person)
    try:
        action = read_form(request.form, g.person.name)
        actions.begin(action)
    except UsageError as error:
        form = request.form
        ids = [("id", one) for one in form.get("ids", "").split(",")]
        given = [(name, form.get(name, "")) for name in ("kind", "why")]
        words: MultiDict[str, str] = MultiDict([*given, ("refused", str(error)), *ids])
        return _page(site, replace(act(site, Arguments(words)), status=422))
    site.cache.forget()
    return redirect(f"/operations/{action.id}", 303)


def _cancel(site: Site, forms: Forms, actions: Actions, id: str) -> WerkzeugResponse:
    forms.require_operator(request, g.person)
    operation(site, Arguments(MultiDict({"id": id})))  # that it is there
    actions.cancel(id, g.person.name)
    site.cache.forget()
    return redirect(f"/operations/{id}", 303)


def _show_posted(site: Site, forms: Forms, actions: Actions, view: View, form: str) -> Response:
    """A page that a form asks for: with a key, which is not for an address, or with the values of its rows, which are
    shown once it is recorded who asked."""
    has_values = bool(request.form.get("values"))
    if has_values:
        forms.require_operator(request, g.person)
        if not actions.record_values_shown(g.person.name, view.__name__):
            raise NotDone("the journal cannot be written, and without a record no values are shown; try again")
    else:
        forms.require(request, g.person)
    shown = view(site, Arguments(CombinedMultiDict([request.form, request.args]), has_values))
    return _answer(site, replace(shown, every=0), view, form)


def _let_in(access: Access) -> None:
    # Also for the style sheet and the scripts, which are no secret: so no rule has an exception.
    if request.endpoint != "enter":
        g.person = access.person(request)


def _show(site: Site, view: View, form: str, **path: str) -> Response:
    words: MultiDict[str, str] = MultiDict(request.args)
    words.update(path)
    if not site.is_local and any(word.startswith(KEY) for word in words):
        raise UsageError("a key is a value of a row, and the service's log has each address: type it into the form")
    return _answer(site, view(site, Arguments(words)), view, form)


def _answer(site: Site, shown: ViewModel, view: View, form: str) -> Response:
    if form == ".json":
        return as_json(shown)
    if form == ".csv":
        return as_csv(shown, view.__name__)
    return _page(site, shown)


def _page(site: Site, shown: ViewModel) -> Response:
    """All of it, or, for the script that asks for newer figures, the part that has these."""
    is_part = "HX-Request" in request.headers
    layout = "part.html" if is_part else "page.html"
    body = render_template(
        shown.template,
        layout=layout,
        shown=shown,
        project=site.connect().project,
        here=request.path,
        address=request.full_path.rstrip("?"),
        query=request.query_string.decode(),
        is_posted=request.method == "POST",
        **shown.values,
    )
    response = Response(body, shown.status)
    if is_part:
        # Without what the reader's own clock changes.
        response.set_etag(_digest(re.sub(r"(<time[^>]*>)[^<]*", r"\1", body)))
        response.make_conditional(request)
    return response


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:32]


def _harden(response: Response) -> Response:
    response.headers.update(_HEADERS)
    is_static = request.endpoint == "static" and response.status_code in (200, 304)
    response.headers["Cache-Control"] = "public, max-age=3600" if is_static else "no-store"
    if is_static:
        _compress(response)
    return response


def _compress(response: Response) -> None:
    """Scripts and styles, a third of the bytes. Not the pages: what is secret there, such as a form's token, could be
    guessed from how well it compresses beside what somebody else has put into the address."""
    response.vary.add("Accept-Encoding")
    if response.status_code == 200 and request.accept_encodings["gzip"]:
        response.direct_passthrough = False
        response.set_data(gzip.compress(response.get_data(), mtime=0))
        response.headers["Content-Encoding"] = "gzip"


def _error(error: Exception) -> Response:
    """In words, with what to do; as JSON where JSON was asked for."""
    status, words = _status_of(error), describe_error(error)
    if isinstance(error, Refused | HTTPException):
        words = str(error) if isinstance(error, Refused) else (error.description or error.name)
    if words is None:
        structlog.get_logger().error("page failed", path=request.path, exc_info=error)
        words = "Something went wrong that should not: the console's log has it."
    if request.path.endswith((".json", ".csv")):
        return _as_json_error(status, words)
    title = {400: "That cannot be asked", 403: "No entry", 404: "Not found", 503: "No answer"}.get(status, "It failed")
    body = render_template(
        "error.html",
        layout="page.html",
        title=title,
        lines=words.splitlines(),
        status=status,
        shown=None,
        here=request.path,
        address=request.full_path.rstrip("?"),
        project="",
    )
    return Response(body, status)


def _as_json_error(status: int, words: str) -> Response:
    return Response(json.dumps({"error": words}), status, mimetype="application/json")


def _status_of(error: Exception) -> int:
    if isinstance(error, Refused):
        return error.status
    if isinstance(error, HTTPException):
        return error.code or 500
    if isinstance(error, UsageError):
        return 404 if str(error).startswith("no ") else 400
    if isinstance(error, NotDone):
        return 409
    return 503 if isinstance(error, NoAnswer) or describe_error(error) else 500
