"""Shapes drawn as named axes, from the annotations in a text: `Float[Tensor, "batch q k"]` as `batch x q x k`."""

import ast
from collections.abc import Mapping, Sequence

OF = {"Float": "", "Int": " of ints", "Bool": " of bools"}  # jaxtyping's names for what a tensor holds
MAKERS = ("empty", "zeros", "ones", "randn", "full")  # of tensors, by their sizes
SIZES = ("cfg.", "self.cfg.")

Aliases = Mapping[str, ast.expr]


def drawn(annotation: ast.expr | None, aliases: Aliases) -> str:
    """An annotation as a person reads it: axes by name, with an x between them; whatever is no shape as it stands."""
    if annotation is None:
        return "anything"
    shown = _Shapes(aliases).visit(ast.parse(ast.unparse(annotation), mode="eval").body)
    text = ast.unparse(shown)
    return text.removesuffix(" | None") + ", or None" if text.endswith(" | None") else text


def aliases_in(tree: ast.Module) -> dict[str, ast.expr]:
    """The names that a file gives to annotations: `Logits = Float[Tensor, "batch d_vocab"]`."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            found |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
    return found


class _Shapes(ast.NodeTransformer):
    """Puts a name such as `batch x seq` in the place of each annotated shape."""

    def __init__(self, aliases: Aliases):
        self.aliases = aliases

    def visit_Name(self, node: ast.Name) -> ast.expr:
        alias = self.aliases.get(node.id)
        return self.visit(ast.parse(ast.unparse(alias), mode="eval").body) if alias else node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Name(node.value) if isinstance(node.value, str) else node  # the name of a class that comes later

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        kind, inside = node.value, node.slice
        if isinstance(kind, ast.Name) and kind.id in OF and isinstance(inside, ast.Tuple):
            axes = inside.elts[1]
            names = str(axes.value).split() if isinstance(axes, ast.Constant) else []
            shape = "any shape" if names == ["..."] else " x ".join(names)
            return ast.Name((shape or "a single number") + OF[kind.id])
        return self.generic_visit(node)  # type: ignore[return-value]


def given_parts(task: ast.ClassDef, aliases: Aliases) -> list[tuple[str, str]]:
    """What a class is given: its fields, and what its `__init__` makes, each with its shape or its text."""
    rows = []
    for member in task.body:
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
            rows.append((member.target.id, drawn(member.annotation, aliases)))
        if isinstance(member, ast.FunctionDef) and member.name == "__init__":
            rows += [row for line in member.body for row in _made(line, aliases)]
    return rows


def _made(line: ast.stmt, aliases: Aliases) -> Sequence[tuple[str, str]]:
    """What one line of an `__init__` keeps in `self`."""
    if isinstance(line, ast.Assign):
        target, text = line.targets[0], _text_of(line.value)
    elif isinstance(line, ast.AnnAssign):
        target, text = line.target, drawn(line.annotation, aliases)
    else:
        return ()
    kept = isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self"
    return [(target.attr, text)] if kept and isinstance(target, ast.Attribute) else ()


def _text_of(value: ast.expr) -> str:
    """`nn.Parameter(torch.zeros(cfg.n_heads, cfg.d_head))` as `n_heads x d_head`; anything else as it stands."""
    made = value.args[0] if isinstance(value, ast.Call) and _name(value.func) == "Parameter" else None
    if isinstance(made, ast.Call) and _name(made.func) in MAKERS:
        return " x ".join(_size(argument) for argument in made.args)
    return ast.unparse(value).replace("nn.", "")


def _size(argument: ast.expr) -> str:
    text = ast.unparse(argument)
    for prefix in SIZES:
        text = text.replace(prefix, "")
    return text


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
