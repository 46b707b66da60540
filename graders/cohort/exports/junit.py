"""JUnit XML, as Jenkins, GitLab and others read it: a suite for a learner's exercise, a case for each of its laws."""

import sqlite3
from collections.abc import Iterable
from typing import TextIO
from xml.sax.saxutils import XMLGenerator

from graders.cohort.exports.told import records_of, said_of
from graders.cohort.gradebook import MISSING, PROBLEM, WAITING, Row, Standing
from graders.cohort.harmless import xml_text
from graders.engine.record import Record

UNTRIED = ("not_started", "skipped")
NO_RECORDS = {MISSING: "There is no such file in the repository.", WAITING: "It is not graded yet."}


def write_junit(history: sqlite3.Connection, rows: Iterable[Row], out: TextIO) -> None:
    """Write the gradebook, learner by learner, so that it need never be in memory as a whole."""
    xml = XMLGenerator(out, "utf-8", short_empty_elements=True)
    xml.startDocument()
    xml.startElement("testsuites", {"name": "headstart"})
    for row in rows:
        for standing in row.standings:
            _suite(xml, row, standing, records_of(history, standing.exercise, standing.grading))
    xml.endElement("testsuites")
    out.write("\n")


def _suite(xml: XMLGenerator, row: Row, standing: Standing, records: list[Record]) -> None:
    statuses = [record.status for record in records] or ["error" if standing.status == PROBLEM else "skipped"]
    counts = {
        "tests": len(statuses),
        "failures": statuses.count("failed"),
        "errors": statuses.count("error"),
        "skipped": sum(status in UNTRIED for status in statuses),
    }
    suite = {
        "name": f"{row.learner.id} {standing.exercise}",
        "time": _seconds(sum(record.duration_ms for record in records)),
        **{name: str(n) for name, n in counts.items()},
    }
    classname = f"{row.learner.id}.{standing.exercise}"
    xml.startElement("testsuite", _safe(suite))
    properties = {"learner": row.learner.name, "isolation": standing.isolation, "points": str(standing.points or 0)}
    _element(xml, "properties", {}, [("property", {"name": n, "value": value}, "") for n, value in properties.items()])
    for record in records:
        attributes = {
            "classname": f"{classname}.{record.task}",
            "name": record.law,
            "time": _seconds(record.duration_ms),
        }
        _element(xml, "testcase", attributes, _outcome(record))
    if not records:
        said = row.problem if standing.status == PROBLEM else NO_RECORDS.get(standing.status, standing.status)
        kind = "error" if standing.status == PROBLEM else "skipped"
        _element(xml, "testcase", {"classname": classname, "name": "submission"}, [(kind, {"message": said}, "")])
    xml.endElement("testsuite")


def _outcome(record: Record) -> list[tuple[str, dict[str, str], str]]:
    if record.status == "passed":
        return []
    if record.status in UNTRIED:
        return [("skipped", {"message": said_of(record) or record.statement}, "")]
    attributes = {"message": record.statement}
    if record.kind and not record.is_private:
        attributes["type"] = record.kind
    return [("error" if record.status == "error" else "failure", attributes, said_of(record))]


def _element(
    xml: XMLGenerator, name: str, attributes: dict[str, str], inside: list[tuple[str, dict[str, str], str]]
) -> None:
    xml.startElement(name, _safe(attributes))
    for child, of_child, text in inside:
        xml.startElement(child, _safe(of_child))
        xml.characters(xml_text(text))
        xml.endElement(child)
    xml.endElement(name)


def _safe(attributes: dict[str, str]) -> dict[str, str]:
    return {name: xml_text(value) for name, value in attributes.items()}


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"
