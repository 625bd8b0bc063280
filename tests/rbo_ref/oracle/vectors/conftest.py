import pytest

from rbo_ref.oracle.vectors import VectorSet, generate


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A set of vectors, written once; tests copy what they change."""
    path = tmp_path_factory.mktemp("vectors")
    generate(path)
    return path


@pytest.fixture(scope="session")
def stock(folder):
    return VectorSet.open(folder)
