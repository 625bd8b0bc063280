"""The rules of the house, read from the sources: who imports whom, what is public, how long things may be."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from rbo_ref.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
PACKAGES = ("geometry", "rbo_ref")
LAZY = {"numba", "cupy", "torch", "jax", "matplotlib", "dask", "flint", "optax", "hypothesis"}
LAZY |= {"scipy", "fastjsonschema", "tqdm"}
# Imported only by whoever wants that very library.
AT_HOME = {
    "geometry._kernels": {"numba", "cupy"},
    "geometry._torch": {"torch"},
    "rbo_ref.strategies": {"hypothesis"},
    "rbo_ref.laws": {"hypothesis"},
}
FUNCTION_LINES, MODULE_LINES = 60, 400
CHAIN = 26  # modules that import each other in a row; to be made smaller
# What is compiled together stays in one file: one unit for the compiler, and for the reader.
LONGER = {"geometry._kernels.jitted": 700}
RECORDS = {"NamedTuple", "Enum", "IntEnum", "Protocol", "Exception", "ValueError", "TypeError"}


class Module(NamedTuple):
    """A source file under its dotted name."""

    name: str
    source: str
    is_package: bool = False

    @property
    def tree(self) -> ast.Module:
        return parsed(self.source)


parsed = cache(ast.parse)  # no rule changes a tree


class Import(NamedTuple):
    target: str  # dotted name of a module
    at_import: bool  # runs when the importing module is imported


def modules() -> dict[str, Module]:
    """All modules of both packages."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            found[name] = Module(name, path.read_text(encoding="utf-8"), is_package)
    return found


MODULES = modules()
every_module = pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def is_public(name: str) -> bool:
    return not any(part.startswith("_") for part in name.split("."))


PUBLIC = {name: module for name, module in MODULES.items() if is_public(name)}
public_module = pytest.mark.parametrize("module", PUBLIC.values(), ids=PUBLIC)


# What a module imports.


def imports(module: Module, known: dict[str, Module]) -> list[Import]:
    """Every import statement; ``from package import name`` is an import of package.name where that is a module."""
    found = []
    for node, at_import in _statements(module.tree.body, at_import=True):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, at_import) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            names = [f"{base}.{alias.name}" for alias in node.names]
            found += [Import(name if name in known else base, at_import) for name in names]
    return found


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    """The package or module after ``from``, with leading dots resolved."""
    if node.level == 0:
        return node.module or ""
    parts = module.name.split(".")
    base = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*base, *([node.module] if node.module else [])])


def _statements(body: list[ast.stmt], at_import: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """All statements, at any depth, but for those that only a type checker reads."""
    for node in body:
        yield node, at_import
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _statements(node.orelse, at_import)
            continue
        deferred = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for field in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, field, []), at_import and not deferred)
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body, at_import)


# The rules. Each returns what breaks it.


def wrong_directions(module: Module, known: dict[str, Module]) -> list[str]:
    """rbo_ref → geometry → geometry._kernels → geometry._namespace → array_api_compat, never back."""
    return [i.target for i in imports(module, known) if not _may_import(module.name, i.target)]


SHARED = (
    "geometry._beside",
    "geometry._files",
    "geometry._kernels",
    "geometry._lending",
    "geometry._namespace",
    "geometry._version",
    "geometry._results",
    "geometry._trees",
    "geometry._vectors",
)  # private to the repository, not to the package


def _may_import(name: str, target: str) -> bool:
    if inside(target, "array_api_compat"):
        return name == "geometry._namespace"
    if not inside(target, "geometry") and not inside(target, "rbo_ref"):
        return True
    if name == "geometry._namespace":
        return target == "geometry._torch"  # what PyTorch must be told as functions of its own
    if inside(name, "geometry._kernels"):
        return inside(target, "geometry._kernels") or target == "geometry._namespace"
    if inside(name, "geometry"):
        return inside(target, "geometry")
    return inside(target, "rbo_ref") or is_public(target) or target in SHARED


