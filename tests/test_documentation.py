"""The site: every public name has its place in the reference, every page in the contents."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import geometry
import rbo_ref

DOCS = Path(__file__).parents[1] / "docs"
MODULES = [
    "geometry",
    "geometry.certified",
    "geometry.expressions",
    "rbo_ref",
    "rbo_ref.landscapes",
    "rbo_ref.laws",
    "rbo_ref.oracle",
]


def documented() -> dict[str, list[str]]:
    """The names that the reference describes, by module."""
    names: dict[str, list[str]] = {}
    for page in (DOCS / "reference").glob("*.rst"):
        text = page.read_text("utf-8")
        for module in re.findall(r"^\.\. currentmodule:: (.+)$", text, re.MULTILINE):
            found = re.findall(r"^\.\. auto(?:class|function|data|module):: (.+)$", text, re.MULTILINE)
            names.setdefault(module, []).extend(name.removeprefix(f"{module}.") for name in found)
    return names


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_described_once(module):
    public = {n for n in import_module(module).__all__ if n != "__version__" and not n.startswith("of_")}
    found = documented()[module]
    assert sorted(found) == sorted(set(found))
    assert set(found) - {"surface.Surface"} == public


def test_every_page_is_in_the_contents():
    listed = set()
    for index in (DOCS / "index.rst", DOCS / "reference/index.rst"):
        folder = index.parent.relative_to(DOCS)
        listed |= {folder / name for name in re.findall(r"^   ([a-z_/]+)$", index.read_text("utf-8"), re.MULTILINE)}
    pages = {page.relative_to(DOCS).with_suffix("") for page in DOCS.rglob("*.rst")}
    assert listed == pages - {Path("index")}


def test_one_version():
    assert geometry.__version__ == rbo_ref.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", rbo_ref.__version__)
    for page, line in (("CITATION.cff", "version: {}\n"), ("CHANGELOG.rst", "{}")):
        assert line.format(rbo_ref.__version__) in (DOCS.parent / page).read_text("utf-8")
