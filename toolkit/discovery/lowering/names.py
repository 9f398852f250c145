"""Names of a program, written out or replaced so that nothing clashes where its functions come together."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from toolkit.discovery.sandbox.gate import functions_of
from toolkit.syntax import parse_expression

_CALLABLE = ("np", "math", "engine_softmax")


def all_names(tree: ast.AST) -> set[str]:
    """Every name in a text, of variables, arguments and functions."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return names | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def stored_in(function: ast.FunctionDef) -> set[str]:
    """Names that a function assigns."""
    return {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def write_constants_out(tree: ast.Module) -> None:
    """Put the numbers that are defined outside of functions where they are used."""
    constants: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            constants |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
    for function in functions_of(tree).values():
        local = stored_in(function) | {argument.arg for argument in function.args.args}
        _Replaced({name: value for name, value in constants.items() if name not in local}).visit(function)


class _Replaced(ast.NodeTransformer):
    """Puts expressions in the place of names."""

    def __init__(self, by: Mapping[str, ast.expr]) -> None:
        self.by = by

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.by.get(node.id, node)


class OwnNames(ast.NodeTransformer):
    """Calls every function of the program by a name that nothing else has."""

    def __init__(self, functions: Mapping[str, ast.FunctionDef]) -> None:
        self.functions = functions

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.name = f"own_{node.name}"
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in self.functions:
            node.func = ast.Name(f"own_{node.func.id}", ast.Load())
        return node


class Renamed(OwnNames):
    """Makes a part of ``init`` a part of another function."""

    def __init__(self, outside: Mapping[str, str], functions: Mapping[str, ast.FunctionDef]) -> None:
        super().__init__(functions)
        self.outside = outside

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in _CALLABLE:
            return node
        if node.id in self.outside:
            return parse_expression(self.outside[node.id])
        return ast.Name(f"init_{node.id}", node.ctx)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        function = node.func
        node.args = [self.visit(argument) for argument in node.args]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        if isinstance(function, ast.Name):
            own = function.id in self.functions
            node.func = ast.Name(f"own_{function.id}" if own else function.id, ast.Load())
        return node
