"""The gate: a candidate's text is read, never executed, and refused unless all of it is known to be harmless."""

from __future__ import annotations

import ast
import contextlib

from toolkit.discovery.rejection import Rejected
from toolkit.discovery.sandbox.vocabulary import (
    ALIASES,
    ATTRIBUTES,
    BUILTINS,
    CONSTANTS,
    EXCEPTIONS,
    GIVEN,
    LINEAR_ALGEBRA,
    MATH,
    NUMPY,
)
from toolkit.syntax import parse_module

LONGEST_TEXT = 20_000
DEEPEST_LOOP = 5
DEEPEST_NESTING = 100
LONGEST_NUMBER = 40
"""Digits of a whole number that is written out."""

_NODES = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Lambda, ast.Return, ast.Pass, ast.Assert),
    *(ast.Assign, ast.AugAssign, ast.NamedExpr, ast.Delete, ast.Expr, ast.Raise),
    *(ast.For, ast.While, ast.If, ast.IfExp, ast.Break, ast.Continue, ast.Try, ast.ExceptHandler),
    *(ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.keyword, ast.Starred),
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.JoinedStr, ast.FormattedValue),
    *(ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    *(ast.comprehension, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_LOOPS = (ast.For, ast.While, ast.comprehension)
_KNOWN = BUILTINS | EXCEPTIONS | CONSTANTS | GIVEN | ALIASES.keys()


def check_text(text: str) -> ast.Module:
    """The syntax tree of a candidate's text, without the imports of NumPy and math.

    Raises
    ------
    Rejected
        with the line, what is not allowed, and what to write instead.
    """
    if len(text) > LONGEST_TEXT:
        raise Rejected(
            "not allowed", f"the text has {len(text)} characters.", fix=f"Stay below {LONGEST_TEXT}."
        )
    try:
        tree = parse_module(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f"line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise Rejected(
            "not allowed", f"this is not Python: {getattr(error, 'msg', error)}.", where=line
        ) from error
    tree.body = [statement for statement in tree.body if not _imports_what_is_there(statement)]
    _check_depth(tree)
    _check_top(tree)
    tree = ast.fix_missing_locations(_Plainer().visit(tree))
    bound = _bound_names(tree)
    for node in ast.walk(tree):
        _check_node(node, bound)
    return tree


def functions_of(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """The functions that a text defines at its top, by name."""
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _refuse(node: ast.AST, what: str, fix: str) -> Rejected:
    shown = ""
    if not isinstance(node, ast.arguments):
        with contextlib.suppress(ValueError):  # Python writes no whole number of thousands of digits.
            shown = ast.unparse(node).partition("\n")[0][:60]
    return Rejected(
        "not allowed",
        f"`{shown}`: {what}" if shown else what,
        where=f"line {getattr(node, 'lineno', '?')}",
        fix=fix,
    )


def _imports_what_is_there(node: ast.stmt) -> bool:
    known = {("numpy", "np"), ("math", None)}
    return isinstance(node, ast.Import) and all((name.name, name.asname) in known for name in node.names)


def _check_top(tree: ast.Module) -> None:
    for node in tree.body:
        constant = isinstance(node, ast.Assign) and _is_constant(node.value)
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (isinstance(node, ast.FunctionDef) or constant or text):
            raise _refuse(
                node,
                "only functions and numbers can be defined outside of functions.",
                "np and math are there; import nothing, and move everything else into a function.",
            )
    if not functions_of(tree):
        raise Rejected("not allowed", "the text defines no function.", fix="Write it with `def`.")


def _is_constant(node: ast.expr) -> bool:
    """Whether nothing is computed; what is made once would be shared by all calls, and remember them."""
    signed = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd)
    return isinstance(node.operand if signed else node, ast.Constant)


def _check_depth(tree: ast.Module) -> None:
    """Bounds on nesting, found without recursion, which a deep enough text would exhaust."""
    stack: list[tuple[ast.AST, int, int]] = [(tree, 0, 0)]
    while stack:
        node, depth, loops = stack.pop()
        loops += isinstance(node, _LOOPS)
        if depth > DEEPEST_NESTING:
            raise Rejected("not allowed", "the text is nested too deeply.", fix="Use intermediate names.")
        if loops > DEEPEST_LOOP:
            raise Rejected(
                "not allowed", f"more than {DEEPEST_LOOP} loops lie within one another.", fix="Use fewer."
            )
        stack += [(child, depth + 1, loops) for child in ast.iter_child_nodes(node)]


class _Plainer(ast.NodeTransformer):
    """Takes out what would be executed or found in memory, and says nothing that is needed.

    Annotations go, and arrays with whatever is in memory begin with zeros, since that may be what an earlier call
    left there: choices that are still to be predicted.
    """

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "np":
            node.attr = {"empty": "zeros", "empty_like": "zeros_like"}.get(node.attr, node.attr)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        self.generic_visit(node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)


def _bound_names(tree: ast.Module) -> set[str]:
    """Every name that the text itself gives to something, wherever that is."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    for name in names:
        if name != "_" and (name.startswith("_") or "__" in name or name in _KNOWN):
            raise Rejected(
                "not allowed",
                f"the name '{name}' is taken.",
                fix="Choose one that is no builtin and has no underscore in front and no two in a row.",
            )
    return names


def _check_node(node: ast.AST, bound: set[str]) -> None:
    if isinstance(node, ast.Import | ast.ImportFrom):
        raise _refuse(node, "nothing else can be imported.", "np and math are there; leave the import out.")
    if not isinstance(node, _NODES):
        raise _refuse(node, f"{type(node).__name__} is not allowed.", "Use plain functions, loops and if.")
    match node:
        case ast.FunctionDef():
            _check_function(node)
        case ast.Name(ctx=ast.Load()):
            if node.id not in bound and node.id not in _KNOWN:
                raise _refuse(node, "this name is not known.", "Assign it first; only np and math are there.")
        case ast.Attribute():
            _check_attribute(node)
        case ast.Constant():
            _check_constant(node)
        case ast.keyword():
            if node.arg is None:
                raise _refuse(node.value, "arguments with stars are not allowed.", "Name every argument.")
        case ast.FormattedValue():
            if node.format_spec is not None:
                raise _refuse(node.value, "text cannot be formatted.", "Leave the format out.")


def _check_function(node: ast.FunctionDef) -> None:
    arguments = node.args
    defaults = [*arguments.defaults, *(value for value in arguments.kw_defaults if value is not None)]
    if node.decorator_list:
        raise _refuse(node, "decorators are not allowed.", "Leave them out.")
    if arguments.vararg or arguments.kwarg:
        raise _refuse(node, "arguments with stars are not allowed.", "Name every argument.")
    if not all(isinstance(value, ast.Constant) for value in defaults):
        raise _refuse(node, "defaults can only be constants.", "Compute them inside the function.")


def _check_attribute(node: ast.Attribute) -> None:
    owner = ast.unparse(node.value) if isinstance(node.value, ast.Name | ast.Attribute) else ""
    allowed = {
        "np": NUMPY | {"linalg"},
        "np.linalg": LINEAR_ALGEBRA,
        "math": MATH,
    }.get(owner, ATTRIBUTES)
    if node.attr not in allowed or not isinstance(node.ctx, ast.Load):
        raise _refuse(
            node, f"the attribute '{node.attr}' is not allowed.", "Use arithmetic, or common functions of np."
        )


def _check_constant(node: ast.Constant) -> None:
    value = node.value
    if isinstance(value, int) and abs(value) >= 10**LONGEST_NUMBER:
        raise _refuse(node, "this number is too long.", "Write it as a floating-point number.")
    if isinstance(value, complex | bytes) or value is Ellipsis:
        raise _refuse(
            node, f"{type(value).__name__} is not allowed.", "Use numbers, text, True, False, None."
        )
