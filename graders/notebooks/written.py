"""What a learner wrote in a notebook, as the text of a file.

The cells that were run, in the order in which they were, say what there is; of what was run twice, the last counts.
Kept is what the exercise's own names are made of: imports, functions, classes, assignments, and those that they use in
turn. Calls, plots and trials, and what only they use, are not. Behind it all stands the stub: what was not run yet
reads "not started", and no order of running is wrong.
"""

import ast
import re
import symtable
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

STUB = 0  # the number of the cell that stands for the stub
ANY = "*"  # begins what an import of everything binds: there is no telling who uses it
COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")  # scopes that are run where they stand


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement at the top level of a cell, and the names that it has to do with."""

    lines: tuple[str, ...]
    cell: int
    line: int  # of the cell, in which it begins
    binds: frozenset[str]  # gives these a meaning
    changes: frozenset[str]  # changes what these mean already: `TABLE[0] = 1`
    at_once: frozenset[str]  # reads these when it is run
    uses: frozenset[str]  # these, and those that the functions in it read when they are called

    @property
    def touches(self) -> frozenset[str]:
        return self.binds | self.changes


@dataclass(frozen=True)
class Written:
    """A file's text; for each of its lines, which cell and which line of it that was; what could not be read."""

    text: str
    origins: Sequence[tuple[int, int]]
    not_run: Sequence[str]  # of the names that were asked for, those that are still the stub's
    unreadable: Sequence[str]  # one line about each cell that holds the newest text of a name and is no Python


def written(cells: Mapping[int, str], stub: str, tasks: Sequence[str]) -> Written:
    """The file that cells come to: those that were run, in that order, by the number that the notebook shows."""
    statements, unreadable = list(_statements(stub, STUB)), {}
    names = frozenset[str]().union(*(statement.binds for statement in statements))
    for number, text in cells.items():
        try:
            found = list(_statements(text, number))
        except SyntaxError as error:  # the notebook said so when the cell was run, and went on with what it had
            for name in re.findall(r"^(?:def|class) (\w+)", text, re.MULTILINE):
                unreadable[name] = (number, error)
            continue
        statements += found
        for name in frozenset[str]().union(*(statement.binds for statement in found)):
            unreadable.pop(name, None)
    kept = _needed(_standing(statements), names)
    lines = stub.split("\n")[: ast.parse(stub).body[0].end_lineno]  # its docstring
    origins = [(STUB, i) for i in range(1, len(lines) + 1)]
    previous, bottom = STUB, len(lines)
    above = 1
    for statement in _in_order(kept):
        if statement.cell == previous:
            above = min(max(statement.line - 1 - bottom, 0), 2)  # blank lines, as there were
        lines += [""] * above + [*statement.lines]
        origins += [(statement.cell, statement.line + i) for i in range(-above, len(statement.lines))]
        previous, bottom, above = statement.cell, statement.line + len(statement.lines) - 1, 2
    from_stub = frozenset[str]().union(*(statement.binds for statement in kept if statement.cell == STUB))
    told = [
        f"In [{number}], with the newest {name}, is no Python yet ({error.msg}, line {error.lineno}), and was left out."
        for name, (number, error) in unreadable.items()
        if name in names
    ]
    return Written("\n".join(lines) + "\n", origins, [task for task in tasks if task in from_stub], told)


def _statements(text: str, number: int) -> Iterator[Statement]:
    """The statements of a cell that give names a meaning. Raises `SyntaxError` for a cell that is no Python."""
    compile(text, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    lines, done = text.split("\n"), 0  # as Python counts them, whatever stands in a string
    nodes = ast.parse(text).body
    for node, following in zip_longest(nodes, nodes[1:]):
        begin = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
        end = node.end_lineno or node.lineno
        binds, changes = _meanings(node)
        if begin == done or (following and following.lineno == end):  # `a = 1; b = 2`
            source = (ast.get_source_segment(text, node) or "").split("\n")
        else:
            while begin - 1 > done and lines[begin - 2].startswith("#"):
                begin -= 1  # the comment above it is its own
            source = lines[begin - 1 : end]
        if binds or changes:
            table = symtable.symtable("\n".join(source), "<cell>", "exec")
            read = dict[str, bool](sorted(_names_read(table, is_at_once=True), key=lambda named: named[1]))
            at_once = changes.union(name for name, is_at_once in read.items() if is_at_once)
            yield Statement(tuple(source), number, begin, binds, changes, at_once, at_once.union(read))
        done = end


def _meanings(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a statement binds, and those whose values it changes."""
    binds: set[str] = set()
    changes: set[str] = set()
    left: list[ast.AST] = [node]
    while left:
        inner = left.pop()
        match inner:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                binds.add(inner.name)
                continue  # names inside are its own
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                continue
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                binds.add(f"{ANY} of {inner.module}")
                continue
            case ast.alias():
                binds.add(inner.asname or inner.name.partition(".")[0])
            case ast.Name(ctx=ast.Store()):
                binds.add(inner.id)
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                changes |= {part.id for part in ast.walk(inner.value) if isinstance(part, ast.Name)}
            case ast.AugAssign(target=ast.Name(id=name)):
                changes.add(name)  # it reads what was there, so it does not stand in for it
                left.append(inner.value)
                continue
        left += ast.iter_child_nodes(inner)
    return frozenset(binds), frozenset(changes)


def _names_read(table: symtable.SymbolTable, is_at_once: bool) -> Iterator[tuple[str, bool]]:
    """The names that a statement takes from around it, and whether it needs them when it is run."""
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global()):
            yield symbol.get_name(), is_at_once
    for inner in table.get_children():
        is_run = inner.get_type() == "class" or inner.get_name() in COMPREHENSIONS
        yield from _names_read(inner, is_at_once and is_run)


def _standing(statements: Sequence[Statement]) -> list[Statement]:
    """The statements without those of which a later one takes the place."""
    left: list[Statement] = []
    replaced: set[str] = set()  # names that a later statement gives a meaning of its own
    for statement in reversed(statements):
        if statement.touches <= replaced:
            continue
        left.append(statement)
        replaced |= statement.binds
        replaced -= statement.touches & statement.at_once  # `f = cache(f)` needs the `f` before it
    return left[::-1]


def _needed(statements: Sequence[Statement], names: frozenset[str]) -> list[Statement]:
    """The statements that names are made of."""
    kept: set[Statement] = set()
    while found := [s for s in statements if s not in kept and (s.touches & names or min(s.touches).startswith(ANY))]:
        kept |= set(found)
        names = names.union(*(statement.uses for statement in found))
    return [statement for statement in statements if statement in kept]


def _in_order(statements: Sequence[Statement]) -> list[Statement]:
    """The statements as they were run, but each after what it reads: an import that was run again last comes first."""
    ordered: dict[Statement, None] = {}
    seen: set[Statement] = set()

    def add(statement: Statement) -> None:
        if statement in seen:
            return
        seen.add(statement)
        place = statements.index(statement)
        for name in statement.at_once:
            earlier = [s for s in statements[:place] if name in s.touches]
            for needed in earlier or [s for s in statements[place + 1 :] if name in s.binds]:
                add(needed)
        ordered[statement] = None

    for statement in statements:
        add(statement)
    return list(ordered)
