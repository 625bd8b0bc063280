"""The files of a set: the same wherever they are written, and guarded against change."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from rbo_ref.oracle.freezing import derived
from rbo_ref.oracle.vectors import SUITE, VectorError, VectorSet, generate, generation, reading

SOME = """
import hashlib, sys
from itertools import islice
from rbo_ref.oracle.vectors import generation
from rbo_ref.oracle.vectors.footpoints import footpoint_vectors
from rbo_ref.oracle.vectors.quantities import quantity_vectors
from rbo_ref.oracle.vectors.runs import run_vectors
from rbo_ref.oracle.vectors.trajectories import trajectory_vectors

digest = hashlib.sha256()
for drafts in (footpoint_vectors(), run_vectors(), quantity_vectors()):
    for record, _ in islice(drafts, 24):
        digest.update(generation.line(record).encode())
digest.update(generation.npz(next(trajectory_vectors()).arrays))
print(digest.hexdigest())
"""


def test_they_are_the_same_in_every_process():
    digests = {
        subprocess.run(
            [sys.executable, "-c", SOME], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_the_manifest_lists_every_file(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["suite"] == SUITE
    files = {entry["path"]: entry for entry in manifest["files"]}
    assert {path.name for path in folder.iterdir()} == files.keys() | {"manifest.json"} == generation.names()
    for name, entry in files.items():
        content = (folder / name).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert sum(entry["bytes"] for entry in files.values()) < 10e6


def test_there_are_vectors_of_all_kinds_formats_and_dialects(stock):
    told = [(v["optimizer"], v["kind"], v["dtype"], v["dialect"]) for v in stock.vectors.values()]
    assert len(told) >= 800
    optimizers, kinds, dtypes, dialects = (set(column) for column in zip(*told, strict=True))
    assert len(optimizers) == 10
    assert kinds == {"primitives", "inner", "projection", "run", "scripted", "trajectory", "footpoint"}
    assert dtypes == {"float16", "bfloat16", "float32", "float64"}
    assert dialects >= {"authors", "half-candidate", "full-contact", "full-candidate", "match_rms_adamw", "code"}


def test_the_must_pass_list_is_that_of_the_decidable_vectors(stock):
    """Frozen: a vector that is lost, or can no longer be decided, is seen."""
    decidable = {name for name, vector in stock.vectors.items() if vector["decidable"]}
    assert stock.must_pass == decidable
    assert len(decidable) > 0.95 * len(stock.vectors)


def test_published_vectors_keep_their_meaning(stock):
    """And new ones are listed: ``rbo-ref freeze``."""
    assert {name: derived.digest_of(stock, vector) for name, vector in stock.vectors.items()} == derived._digests()


def test_arrays_carry_no_date_and_no_pickle(folder):
    with zipfile.ZipFile(folder / "trajectories.npz") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    arrays = reading.read_arrays((folder / "trajectories.npz").read_bytes())
    assert all(array.dtype.str in ("<f4", "<f8") for array in arrays.values())


@pytest.mark.parametrize("array", [np.zeros(0), np.arange(3.0, dtype=">f4"), np.ones((2, 3))])
def test_npz_is_read_back(array):
    with np.load(io.BytesIO(generation.npz({"a/b": array})), allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["a/b"], array)


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(FileExistsError, match=r"holds 'thesis\.tex', which is not of a set of vectors"):
        generate(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_changed_file_is_not_read(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "sam.jsonl").write_bytes(b"")
    with pytest.raises(VectorError, match=r"sam\.jsonl was changed"):
        VectorSet.open(tmp_path)
    (tmp_path / "sam.jsonl").unlink()
    with pytest.raises(VectorError, match=r"cannot read .*sam\.jsonl"):
        VectorSet.open(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"\x80\x04pickle"])
def test_rubbish_is_no_file_of_arrays(content):
    with pytest.raises(VectorError, match="not a file of arrays"):
        reading.read_arrays(content)


def test_the_truth_is_that_of_the_oracle(stock):
    """Of runs that evaluate the loss, and of steps that are served it."""
    from geometry.arithmetic.formats import format_of, nearest
    from rbo_ref.oracle.cases import all_cases
    from rbo_ref.oracle.dialects import DIALECTS
    from rbo_ref.oracle.truth import true_step
    from rbo_ref.oracle.vectors.loss_records import held

    target, compared = format_of("float64"), 0
    for case in all_cases():
        for dialect in DIALECTS.values():
            vector = stock.vectors.get(f"rolling-ball.run.{case.id}.{dialect.name}.float64")
            if vector is not None:
                step = true_step(held(case.loss), tuple(case.start(target)), case.hyper(0), dialect, target)
                expected = vector["expected"]["iterates"]
                for i, ball in enumerate(step.theta.value):
                    number = nearest(ball.mid(), target)
                    low, high = (reading.decode(expected[end][0][i], target) for end in ("lower", "upper"))
                    assert low <= number <= high
                compared += 1
    assert compared > 50
