"""Do the tests notice? One token of a module is changed, and the tests that belong to the module run until one fails.

A mutant that survives is shown as a line, to be judged by a person: it is equivalent, or a test is missing.

    python benchmarks/mutants.py --count 300 --seed 0
    python benchmarks/mutants.py --count 20 --module "geometry.certified.*" --limit 300
"""

from __future__ import annotations

import argparse
import ast
import io
import os
import re
import subprocess
import sys
import tempfile
import time
import tokenize
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from random import Random
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are no package that is installed

from tests.test_architecture import MODULES, ROOT, Module, imports

OTHER = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "/", "%": "*", "**": "*", "<": "<=", "<=": "<", ">": ">="}
OTHER |= {">=": ">", "==": "!=", "!=": "==", "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "and": "or", "or": "and"}
OTHER |= {"True": "False", "False": "True", "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum"}
OTHER |= {
    "any": "all",
    "all": "any",
    "not": "",
    "sin": "cos",
    "cos": "sin",
    "argmin": "argmax",
    "argmax": "argmin",
    "is": "is not",
}
MARKERS = 5  # a test file that bears a module's name belongs to it as one that mentions so many of its names


class Mutant(NamedTuple):
    """One token of a module, and what stands in its place."""

    module: str
    line: int  # from 1
    column: int
    old: str
    new: str

    def __str__(self) -> str:
        text = MODULES[self.module].source.splitlines()[self.line - 1].strip()
        return f"{self.module}:{self.line}:{self.column}: {self.old!r} -> {self.new!r}    {text}"

    @property
    def source(self) -> str:
        lines = MODULES[self.module].source.splitlines(keepends=True)
        text = lines[self.line - 1]
        lines[self.line - 1] = text[: self.column] + self.new + text[self.column + len(self.old) :]
        return "".join(lines)

    @property
    def is_another_program(self) -> bool:
        try:
            return ast.dump(ast.parse(self.source)) != ast.dump(MODULES[self.module].tree)
        except SyntaxError:
            return False


def replacement(token: tokenize.TokenInfo) -> str | None:
    """What to write for a token, if anything."""
    if token.type == tokenize.NUMBER:
        return "1" if token.string == "0" else f"{token.string} * 2" if "." in token.string else f"({token.string} + 1)"
    return OTHER.get(token.string) if token.type in (tokenize.OP, tokenize.NAME) else None


def mutants(name: str) -> Iterator[Mutant]:
    """All mutants of a module that are other programs."""
    for token in tokenize.generate_tokens(io.StringIO(MODULES[name].source).readline):
        new = replacement(token)
        if new is not None:
            mutant = Mutant(name, *token.start, token.string, new)
            if mutant.is_another_program:
                yield mutant


def drawn(count: int, seed: int, pattern: str) -> list[Mutant]:
    """`count` of all mutants of the modules that match, drawn alike."""
    found = [m for name in sorted(MODULES) if fnmatch(name, pattern) for m in mutants(name)]
    return Random(seed).sample(found, min(count, len(found)))


@cache
def steps_from(path: Path) -> dict[str, int]:
    """How many imports lead from a test file to each module."""
    away = {}
    queue = deque((i.target, 1) for i in imports(Module("tests", path.read_text(encoding="utf-8")), MODULES))
    while queue:
        name, steps = queue.popleft()
        if name in MODULES and name not in away:
            away[name] = steps
            queue.extend((i.target, steps + 1) for i in imports(MODULES[name], MODULES))
    return away


@cache
def words(path: Path) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", path.read_text(encoding="utf-8")))


def tests_of(name: str) -> list[Path]:
    """The test files that reach a module, those that speak of it first; its own examples before all others."""
    own = {n.name for n in MODULES[name].tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    stem = name.rpartition(".")[2].strip("_")

    def order(path: Path) -> tuple[int, int, int, str]:
        spoken = len(own & words(path)) + MARKERS * (stem in path.stem.split("_") or f"test_{stem}" == path.stem)
        return -spoken, steps_from(path)[name], path.stat().st_size, str(path)

    reaching = [path for path in (ROOT / "tests").rglob("test_*.py") if name in steps_from(path)]
    file = ROOT / name.replace(".", "/")
    itself = file / "__init__.py" if MODULES[name].is_package else file.with_suffix(".py")
    return [path.relative_to(ROOT) for path in [itself, *sorted(reaching, key=order)]]


def copied(parent: Path) -> Path:
    """A copy of what is under version control."""
    tree = Path(tempfile.mkdtemp(dir=parent))
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-cf", tree / ".tar", "--null", "-T", "-"], cwd=ROOT, input=listing.stdout, check=True)
    subprocess.run(["tar", "-xf", ".tar"], cwd=tree, check=True)
    return tree


def passes(path: Path, tree: Path, limit: float) -> bool:
    """Whether the tests of a file pass, in a copy of the tree."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", str(path)]
    surroundings = os.environ | {"PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=surroundings, capture_output=True, text=True, timeout=limit)
    if done.returncode in (3, 4):  # pytest could not run; 5: there are no tests
        raise RuntimeError(f"{path}: {done.stdout}{done.stderr}")
    return done.returncode in (0, 5)


def outcome(mutant: Mutant, trees: SimpleQueue[Path], limit: float) -> str:
    """killed by FILE | survived | overdue in FILE: it hangs, or what it runs is slow."""
    tree = trees.get()
    itself, *tests = tests_of(mutant.module)
    (tree / itself).write_text(mutant.source, encoding="utf-8")
    until = time.monotonic() + limit
    try:
        for path in [itself, *tests]:
            left = until - time.monotonic()
            if left <= 0:
                break
            if not passes(path, tree, left + limit):
                return f"killed by {path}"
        return "survived"
    except subprocess.TimeoutExpired:
        return f"overdue in {path}"
    finally:
        (tree / itself).write_text(MODULES[mutant.module].source, encoding="utf-8")
        trees.put(tree)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--module", default="*", help="a pattern of dotted names")
    parser.add_argument("--limit", type=float, default=120, help="seconds of tests for each mutant")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    chosen = drawn(asked.count, asked.seed, asked.module)
    counted: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as parent, ThreadPoolExecutor(asked.processes) as pool:
        trees: SimpleQueue[Path] = SimpleQueue()
        for _ in range(asked.processes):
            trees.put(tree := copied(Path(parent)))
        if not passes(Path("tests/test_architecture.py"), tree, 10 * asked.limit):
            raise SystemExit("the tests fail without any mutant")
        for mutant, how in zip(chosen, pool.map(lambda m: outcome(m, trees, asked.limit), chosen), strict=True):
            counted[how.split()[0]] += 1
            print(f"{how}\n    {mutant}", flush=True)
    print(", ".join(f"{count} {how}" for how, count in counted.items()))


if __name__ == "__main__":
    main()
