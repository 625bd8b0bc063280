import pytest

from rbo_ref.oracle.vectors import VectorSet, generate, generation


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A set of vectors, written once; tests copy what they change."""
    path = tmp_path_factory.mktemp("vectors")
    generate(path)
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
