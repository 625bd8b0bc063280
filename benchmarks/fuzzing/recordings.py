"""Damaged recordings, inside archives too: the answer is a verdict or a sentence."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np

from fuzzing import in_a_sentence
from rbo_ref import landscapes
from rbo_ref.oracle import Recording, RightPort, check_trajectory
from rbo_ref.oracle.replay import save_recording

COUNT = 100_000
HYPER = {"learning_rate": 1e-3, "radius": 0.1, "projection_rate": 1e-3, "projection_steps": 2}
STEPS = 5
WORDS = [
    b"NaN", b"Infinity", b"-1e999", b"null", b"true", b"[", b"]", b"{", b"}", b'"', b",", b";", b"\n", b"\r\n", b"#",
    b"-", b"0", b"0x", b"0x7ff0000000000000", b"theta", b"theta_0", b"1e308", b"1_000", b"0,5", b"dtype", b"float16",
    b"bfloat16", b"9" * 400, b"\xff", b"\0", b"\xef\xbb\xbf", b"projection_steps", b"1000000000", b"[" * 2000,
    b'{"a":' * 2000,
]  # fmt: skip


def prepared(folder: Path) -> Callable[[int, Random], str]:
    warnings.simplefilter("error")
    np.seterr(all="ignore")
    originals, path = samples(folder), folder / "damaged"

    def attempt(number: int, random: Random) -> str:
        original = random.choice(originals)
        inside = original.startswith(b"PK") and random.random() < 0.8
        path.write_bytes(damaged_inside(original, random) if inside else damaged(original, random))
        try:
            return check_trajectory(path, diagnosis=number % 50 == 0).verdict
        except (TypeError, ValueError) as error:
            return in_a_sentence(str(error))

    return attempt


def damaged(data: bytes, random: Random) -> bytes:
    """A few bits flipped, bytes lost, repeated or replaced, or the end cut off."""
    result = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5))):
        i = random.randrange(len(result) + 1)
        j = min(len(result), i + random.choice((1, 2, 8, 40)))
        kind = random.randrange(9)
        if kind == 0 and result:
            result[i - 1] ^= 1 << random.randrange(8)
        elif kind == 1:
            result[i:j] = b""
        elif kind == 2:
            result[i:i] = random.choice(WORDS)
        elif kind == 3:
            result[i:j] = random.choice(WORDS)
        elif kind == 4:
            result[i:i] = result[i:j]
        elif kind < 8:  # this one gets as far as the judge
            for place in random.choices([n for n, byte in enumerate(result) if byte in b"0123456789"] or [0]):
                result[place : place + 1] = str(random.randrange(10)).encode()
        else:
            del result[i:]
    return bytes(result)


def damaged_inside(data: bytes, random: Random) -> bytes:
    """An intact archive with one damaged member."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w") as new:
        unlucky = random.choice(old.namelist())
        for name in old.namelist():
            member = old.read(name)
            new.writestr(name, damaged(member, random) if name == unlucky else member)
    return result.getvalue()


def samples(folder: Path) -> list[bytes]:
    """Small recordings of all kinds, of one run of a right port."""
    surface, port, theta = landscapes.rosenbrock(), RightPort(), [np.array([0.5, 0.25])]
    for _ in range(STEPS):
        theta.append(np.asarray(port(surface.value_and_gradient, theta[-1], **HYPER)))
    path = np.stack(theta)
    value, gradient = surface.value_and_gradient(path[:-1])
    inner = np.stack([path[:-1], path[1:]], axis=1)
    told = {"inner": inner, "inner_value": np.stack([value] * 2, 1), "inner_gradient": np.stack([gradient] * 2, 1)}
    schedule = HYPER | {"radius": np.full(STEPS, 0.1), "projection_steps": np.full(STEPS, 2)}
    recordings = {
        "a": Recording(path, loss="rosenbrock", **HYPER),
        "b": Recording(path, loss="rosenbrock", **schedule),
        "c": Recording(path, value=value, gradient=gradient, **HYPER, **told),
    }
    found = []
    for name, recording in recordings.items():
        for suffix in ("npz", "jsonl") if name == "c" else ("npz", "csv", "jsonl"):
            for bits in (False, True):
                save_recording(recording, folder / f"{name}.{suffix}", bits=bits)
                found.append((folder / f"{name}.{suffix}").read_bytes())
    return found
