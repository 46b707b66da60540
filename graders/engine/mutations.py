"""Small changes to a solved file, made by rule: operators, constants, axes, removed terms and calls.

Each mutation changes one place in the body of a task (never a given `__init__`). A grader that does not notice
one has a hole, or the mutation is equivalent, which its author then says, with the reason.
"""

import ast
import copy
import itertools
from collections.abc import Iterator

OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt,),
}
COMPARISONS |= {ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,)}


def mutations(text: str, tasks: list[str]) -> Iterator[tuple[str, str, str]]:
    """(task, id, text) of every mutation; the id is the changed statement before and after."""
    tree = ast.parse(text)
    for task, function in _bodies(tree, tasks):
        names = _parameter_names(function)
        for statement in [node for node in ast.walk(function) if isinstance(node, ast.stmt) and node is not function]:
            if _is_docstring(statement):
                continue
            for child in _expressions(statement):
                yield from _mutated(tree, task, statement, child, names)


def _bodies(tree: ast.Module, tasks: list[str]) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in tasks:
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and node.name in tasks:
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name != "__init__":
                    yield node.name, method


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _expressions(statement: ast.stmt) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Every expression slot of one statement, not of the statements nested in it."""
    todo: list[ast.AST] = [statement]
    while todo:
        parent = todo.pop()
        for name, value in ast.iter_fields(parent):
            items = enumerate(value) if isinstance(value, list) else [(None, value)]
            for index, item in items:
                if isinstance(item, (ast.expr, ast.keyword)) and name not in ("returns", "annotation"):
                    yield parent, name, index
                    todo.append(item)


def _mutated(tree, task, statement, slot, names) -> Iterator[tuple[str, str, str]]:
    parent, name, index = slot
    holder = getattr(parent, name)
    original = holder if index is None else holder[index]
    before = _line(statement)
    for replacement in _replacements(original, names):
        _put(parent, name, index, ast.copy_location(replacement, original))
        after = _line(statement)
        text = ast.unparse(ast.fix_missing_locations(tree))
        _put(parent, name, index, original)
        if after != before:
            yield task, f"{task}: {before}  ->  {after}", text


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def _line(statement: ast.stmt) -> str:
    return ast.unparse(statement).partition("\n")[0]


def _replacements(node: ast.AST, names: list[str]) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            for other in OPERATORS.get(type(op), ()):
                yield ast.BinOp(left, other(), right)
            yield left
            yield right
        case ast.Compare(left=left, ops=[op], comparators=comparators):
            for turned in COMPARISONS.get(type(op), ()):
                yield ast.Compare(left, [turned()], comparators)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(value * 1.01)
            yield ast.Constant(-value)
        case ast.Constant(value=str(value)):
            yield from map(ast.Constant, _mutated_specs(value))
        case ast.Call(func=ast.Attribute(value=receiver)) if not isinstance(receiver, ast.Name):
            yield receiver  # x.sqrt() becomes x
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
            for name in names:
                if name != attribute:
                    changed = copy.copy(node)
                    changed.attr = name
                    yield changed


def _mutated_specs(spec: str) -> Iterator[str]:
    """An einsum or rearrange pattern with two of its names exchanged on one side, or '-inf' turned round."""
    if spec == "-inf":
        yield "inf"
    left, arrow, right = spec.partition(" -> ")
    if arrow:
        names = right.split()
        for a, b in itertools.combinations(range(len(names)), 2):
            swapped = names.copy()
            swapped[a], swapped[b] = swapped[b], swapped[a]
            yield f"{left} -> {' '.join(swapped)}"


def _parameter_names(function: ast.FunctionDef) -> list[str]:
    """The attributes of `self` that a method reads: a slip takes one for another."""
    found = {
        node.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    return sorted(found)
