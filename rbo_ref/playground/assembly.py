"""Puts the page together: its text, its style, its scripts, and what these are given."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from geometry.expressions import record
from rbo_ref.landscapes import LANDSCAPES, by_name
from rbo_ref.playground.page_questions import questions, vectors_of_the_ball

__all__ = ["ASKING", "BALL", "JUDGE", "landscapes_script", "page", "scripts", "surfaces"]

FOLDER = Path(__file__).parent
BALL = ("ball.js",)
JUDGE = ("numbers.js", "judge.js", "naming.js")
ASKING = ("losses.js", "asking.js")  # what runs in the worker
SHOWN = ("losses.js", "drawing.js", "controls.js")


def page(asked: Mapping[str, Any] | None = None, progress: Callable[[], Any] = lambda: None) -> str:
    """The text of the page.

    Parameters
    ----------
    asked : mapping, optional
        What it judges by, as `rbo_ref.playground.page_questions.questions` makes it; default: all that it can be asked,
        which takes two minutes.
    progress : callable, optional
        Called after each vector, where these are made.

    Returns
    -------
    str
        HTML with all that it needs: it fetches nothing.

    Examples
    --------
    >>> nothing = {"readings": {}, "losses": {}, "suspects": {}, "vectors": []}
    >>> text = page(nothing)
    >>> text.startswith("<!DOCTYPE html>"), "wrinkled" in text
    (True, True)
    """
    asked = questions(vectors_of_the_ball(), progress) if asked is None else asked
    worker = f"const ASKING = {_literal(scripts(ASKING))};"
    script = "\n".join(["'use strict';", landscapes_script(), worker, scripts([*BALL, *JUDGE, *SHOWN])])
    parts = {"STYLE": _text("style.css"), "QUESTIONS": _literal(asked), "SCRIPT": script}
    text = _text("page.html")
    for name, content in parts.items():
        text = text.replace(f"/*{name}*/", content, 1)
    return text


def scripts(names: Iterable[str]) -> str:
    """The text of some scripts, one after another."""
    return "\n".join(map(_text, names))


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _literal(value: Any) -> str:
    """A value as JSON that ends no element of HTML."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")


# --- landscapes -----------------------------------------------------------------------------------------------------


def surfaces() -> dict[str, tuple[str, int]]:
    """The landscapes that can be drawn, by the name on the page: their own name, and the number of parameters."""
    drawn = [(name, d) for name in LANDSCAPES for d in (1, 2) if _has(name, d)]
    several = {name for name, d in drawn if (name, 3 - d) in drawn}
    return {f"{name} ({d}-D)" if name in several else name: (name, d) for name, d in drawn}


def _has(name: str, d: int) -> bool:
    try:
        by_name(name).value([0.5] * d)
    except ValueError:
        return False
    return True


def landscapes_script() -> str:
    """JavaScript of all landscapes, each made from what its function did when it was recorded."""
    entries = [f"{json.dumps(shown)}: {_surface(name, d)}" for shown, (name, d) in surfaces().items()]
    return "const LANDSCAPES = {\n" + ",\n".join(entries) + "\n};"


def _surface(name: str, d: int) -> str:
    """An object: the number of parameters, jet(x, g, h), and value(x) alone."""
    expression = record(by_name(name).value, d)
    jet, value = (expression.source("javascript", order=order, name=f"f{order}") for order in (2, 0))
    return f"(() => {{\n{jet}\n{value}\nreturn {{ d: {d}, jet: f2, value: f0 }};\n}})()"
