"""An edited line in the symbols of the paper."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import numpy

from rbo_ref.oracle.suspects.text import Edit

__all__ = ["sentence", "written"]

SYMBOLS = {
    "self.theta": "θ_t",
    "self.f": "f(θ_t)",
    "self.g": "∇f(θ_t)",
    "self.p": "p",
    "self.c": "c",
    "theta": "θ",
    "self.eta": "η",
    "self.rho": "ρ",
    "self.gamma": "γ",
    "self.steps": "P",
    "eta": "η",
    "rho": "ρ",
    "gamma": "γ",
    "steps": "P",
    "self.nu": "ν",
    "self.tau": "τ",
    "self.candidate": "c̃",
    "self.x": "x",
    "self.y": "y",
    "mu": "μ",
    "nu": "ν",
    "delta": "δ",
    "self.h.learning_rate": "η",
    "self.h.momentum": "μ",
    "self.h.weight_decay": "λ",
    "self.h.epsilon": "ε",
    "self.h.radius": "ρ",
    "self.h.xi": "ξ",
    "self.h.inner_rate": "η′",
    "self.h.noise": "ε",
    "self.h.averaging": "α",
    "self.h.scoping": "γ₁",
    "self.scope": "γ",
    "self.h.omega": "ω",
    "self.h.phi": "φ",
    "self.h.betas[0]": "β₁",
    "self.h.betas[1]": "β₂",
    "b1": "β₁",
    "b2": "β₂",
    "self.mean": "ḡ",
}
CALLS = {
    "self.xp.sqrt": "√({0})",
    "self.xp.sum": "Σ({0})",
    "self.sum": "Σ({0})",
    "self.inverse": "1/{0}",
    "self.xp.abs": "|{0}|",
    "self.xp.sign": "sign({0})",
    "self.xp.max": "max({0})",
    "self.xp.mean": "mean({0})",
    "self.xp.maximum": "max({0}, {1})",
    "self.max": "max({0}, {1})",
    "self.min": "min({0}, {1})",
    "self.xp.minimum": "min({0}, {1})",
    "self.xp.concat": "{0}",
    "self.joined": "({0}, {1})",
    "self.norm": "|{0}|",
    "self.square": "|{0}|²",
    "self.stretch": "W({0})",
    "self.normal": "ν({0})",
    "self.tangent": "τ({0})",
    "self.gradient": "∇f({0})",
    "self.loss": "(f, ∇f)({0})",
    "length": "|{1}|",
    "sum_of_sizes": "Σ|{1}ᵢ|",
    "largest": "max |{1}ᵢ|",
    "mean_square": "mean {1}ᵢ²",
    "size": "{1}.size",
    "unit": "{1}/|{1}|",
    "to_distance": "{1}·(1 − {2}/|{1}|)",
    "clipped": "{1} clipped to length {2}",
    "between": "{1} clipped to [−{2}, {2}]",
    "height_first": "({2}, {1}), the height first",
    "displaced": "{1} − {2}",
    "moved": "{2} + {3}({1} − {2})",
    "at_most": "min({1}, {2})",
    "at_least": "max({1}, {2})",
    "rounded_to": "{1} rounded to {2} decimals",
    "for_each_tensor": "{1}({2}) of each tensor",
    "of_first_tensor": "{1}({2}) of the first tensor",
    "for_each_coordinate": "{1}({2}) of each coordinate",
    "late": "{2} of the time before",
    "kept_first": "{2} as it was first",
    "mean_so_far": "the mean of {2} so far",
    "gathered": "v, v ← {3}v + {2}",
    "gathered_ahead": "{2} + {3}v, v ← {3}v + {2}",
    "averaged": "v, v ← {3}v + (1 − {3}){2}",
    "range": "{0} times",
    "in_turn": "{1} in one coordinate at a time",
    "still_if_short": "{1}, but {2} where |{3}| < {4}",
    "unless_farther": "{1}, but {2} where that is nearer to c̃",
    "on_graph": "{1} dropped onto the graph",
    "best_iterate": "the inner iterate nearest to c̃",
    "mean_iterate": "the mean of the inner iterates from the {2}-th on",
    "self.one_more": "the same of a second step",
}
TIGHT = frozenset(("averaged", "between", "clipped", "displaced", "gathered", "gathered_ahead", "moved", "to_distance"))
TIGHT |= {"unit", "self.inverse"}
HEARD = {"None": "f and ∇f", "0": "f", "1": "∇f"}
LINES = {
    "tuned": "(η, ρ, γ, P)",
    "answered": "(f, ∇f)",
    "contact": "p",
    "normal": "ν",
    "stretch": "W",
    "square": "|g|²",
    "tangent": "τ",
    "center": "c",
    "start": "the start of the inner loop",
    "pull": "the inner pull",
    "descended": "the inner step",
    "projected": "the inner loop",
    "finished": "the new θ",
}
OPERATORS: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: (" + ", 1),
    ast.Sub: (" − ", 1),
    ast.Mult: ("·", 2),
    ast.MatMult: ("·", 2),
    ast.Div: ("/", 2),
    ast.Mod: (" mod ", 2),
    ast.Pow: ("^", 4),
}


def sentence(edits: Sequence[Edit], constants: Sequence[float] = ()) -> str:
    """What edited lines are, and what they should be.

    Each line is told by itself; the constants are of those edits that have one, in their order.
    """
    given, told = iter(constants), []
    for method in dict.fromkeys(edit.method for edit in edits):
        own = [edit for edit in edits if edit.method == method]
        values = {f"constant{i}_of_{method}": next(given) for i, edit in enumerate(own) if edit.start is not None}
        told.append(_line(method, own, values))
    return "; and ".join(told)


def _line(method: str, edits: list[Edit], values: dict[str, float]) -> str:
    text = edits[0].text
    wrong, right = text.edited(method, edits), text.methods[method]
    pairs = [(_statement(a, values), _statement(b, {})) for a, b in zip(_inner(wrong), _inner(right), strict=True)]
    changed = [(a, b) for a, b in pairs if a != b]
    name = LINES.get(method, method.replace("_", " "))
    if method == "tuned" and "start" not in text.methods:
        name = "the hyper-parameters"
    if method == "stepped":
        name = "c̃" if "start" in text.methods else "the new θ"
    kinds = " and ".join(dict.fromkeys(edit.kind for edit in edits))
    return f"{name}: " + ", ".join(f"{a} instead of {b}" if b != "hyper" else a for a, b in changed) + f" ({kinds})"


def _inner(line: ast.AST) -> list[ast.AST]:
    """The parts of statements that say something by themselves."""
    found: list[ast.AST] = []
    for node in ast.walk(line):
        if isinstance(node, ast.Return | ast.Assign | ast.AugAssign | ast.Expr | ast.AnnAssign):
            found.append(node)
        elif isinstance(node, ast.For):
            found.append(node.iter)
        elif isinstance(node, ast.If):
            found.append(node.test)
    return found


def _statement(node: ast.AST, values: dict[str, float]) -> str:
    if isinstance(node, ast.Return):
        return written(node.value, values) if node.value else ""
    if isinstance(node, ast.Assign):
        return f"{', '.join(written(t, values) for t in node.targets)} = {written(node.value, values)}"
    if isinstance(node, ast.Expr):
        return written(node.value, values)
    return written(node, values) if isinstance(node, ast.expr) else ast.unparse(node)


def written(node: ast.AST, values: dict[str, float] | None = None) -> str:
    """An expression in symbols, with the values of its constants.

    Examples
    --------
    >>> written(ast.parse("self.c - self.eta * self.tau", mode="eval").body)
    'c − η·τ'
    >>> written(ast.parse("self.xp.sqrt(1 + self.square(g))", mode="eval").body)
    '√(1 + |g|²)'
    """
    return _Writer(values or {}).text(node)[0]


class _Writer:
    def __init__(self, values: dict[str, float]) -> None:
        self.values = values

    def text(self, node: ast.AST) -> tuple[str, int]:
        """The text, and how tightly it is bound."""
        source = ast.unparse(node)
        if source.startswith("hyper['"):
            source = source.replace("hyper['", "self.h.", 1).replace("']", "", 1)
        if source in SYMBOLS:
            return SYMBOLS[source], 9
        if source.startswith("self.") and source[5:] in self.values:
            return _number(self.values[source[5:]]), 9 if self.values[source[5:]] >= 0 else 1
        if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Dict):  # hyper-parameters that were changed
            name, value = ast.literal_eval(node.right.keys[0] or node), node.right.values[0]
            return f"{SYMBOLS.get('self.h.' + name, name)} = {self.text(value)[0]}", 0
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.UnaryOp):
            return f"−{self._bound(node.operand, 2)}", 1
        if isinstance(node, ast.Call):
            return self._call(node), 9
        if isinstance(node, ast.Subscript):
            return self._entry(node, source), 9
        if isinstance(node, ast.Tuple):
            return f"({', '.join(self.text(e)[0] for e in node.elts)})", 9
        if isinstance(node, ast.IfExp):
            return f"{self.text(node.body)[0]} if {written(node.test)}, else {self.text(node.orelse)[0]}", 0
        return source.replace("self.h.", "").replace("self.", "").replace("_", " "), 9

    def _bound(self, node: ast.AST, level: int) -> str:
        text, own = self.text(node)
        return text if own >= level else f"({text})"

    def _operation(self, node: ast.BinOp) -> tuple[str, int]:
        if isinstance(node.op, ast.Add) and ast.unparse(node.right).startswith("0 * "):  # which gives a shape
            return self.text(node.left)
        sign, level = OPERATORS.get(type(node.op), ("?", 0))
        right = self._bound(node.right, level + (sign in (" − ", "/", "^")))
        return f"{self._bound(node.left, level)}{sign}{right}", level

    def _call(self, node: ast.Call) -> str:
        name = ast.unparse(node.func)
        level = 2 if name in TIGHT else 0
        arguments = [self._bound(a, level) for a in node.args]
        if name == "heard_before":
            return f"{HEARD[arguments[2]]} of the evaluation before"
        if name == "kept":
            held = ast.parse(f"self.{ast.literal_eval(node.args[1])}", mode="eval").body
            return f"{self.text(held)[0]} that the last step left"
        if name in CALLS and len(arguments) > CALLS[name].count("{") - 1:
            return CALLS[name].format(*arguments)
        return f"{name.replace('self.', '').replace('xp.', '')}({', '.join(arguments)})"

    def _entry(self, node: ast.Subscript, source: str) -> str:
        if source.startswith("self.h."):
            return source.removeprefix("self.h.")
        whole = self.text(node.value)[0]
        if source.endswith(")[1]") and isinstance(node.value, ast.Call):
            return f"∇f({self.text(node.value.args[0])[0]})"
        if source.endswith(")[0]") and isinstance(node.value, ast.Call):
            return f"f({self.text(node.value.args[0])[0]})"
        if source.endswith("[:-1]"):
            return {"c̃": "x"}.get(whole, f"{whole}'s horizontal part")
        if source.endswith("[-1]"):
            return {"c̃": "y"}.get(whole, f"{whole}'s height")
        return f"{whole}[{ast.unparse(node.slice)}]"


def _number(value: float) -> str:
    return numpy.format_float_positional(value, trim="-") if 1e-3 <= abs(value) < 1e4 else f"{value:.6g}"
