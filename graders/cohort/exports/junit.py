"""JUnit XML, as Jenkins, GitLab and others read it: a suite for a learner's exercise, a case for each of its laws."""

import sqlite3
from collections.abc import Iterable
from typing import TextIO
from xml.etree.ElementTree import Element, SubElement, tostring

from graders.cohort.exports.told import records_of, said_of
from graders.cohort.gradebook import MISSING, PROBLEM, WAITING, Row, Standing
from graders.cohort.harmless import xml_text
from graders.engine.record import Record

UNTRIED = ("not_started", "skipped")
NO_RECORDS = {MISSING: "There is no such file in the repository.", WAITING: "It is not graded yet."}


def write_junit(history: sqlite3.Connection, rows: Iterable[Row], out: TextIO) -> None:
    """Write the gradebook suite by suite, so that it need never be in memory as a whole."""
    out.write('<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="headstart">\n')
    for row in rows:
        for standing in row.standings:
            suite = _suite(row, standing, records_of(history, standing.exercise, standing.grading))
            out.write(tostring(suite, encoding="unicode") + "\n")
    out.write("</testsuites>\n")


def _suite(row: Row, standing: Standing, records: list[Record]) -> Element:
    statuses = [record.status for record in records] or ["error" if standing.status == PROBLEM else "skipped"]
    suite = Element("testsuite")
    _set(suite, "name", f"{row.learner.id} {standing.exercise}")
    _set(suite, "tests", str(len(statuses)))
    _set(suite, "failures", str(statuses.count("failed")))
    _set(suite, "errors", str(statuses.count("error")))
    _set(suite, "skipped", str(sum(status in UNTRIED for status in statuses)))
    _set(suite, "time", _seconds(sum(record.duration_ms for record in records)))
    properties = SubElement(suite, "properties")
    told = {"learner": row.learner.name, "isolation": standing.isolation, "points": str(standing.points or 0)}
    for name, value in told.items():
        entry = SubElement(properties, "property", name=name)
        _set(entry, "value", value)
    classname = f"{row.learner.id}.{standing.exercise}"
    for record in records:
        # Of the lead's own laws a learner is told the task and the statement alone
        case = _case(suite, f"{classname}.{record.task}", record.statement if record.is_private else record.law)
        _set(case, "time", _seconds(record.duration_ms))
        _outcome(case, record)
    if not records:
        is_problem = standing.status == PROBLEM
        said = row.problem if is_problem else NO_RECORDS.get(standing.status, standing.status)
        _set(SubElement(_case(suite, classname, "submission"), "error" if is_problem else "skipped"), "message", said)
    return suite


def _case(suite: Element, classname: str, name: str) -> Element:
    case = SubElement(suite, "testcase")
    _set(case, "classname", classname)
    _set(case, "name", name)
    return case


def _outcome(case: Element, record: Record) -> None:
    if record.status == "passed":
        return
    if record.status in UNTRIED:
        _set(SubElement(case, "skipped"), "message", said_of(record) or record.statement)
        return
    outcome = SubElement(case, "error" if record.status == "error" else "failure")
    _set(outcome, "message", record.statement)
    if record.kind and not record.is_private:
        _set(outcome, "type", record.kind)
    outcome.text = xml_text(said_of(record))


def _set(element: Element, name: str, value: str) -> None:
    element.set(name, xml_text(value))


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"
