"""What strangers wrote does nothing in the place it goes to, and can still be read."""

import xml.etree.ElementTree as ET

import pytest

from graders.cohort.harmless import csv_cell, markdown, plain, xml_text


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "\uff1d", " =", "\x1b[0m=", "\u200b="])
def test_whatever_a_spreadsheet_would_compute_gets_an_apostrophe(sign):
    assert csv_cell(f"{sign}1+1").startswith("'")
    assert csv_cell("a=1") == "a=1"


@pytest.mark.parametrize("sign", ["\x00", "\x0b", "\ufffe", "\ud800", "\x1b"])
def test_what_xml_cannot_write_is_replaced(sign):
    element = ET.Element("a", {"b": xml_text(sign)})
    assert (
        ET.fromstring(ET.tostring(element, encoding="unicode").encode("utf-8")).get("b") == "\N{REPLACEMENT CHARACTER}"
    )


def test_markdown_escapes_do_not_change_what_is_read():
    assert markdown("a_b*c <i> & @x #1") == "a\\_b\\*c &lt;i&gt; &amp; @\u200bx \\#\u200b1"


@pytest.mark.parametrize(
    "text", ["www.evil.example", "https://evil.example", ":smile:", "1. one", "2) two", "- a", "---"]
)
def test_markdown_makes_no_link_picture_or_list_of_a_text(text):
    assert markdown(text) != text
    assert markdown(text).replace("\\", "") == text


def test_a_sentence_in_markdown_can_be_read_as_it_is():
    assert markdown("gpt: the same failure of GPT-2 (twice). Ask why.") == (
        "gpt: the same failure of GPT-2 (twice). Ask why."
    )


def test_plain_text_is_one_line_without_anything_unseen():
    assert plain("a\x1b[31mb\x1b]0;title\x07c\u202ed\ne\x9bf") == "abc d e f"
    assert plain("क्\u200dष") == "क्\u200dष"
    assert plain("x" * 400) == "x" * 296 + " ..."
