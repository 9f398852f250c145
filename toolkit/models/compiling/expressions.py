"""Value and derivatives of one expression: forwards for the value, backwards for the partial derivatives."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.models.compiling.variables import NONE, Parameters
from toolkit.models.compiling.vocabulary import (
    ABSOLUTE,
    DERIVATIVES,
    SMALLER_OR_LARGER,
    base_of,
    element_of,
    name_of_call,
)

if TYPE_CHECKING:
    from toolkit.models.compiling.tangents import TangentFunction


@dataclass(eq=False)
class Term:
    """A part of an expression.

    Attributes
    ----------
    text
        A name or a number that stands for its value.
    sources
        The terms it is made of, each with what an adjoint ``{g}`` of this term adds to the source's.
    tangents
        Derivative with respect to each parameter, for terms that are not made of others.
    adjoints
        What has been added up so far: the derivative of the whole expression with respect to this term.
    """

    text: str
    depends_on: Parameters = NONE
    sources: list[tuple[Term, str]] = field(default_factory=list)
    tangents: dict[int, str] = field(default_factory=dict)
    adjoints: list[str] = field(default_factory=list)


class Expression:
    """Writes the lines that compute one expression; what occurs in it twice is computed once."""

    def __init__(self, function: TangentFunction) -> None:
        self.function = function
        self._terms: list[Term] = []
        self._known: dict[str, Term] = {}

    def term(self, node: ast.expr) -> Term:
        """The term of an expression, after the lines that compute its value."""
        key = ast.dump(node)
        if key not in self._known:
            depends_on = self.function.analysis.number(node)
            term = self._active(node, depends_on) if depends_on else self._plain(node)
            self._known[key] = term
        return self._known[key]

    def tangents(self, root: Term) -> dict[int, str]:
        """Derivative of ``root`` with respect to each parameter it depends on, as text."""
        if root.depends_on:
            root.adjoints.append("1.0")
        products: dict[int, list[str]] = {}
        for term in reversed(self._terms):
            if not term.adjoints:
                continue
            g = self._named(" + ".join(term.adjoints))
            for source, template in term.sources:
                source.adjoints.append(template.format(g=g).removeprefix("1.0 * "))
            for parameter, tangent in term.tangents.items():
                products.setdefault(parameter, []).append(_product(g, tangent))
        return {parameter: " + ".join(parts) for parameter, parts in products.items()}

    # -- terms --------------------------------------------------------------------------------

    def _add(
        self,
        text: str,
        depends_on: Parameters,
        *sources: tuple[Term, str],
        tangents: dict[int, str] | None = None,
    ) -> Term:
        """A term named ``text``, or a new name for it where it is more than a name."""
        active = [(source, template) for source, template in sources if source.depends_on]
        term = Term(self._named(text), depends_on, active, tangents or {})
        self._terms.append(term)
        return term

    def _named(self, text: str) -> str:
        return text if _is_atom(text) else self.function.emit_value(text)

    def _plain(self, node: ast.expr) -> Term:
        return Term(self._named(ast.unparse(node)))

    def _active(self, node: ast.expr, depends_on: Parameters) -> Term:
        match node:
            case ast.Name():
                return self._add(node.id, depends_on, tangents=self.function.tangents_of(node.id))
            case ast.Subscript():
                return self._element(node, depends_on)
            case ast.UnaryOp(op=ast.USub()):
                source = self.term(node.operand)
                return self._add(f"-{source.text}", depends_on, (source, "-{g}"))
            case ast.UnaryOp(op=ast.UAdd()):
                return self.term(node.operand)
            case ast.BinOp():
                return self._operation(node, depends_on)
            case ast.IfExp():
                name = self.function.emit_choice(node, depends_on)
                return self._add(name, depends_on, tangents=_numbered(name, depends_on))
            case ast.Call():
                return self._call(node, depends_on)
        raise self.function.analysis.refuse(
            node, "and/or between numbers has no derivative.", "Use `if`, or compare the numbers."
        )

    def _element(self, node: ast.Subscript, depends_on: Parameters) -> Term:
        array = base_of(node)
        place = self.place(node)
        tangents = {
            parameter: f"{array}__d[{place}, {position}]"
            for position, parameter in enumerate(sorted(depends_on))
        }
        return self._add(f"{array}[{place}]", depends_on, tangents=tangents)

    def place(self, node: ast.Subscript) -> str:
        """The indices of an element, computed once."""
        return ", ".join(self.term(index).text for index in element_of(node)[1])

    def _operation(self, node: ast.BinOp, depends_on: Parameters) -> Term:
        left, right = self.term(node.left), self.term(node.right)
        a, b = left.text, right.text
        match node.op:
            case ast.Add():
                return self._add(f"{a} + {b}", depends_on, (left, "{g}"), (right, "{g}"))
            case ast.Sub():
                return self._add(f"{a} - {b}", depends_on, (left, "{g}"), (right, "-{g}"))
            case ast.Mult():
                return self._add(f"{a} * {b}", depends_on, (left, f"{{g}} * {b}"), (right, f"{{g}} * {a}"))
            case ast.Div():
                value = self._named(f"{a} / {b}")
                return self._add(
                    value, depends_on, (left, f"{{g}} / {b}"), (right, f"-{{g}} * {value} / {b}")
                )
        value = self._named(f"{a} ** {b}")
        by_exponent = f"{{g}} * ({value} * np.log({a}) if {a} > 0.0 else 0.0)"
        return self._add(value, depends_on, (left, f"{{g}} * {_power(a, b)}"), (right, by_exponent))

    def _call(self, node: ast.Call, depends_on: Parameters) -> Term:
        name = name_of_call(node)
        if name in SMALLER_OR_LARGER:
            return self._selected(name, [self._separate(argument) for argument in node.args])
        if name in self.function.analysis.library.program.functions:
            result = self.function.emit_call(node)
            return self._add(result, depends_on, tangents=_numbered(result, depends_on))
        source = self.term(node.args[0])
        if name == "float":
            return source
        value, x = self._named(f"{name}({source.text})"), source.text
        if name in ABSOLUTE:
            slope = f"({{g}} if {x} > 0.0 else -{{g}} if {x} < 0.0 else 0.0)"
        else:
            slope = "{g} * " + DERIVATIVES[name.partition(".")[2]].format(x=x, v=value)
        return self._add(value, depends_on, (source, slope))

    def _separate(self, node: ast.expr) -> Term:
        """A term with derivatives of its own: of what is not taken nothing may enter, not even 0 × infinity."""
        depends_on = self.function.analysis.number(node)
        if not depends_on or isinstance(node, ast.Name | ast.Subscript):
            return self.term(node)
        name = self.function.emit_number(node, depends_on)
        return Term(name, depends_on, tangents=_numbered(name, depends_on))

    def _selected(self, name: str, terms: list[Term]) -> Term:
        first, *others = terms
        for second in others:
            taken = f"{second.text} {SMALLER_OR_LARGER[name]} {first.text}"
            result = self.function.emit_selection(taken, second, first)
            value = self._named(f"{name}({first.text}, {second.text})")
            depends_on = first.depends_on | second.depends_on
            first = self._add(value, depends_on, tangents=_numbered(result, depends_on))
        return first


def _power(base: str, exponent: str) -> str:
    """Derivative of a power with respect to its base."""
    if exponent in ("2", "2.0"):
        return f"2.0 * {base}"
    # As with roots: a power of something that is always 0 is constant.
    slope = f"{exponent} * {base} ** ({exponent} - 1.0)"
    return f"({slope} if {base} != 0.0 or {exponent} >= 1.0 else 0.0)"


def _product(g: str, tangent: str) -> str:
    if g == "1.0":
        return tangent
    return g if tangent == "1.0" else f"{g} * {tangent}"


def _numbered(name: str, depends_on: Parameters) -> dict[int, str]:
    return {parameter: f"{name}__{parameter}" for parameter in sorted(depends_on)}


def _is_atom(text: str) -> bool:
    return text.isidentifier() or text.replace(".", "", 1).isdecimal()
