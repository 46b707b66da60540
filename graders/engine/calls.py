"""Which tasks of its own file a learner's task calls: while one of those is wrong, its own numbers say little."""

import ast
from collections.abc import Collection

from graders.engine.worker.loading import Source


def calls_between(tasks: Collection[str], source: Source, file: str) -> dict[str, list[str]]:
    """By task: the other tasks that its code names, itself or in functions of the file that it names."""
    try:
        tree = ast.parse(source.read(file))
    # What is wrong with the file, its first law says; too many brackets take more memory than the parser is given
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return {}
    parts = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    names = {part: _read_in(node) & {*parts} for part, node in parts.items()}
    return {task: [other for other in tasks if other in _reached(task, names) - {task}] for task in tasks}


def _read_in(node: ast.AST) -> set[str]:
    """The names that a function or class reads, but for those that it gives a meaning itself."""
    named = [(n.id, isinstance(n.ctx, ast.Load)) for n in ast.walk(node) if isinstance(n, ast.Name)]
    own = {name for name, is_read in named if not is_read} | {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    return {name for name, is_read in named if is_read} - own


def _reached(start: str, names: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = {start}
    while ahead:
        ahead = {name for part in ahead for name in names.get(part, ())} - reached
        reached |= ahead
    return reached