def eager_imports(module: Module, known: dict[str, Module]) -> list[str]:
    """Imports of optional or heavy libraries that run when the module is imported."""
    at_home = set().union(*(libraries for home, libraries in AT_HOME.items() if inside(module.name, home)))
    eager = {i.target.partition(".")[0] for i in imports(module, known) if i.at_import}
    return sorted(eager & LAZY - at_home)


def import_cycle(known: dict[str, Module]) -> list[str]:
    """A chain of modules that import each other in a circle, lazily or not, or []."""
    targets = {name: {i.target for i in imports(module, known)} & known.keys() for name, module in known.items()}
    finished: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in finished:
            return []
        for target in sorted(targets[name]):
            if cycle := visit(target, [*path, name]):
                return cycle
        finished.add(name)
        return []

    return next((cycle for name in known if (cycle := visit(name, []))), [])


def longest_chain(known: dict[str, Module]) -> list[str]:
    """The longest chain of modules of which each imports the next when it is imported itself."""
    targets = {name: {i.target for i in imports(m, known) if i.at_import} & known.keys() for name, m in known.items()}

    @cache
    def chain(name: str) -> tuple[str, ...]:
        return (name, *max((chain(target) for target in sorted(targets[name] - {name})), key=len, default=()))

    return list(max(map(chain, known), key=len))


def twins(known: dict[str, Module]) -> set[str]:
    """Names that two public modules have."""
    names = [name.rpartition(".")[2] for name in known if is_public(name)]
    return {name for name in names if names.count(name) > 1}


def hidden(package: Module, known: dict[str, Module]) -> set[str]:
    """Modules of a package that it cannot be asked for, because something else has their name in it."""
    bound = set()
    for node in package.tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(f"{package.name}.{node.name}")
        elif isinstance(node, ast.ImportFrom):
            sources = {alias.asname or alias.name: f"{_absolute(package, node)}.{alias.name}" for alias in node.names}
            bound |= {mine for name, source in sources.items() if (mine := f"{package.name}.{name}") != source}
    return bound & known.keys()


def exports(module: Module) -> list[str] | None:
    """`__all__`, if it is a literal."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def definitions(module: Module) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    """The functions and classes that a module defines."""
    return {node.name: node for node in module.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def wrong_exports(module: Module) -> list[str]:
    """Where `__all__` differs from the public names that a module defines, or a package imports.

    Constants and names passed on from private modules may be exported, but need not.
    """
    required = {name for name, node in definitions(module).items() if is_public(name) and not _is_entry(node)}
    listed = exports(module)
    if listed is None:
        return ["__all__ is missing"] if required or not definitions(module) else []
    allowed = set(required)
    for node in module.tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            allowed |= {ast.unparse(t) for t in (node.targets if isinstance(node, ast.Assign) else [node.target])}
        if isinstance(node, ast.ImportFrom) and (module.is_package or not is_public(node.module or "")):
            allowed |= {alias.asname or alias.name for alias in node.names}
        own = isinstance(node, ast.ImportFrom) and module.is_package and inside(_absolute(module, node), module.name)
        if own and is_public(_absolute(module, node)):
            required |= {alias.asname or alias.name for alias in node.names if is_public(alias.name)}
    wrong = [f"{name} is public but not in __all__" for name in sorted(required - set(listed))]
    wrong += [f"{name} is in __all__ but not defined here" for name in sorted(set(listed) - allowed)]
    return wrong + [f"{name} is listed twice" for name in sorted(set(listed)) if listed.count(name) > 1]


def _is_entry(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether a definition enters itself into the catalogue of ports or of laws, which exports it."""
    decorators = {ast.unparse(decorator).partition("(")[0] for decorator in node.decorator_list}
    return not decorators.isdisjoint({"mistake", "both", "right", "law"})


