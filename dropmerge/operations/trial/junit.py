"""Outcomes of cases as JUnit XML, which CI systems show (https://github.com/testmoapp/junitxml describes it)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dropmerge.operations.trial.cases import Outcome


def junit_xml(outcomes: Sequence[Outcome]) -> bytes:
    """One suite per feed, one test per case. `outcomes`: by feed."""
    root = Element("testsuites", _counts("feeds test", outcomes))
    for feed, found in groupby(outcomes, lambda one: one.case.feed.name):
        own = list(found)
        suite = SubElement(root, "testsuite", _counts(feed, own))
        for one in own:
            names = {"classname": feed, "name": one.case.folder.name, "time": f"{one.seconds:.3f}"}
            test = SubElement(suite, "testcase", {name: _allowed(text) for name, text in names.items()})
            if one.differences:
                lines = [_allowed(line) for line in one.differences]
                SubElement(test, "failure", {"message": lines[0]}).text = "\n".join(lines)
    indent(root)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def _counts(name: str, outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {
        "name": name,
        "tests": str(len(outcomes)),
        "failures": str(sum(bool(one.differences) for one in outcomes)),
        "errors": "0",
        "time": f"{sum(one.seconds for one in outcomes):.3f}",
    }


def _allowed(text: str) -> str:
    """XML has no control characters (https://www.w3.org/TR/xml/#charsets), nor half a surrogate pair."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
