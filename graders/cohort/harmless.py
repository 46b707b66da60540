"""Texts that strangers wrote, made harmless for the place they go to: a terminal, a table, Markdown, XML.

Names, file names, exception texts and whatever a learner's code printed are such texts.
"""

import html
import re
import unicodedata

# What makes a spreadsheet compute a cell that begins with it; some read the wide forms as well
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, formatting (bidirectional overrides), lone surrogates, ends of lines
JOINERS = "\u200c\u200d"  # formatting that some scripts cannot be written without
NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What Markdown could read as its own: a full stop, a colon or a hyphen in a sentence is none of that
MARKDOWN = re.compile(r"([\\`*_{}\[\]#+!|~$]|[.:](?=\S)|(?<=\d)[.)]|(?<!\w)-|-(?!\w))")
ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\].*?(?:\x07|\x1b\\)|[@-Z\\-_])", re.DOTALL)


def plain(text: str, most: int = 300) -> str:
    """One line without control characters, of at most `most` characters: for terminals, logs and sentences of ours."""
    seen = "".join(
        " " if unicodedata.category(sign) in UNSEEN and sign not in JOINERS else sign
        for sign in ESCAPE_SEQUENCE.sub("", text[: 4 * most])
    )
    line = " ".join(seen.split())
    return line if len(line) <= most else line[: most - 4] + " ..."


def plain_lines(text: str, most: int = 2000) -> str:
    """The same for a text of several lines."""
    lines = [plain(line, most) for line in text[:most].splitlines()]
    return "\n".join(lines)


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: one line, with an apostrophe before what would begin one."""
    line = plain(text, 1000)  # without the blanks behind which a sign could hide
    return f"'{line}" if line.startswith(FORMULA) else line


def markdown(text: str, most: int = 300) -> str:
    """One line of plain text in Markdown as GitHub reads it: no HTML, link, mention, reference or table of its own."""
    escaped = html.escape(MARKDOWN.sub(r"\\\1", plain(text, most)), quote=False)
    # GitHub looks for mentions and references when the Markdown is HTML already: a blank of no width parts them
    return escaped.replace("@", "@\u200b").replace("#", "#\u200b")


def xml_text(text: str, most: int = 4000) -> str:
    """Text without the characters that XML 1.0 has no way to write. Escaping is left to whoever writes the XML."""
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", ESCAPE_SEQUENCE.sub("", text[:most]))