def contract(known: dict[str, Module]) -> set[tuple[str, str]]:
    """What the packages export, as pairs (module, name): functions, classes, and the exports of exported modules."""
    pairs = set()
    for module in known.values():
        if not (module.is_package and is_public(module.name)):
            continue
        for node in module.tree.body:
            for alias in node.names if isinstance(node, ast.ImportFrom) else []:
                source = _absolute(module, node)
                exported = f"{source}.{alias.name}"
                if exported in known:
                    pairs |= {(exported, name) for name in exports(known[exported]) or []}
                elif alias.name in (exports(module) or []):
                    pairs.add((source, alias.name))
    return pairs


def undocumented(module: Module, promised: set[tuple[str, str]]) -> list[str]:
    """Public functions and classes without a docstring, and those of the contract without a runnable example.

    A record, an enumeration or a protocol has nothing to run.
    """
    wrong = []
    for name, node in definitions(module).items():
        doc = ast.get_docstring(node) or ""
        record = isinstance(node, ast.ClassDef) and RECORDS & {ast.unparse(base).split(".")[-1] for base in node.bases}
        if is_public(name) and not doc:
            wrong.append(f"{name} has no docstring")
        elif (module.name, name) in promised and not record and not ("\nExamples\n--------\n" in doc and ">>> " in doc):
            wrong.append(f"{name} has no Examples section")
    return wrong


def over_budget(module: Module) -> list[str]:
    """Modules and functions that are too long; docstrings are free."""
    wrong = []
    lines = len(module.source.splitlines()) - _docstring_lines(module.tree)
    if lines > LONGER.get(module.name, MODULE_LINES):
        wrong.append(f"{module.name} has {lines} lines")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = node.end_lineno - node.lineno + 1 - _docstring_lines(node)
            if lines > FUNCTION_LINES:
                wrong.append(f"{node.name} has {lines} lines")
    return wrong


def _docstring_lines(tree: ast.AST) -> int:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = [node.body[0] for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node)]
    return sum(doc.end_lineno - doc.lineno + 1 for doc in docs)


# The house keeps them.


