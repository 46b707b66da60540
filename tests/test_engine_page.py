"""The page on the engine's API has every name that graders use, and says of each what its docstring says."""

import ast
import inspect
import re

import markdown
import pytest

from docs import engine_api
from graders.engine.course import ROOT
from graders.engine.script import Teller
from graders.engine.space import Case
from graders.engine.subject import Subject

PAGE = ROOT / "docs" / "engine.md"
GRADERS = ROOT / "graders"
AUTHORS_FILES = [
    *GRADERS.glob("test_*.py"),
    *(file for name in ("cases", "misconceptions", "variants", "skeleton") for file in (GRADERS / name).glob("*.py")),
]
TREES = [ast.parse(file.read_text(encoding="utf-8")) for file in AUTHORS_FILES]
# A name for a type, a module, and what is the index's own
NO_API = {"Story", "probes", "Course", "Exercise", "Session", "AFTERWARDS"}


def used_names() -> set[str]:
    """What graders import of the engine."""
    imports = [node for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in imports if (node.module or "").startswith("graders.engine") for alias in node.names}


def used_methods(spoken: str, described: type) -> set[str]:
    """The methods of a class that graders call on what they name so: `Case.tensor`."""
    attributes = [node for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    named = {node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == spoken}
    return {f"{described.__name__}.{name}" for name in named if inspect.isfunction(vars(described).get(name))}


def test_the_page_is_what_the_docstrings_say():
    page = PAGE.read_text(encoding="utf-8")
    assert page == engine_api.with_api(page), "run headstart site"


def test_every_name_that_graders_import_is_described():
    assert used_names() - engine_api.names_described() == NO_API


@pytest.mark.parametrize(("spoken", "described"), [("case", Case), ("subject", Subject), ("do", Teller)])
def test_every_method_that_graders_call_is_described(spoken, described):
    used = used_methods(spoken, described)
    assert len(used) >= 4
    assert used - engine_api.names_described() == set()


def test_no_sign_of_a_docstring_is_lost_in_markdown():
    shown = markdown.markdown(PAGE.read_text(encoding="utf-8").partition("## Laws")[2], extensions=["fenced_code"])
    assert re.findall(r"<(?:em|strong)>[^<]*", shown) == []


def test_what_has_no_docstring_is_refused():
    def helps(x):
        return x

    with pytest.raises(ValueError, match=r"has no docstring, which docs/engine\.md would show; write one"):
        engine_api.entry(helps)


def test_a_signature_is_that_of_the_source_without_self():
    assert "```\ncase.tensor(name: str, **axes: int) -> Tensor\n```" in engine_api.entry(Case)
    assert '```\nprobe("embed", W_E: Tensor)\n```' in engine_api.entry(engine_api.KINDS["embed"])
    assert "subject.gradients(task: str, *args: Any) -> dict[str, Tensor]" in engine_api.entry(Subject)
