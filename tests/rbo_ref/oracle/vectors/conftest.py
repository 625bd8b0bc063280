import os
from importlib import import_module
from importlib.util import find_spec

import pytest

from rbo_ref.oracle.vectors import VectorSet, generate, generation

fcntl = import_module("fcntl") if find_spec("fcntl") else None


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A set of vectors, written once for all processes of a run; tests copy what they change."""
    base = tmp_path_factory.getbasetemp()
    return written_once(base.parent if fcntl and "PYTEST_XDIST_WORKER" in os.environ else base)


def written_once(base):
    """The set below a folder; who comes second waits for the first, where the system can lock files."""
    path = base / "vectors"
    with (base / "vectors.lock").open("ab") as lock:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            generate(base / "vectors.new")
            (base / "vectors.new").rename(path)
    return path


@pytest.fixture(scope="session")
def stock(folder):
    return VectorSet.open(folder)


@pytest.fixture(scope="session")
def small(stock):
    """The files of a small set: some of SAM, some footpoints, a trajectory."""
    chosen = [
        v for name, v in stock.vectors.items() if name.startswith(("sam.run.", "footpoint.valley", "footpoint.wells"))
    ]
    chosen += [next(v for v in stock.vectors.values() if v["kind"] == "trajectory")]
    records = [v | {"flags": [flag for flag in v["flags"] if flag.startswith("footpoint")]} for v in chosen]
    losses = {v["loss"]: stock.losses[v["loss"]] for v in records}
    return generation.packed(records, losses, stock.arrays, "".join(f"{v['id']}\n" for v in records))


@pytest.fixture
def copy(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("copy")
    for name, content in small.items():
        (path / name).write_bytes(content)
    return path