def test_every_file_that_is_read_is_installed():
    """What is no module comes with an installation only if it is listed."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = settings["tool"]["setuptools"]["package-data"]
    found = {path for name, globs in listed.items() for g in globs for path in (ROOT / name.replace(".", "/")).glob(g)}
    files = {path for package in PACKAGES for path in (ROOT / package).rglob("*.*") if "__pycache__" not in path.parts}
    assert {path for path in files if path.suffix != ".py"} - found == set()


@every_module
def test_imports_go_one_way(module):
    assert wrong_directions(module, MODULES) == []


@every_module
def test_heavy_libraries_wait_until_needed(module):
    assert eager_imports(module, MODULES) == []


def test_no_import_cycles():
    assert import_cycle(MODULES) == []


def test_import_chains_are_no_longer():
    assert len(longest_chain(MODULES)) <= CHAIN


def test_no_two_modules_have_one_name():
    assert not twins(MODULES)


@pytest.mark.parametrize("package", [m for m in MODULES.values() if m.is_package], ids=lambda package: package.name)
def test_no_verb_hides_a_module(package):
    assert not hidden(package, MODULES)


@public_module
def test_exports(module):
    assert wrong_exports(module) == []


@pytest.fixture(scope="module")
def promised():
    return contract(MODULES)


@public_module
def test_docstrings(module, promised):
    assert undocumented(module, promised) == []


@every_module
def test_budgets(module):
    assert over_budget(module) == []


IMPORTER = """
import importlib, json, sys
names, lazy = json.load(sys.stdin)
loaded = {}
for name in names:
    before = set(sys.modules)
    try:
        importlib.import_module(name)
        loaded[name] = sorted(set(lazy) & set(sys.modules) - before)
    except Exception as error:
        loaded[name] = [f"{type(error).__name__}: {error}"]
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """For each module the heavy libraries that its import loaded, in a fresh interpreter, one after the other."""
    names = [name for name in MODULES if not any(inside(name, home) for home in AT_HOME)]
    run = subprocess.run(
        [sys.executable, "-c", IMPORTER], input=json.dumps([names, sorted(LAZY)]), capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", [n for n in MODULES if not any(inside(n, home) for home in AT_HOME)])
def test_import_loads_nothing_heavy(loaded, name):
    assert loaded[name] == []


PROMISED = """
import types, geometry, rbo_ref
rooms = geometry.certified, geometry.shapes, rbo_ref.landscapes, rbo_ref.oracle
assert all(isinstance(room, types.ModuleType) for room in rooms)
assert rbo_ref.landscapes.sine is not None and geometry.certified.distance is not geometry.distance
"""


def test_rooms_are_attributes_of_their_package():
    subprocess.run([sys.executable, "-c", PROMISED], check=True)


HELP = """
import json, sys
from rbo_ref.cli import main
main(["--help"])
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def test_help_loads_no_command():
    run = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True)
    names = json.loads(run.stderr)
    assert [name for name in names if name.partition(".")[0] in LAZY] == []
    assert [name for name in names if inside(name, "rbo_ref.oracle")] == []
    assert all(command in run.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    assert main([command, "--help"]) == 0
    description = getattr(import_module(f"rbo_ref.cli._{command}"), f"_{command}").__doc__
    assert description.split()[:5] == capsys.readouterr().out.partition("\n\n")[2].split()[:5]


# Each rule can be broken.


def house(**sources: str) -> dict[str, Module]:
    """Modules from sources; a package is one that others are inside of."""
    names = {name.replace("__", "."): source for name, source in sources.items()}
    return {
        name: Module(name, source, any(other.startswith(name + ".") for other in names))
        for name, source in names.items()
    }


def test_the_sources_are_found():
    assert {"geometry", "geometry._namespace", "geometry.graph", "rbo_ref", "rbo_ref.oracle"} <= MODULES.keys()
    assert MODULES["rbo_ref.oracle"].is_package
    assert [i.target for i in imports(MODULES["geometry._namespace"], MODULES)].count("array_api_compat") > 0
    assert "geometry._autodiff" in {i.target for i in imports(MODULES["geometry._differentiable"], MODULES)}


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("geometry.graph", "import rbo_ref", "rbo_ref"),
        ("geometry.graph", "def f():\n    from rbo_ref.run import roll", "rbo_ref.run"),
        ("geometry.graph", "import array_api_compat.numpy", "array_api_compat.numpy"),
        ("geometry.graph", "try:\n    pass\nexcept ImportError:\n    import array_api_compat", "array_api_compat"),
        ("geometry._namespace", "from . import graph", "geometry.graph"),
        ("geometry._namespace", "from .graph import FunctionGraph", "geometry.graph"),
        ("geometry._kernels.cpu", "from ..graph import FunctionGraph", "geometry.graph"),
        ("rbo_ref.run", "from geometry import _safeguarded", "geometry._safeguarded"),
        ("rbo_ref.run", "from geometry._safeguarded import descend", "geometry._safeguarded"),
        ("rbo_ref.run", "with x:\n    import array_api_compat", "array_api_compat"),
    ],
)
def test_a_wrong_direction_is_seen(name, source, target):
    known = MODULES | house(geometry___kernels__cpu="")
    assert wrong_directions(Module(name, source), known) == [target]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (
            "rbo_ref.run",
            "from geometry import project\nfrom geometry._namespace import floating\nimport rbo_ref.oracle",
        ),
        ("geometry.graph", "from geometry._vectors import dot\nimport numpy"),
        ("geometry._kernels.cpu", "from geometry._namespace import Array"),
        ("geometry.graph", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rbo_ref"),
    ],
)
def test_a_right_direction_is_not(name, source):
    assert wrong_directions(Module(name, source), MODULES) == []


@pytest.mark.parametrize(
    ("name", "source", "libraries"),
    [
        ("geometry.graph", "import torch.func", ["torch"]),
        ("geometry.graph", "from jax import numpy", ["jax"]),
        ("geometry.graph", "try:\n    import cupy\nexcept ImportError:\n    import numba", ["cupy", "numba"]),
        ("geometry.graph", "class A:\n    import flint", ["flint"]),
        ("geometry.graph", "def f():\n    import torch", []),
        ("geometry._kernels.cpu", "import numba, matplotlib", ["matplotlib"]),
        ("rbo_ref.strategies", "import hypothesis, numba", ["numba"]),
    ],
)
def test_an_eager_import_is_seen(name, source, libraries):
    assert eager_imports(Module(name, source), MODULES) == libraries


def test_a_cycle_is_seen():
    assert import_cycle(house(a="from b import x", b="import c", c="def f():\n    import a")) == ["a", "b", "c", "a"]
    assert import_cycle(house(p="from p.m import x", p__m="from p import x")) == ["p", "p.m", "p"]
    assert import_cycle(house(p="from p.m import x", p__m="from p import n", p__n="import math")) == []


def test_a_hidden_module_is_seen():
    known = house(p="from p import m\nfrom p.n import n, o", p__m="", p__n="", p__o="")
    assert hidden(known["p"], known) == {"p.n", "p.o"}
    known = house(p="from p.n import m as k\ndef n(): ...", p__m="", p__n="")
    assert hidden(known["p"], known) == {"p.n"}


def test_a_long_chain_and_twins_are_seen():
    known = house(a="import b", b="import c\ndef f():\n    import d", c="", d="", p__b="", p___b="")
    assert longest_chain(known) == ["a", "b", "c"]
    assert twins(known) == {"b"}


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Module("m", "def f(): ..."), "__all__ is missing"),
        (Module("m", "__all__ = []\ndef f(): ..."), "f is public but not in __all__"),
        (Module("m", "__all__ = ['f']\ndef _f(): ..."), "f is in __all__ but not defined here"),
        (Module("m", "__all__ = ['f']\nfrom n import f"), "f is in __all__ but not defined here"),
        (Module("m", "__all__ = ['f', 'f']\ndef f(): ..."), "f is listed twice"),
        (Module("p", "__all__ = []\nfrom p.m import f", True), "f is public but not in __all__"),
    ],
)
def test_a_wrong_export_is_seen(module, message):
    assert wrong_exports(module) == [message]


def test_a_right_export_is_not():
    source = "__all__ = ['C', 'F', 'f']\nfrom p._n import C\nF: int = 1\nG = 2\ndef f(): ...\nclass _P: ..."
    assert wrong_exports(Module("p.m", source)) == []


def test_a_missing_docstring_or_example_is_seen():
    source = 'def f(): ...\nclass C:\n    """Doc."""\nclass R(NamedTuple):\n    """Doc."""\ndef _g(): ...'
    assert undocumented(Module("m", source), {("m", "C"), ("m", "R")}) == [
        "f has no docstring",
        "C has no Examples section",
    ]
    good = 'def f():\n    """Doc.\n\n    Examples\n    --------\n    >>> 1\n    1\n    """'
    assert undocumented(Module("m", good), {("m", "f")}) == []


def test_the_contract_is_what_packages_pass_on(promised):
    package = "from p import m\nfrom p.n import f, _h\n__all__ = ['f', 'm']"
    assert contract(house(p=package, p__m="__all__ = ['g']", p__n="")) == {("p.n", "f"), ("p.m", "g")}
    assert {("geometry.footpoint", "project"), ("rbo_ref.rolling_ball", "RollingBall")} <= promised


def test_what_is_too_long_is_seen():
    body = "\n".join("    x = 1" for _ in range(60))
    assert over_budget(Module("m", f"def f():\n{body}")) == ["f has 61 lines"]
    doc = '    """' + "\n" * 99 + '    """\n'
    assert over_budget(Module("m", f"def f():\n{doc}{body[:-10]}")) == []
    assert over_budget(Module("m", "\n" * 401)) == ["m has 401 lines"]
