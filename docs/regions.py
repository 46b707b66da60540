"""Parts of a page that `headstart site` writes, each between two marks; what stands around them is written by hand.

Such a page is committed with its generated parts, so that it can be read without a site; a test holds each to what
would be written now.
"""


def begin(name: str) -> str:
    """The mark above a generated part."""
    return f"<!-- {name}: written by `headstart site` -->\n"


def end(name: str) -> str:
    """The mark below it."""
    return f"<!-- end of the {name} -->\n"


def with_part(page: str, name: str, content: str, file: str) -> str:
    """The text of a page whose generated part of this name says `content`; `file` is what the page is called.

    Raises `ValueError` when one of its marks is missing or stands there twice.
    """
    before, above, rest = page.partition(begin(name))
    _old, below, after = rest.partition(end(name))
    if not (above and below) or begin(name) in rest or end(name) in after:
        raise ValueError(
            f"{file} must hold {begin(name).strip()!r} once, and below it {end(name).strip()!r} once; put both there, "
            "and `headstart site` writes what stands between them"
        )
    return f"{before}{above}\n{content}\n{below}{after}"
