"""Time and work of the dilation by a ball against SciPy and scikit-image: equal threads, in turns, medians.

The peers' cost is proportional to the number of samples and to the size of the ball; where it would take minutes they
get a part of the samples ("part"), and the time per sample counts. Evaluations are sums of a sample and a weight, per
sample of the result: they do not depend on the machine.

    python benchmarks/dilation.py            # everything
    python benchmarks/dilation.py line plane # some of: line, plane, volume, large, libraries, compile
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.ndimage import gaussian_filter, grey_dilation

from geometry import dilate
from geometry._ball import ball_on_grid
from geometry._dilation import dilation
from geometry._kernels.numba_dilation import roll


def spectrum(n: int) -> np.ndarray:
    """Peaks on a noisy ground."""
    x = np.arange(n)
    return np.random.default_rng(0).normal(size=n) / 2 + 50 * np.exp(-(((x % 5000) - 2500.0) ** 2) / 200)


def image(kind: str, n: int) -> np.ndarray:
    """Images of the range 0 to 255 or so; "natural" has edges, texture and noise at all scales."""
    y, x = np.mgrid[:n, :n].astype(float)
    rng = np.random.default_rng(0)
    if kind == "natural":
        layers = [gaussian_filter(rng.normal(size=(n, n)), scale, mode="wrap") * scale for scale in (1, 4, 16, 64)]
        picture = sum(layers) + 2.0 * np.sign(gaussian_filter(rng.normal(size=(n, n)), 24, mode="wrap"))
        return np.interp(picture, (picture.min(), picture.max()), (0, 255))
    return {
        "noise": lambda: 255 * rng.random((n, n)),
        "smooth": lambda: 100 * np.sin(x / 60) * np.cos(y / 45) + 50 * np.sin((x + y) / 25),
        "ramp": lambda: 3.0 * x + 2.0 * y,
    }[kind]()


def ball(radius: int, ndim: int) -> np.ndarray:
    squares = sum(axis**2 for axis in np.ogrid[(slice(-radius, radius + 1),) * ndim])
    return np.where(squares <= radius**2, np.sqrt(np.maximum(radius**2 - squares, 0.0)), -np.inf)


def by_scipy(heights: np.ndarray, radius: int) -> np.ndarray:
    return grey_dilation(heights, structure=ball(radius, heights.ndim), mode="constant", cval=-np.inf)


def by_skimage(heights: np.ndarray, radius: int, workers: int) -> np.ndarray:
    from skimage.restoration import rolling_ball

    return radius - rolling_ball(-heights, radius=radius, workers=workers)


def evaluations(heights: np.ndarray, radius: float) -> float:
    half = (grid := ball_on_grid(radius, 1.0, heights.ndim)).half_widths(heights.shape)
    contacts = np.empty((0,) * heights.ndim, np.int64)
    work = roll(heights, grid.cap(half), (0,) * heights.ndim, np.empty_like(heights), contacts, 1)
    return work / heights.size


def in_turns(repeats: int, *runs: Callable[[], object]) -> list[float]:
    """Median seconds of each."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for run, taken in zip(runs, times, strict=True):
            begin = time.perf_counter()
            run()
            taken.append(time.perf_counter() - begin)
    return [float(np.median(taken)) for taken in times]


def report(what: str, ours: float, theirs: float, size: int, peer: str, part: int, work: float) -> None:
    per_sample = ours / size * 1e9, theirs / part * 1e9
    print(
        f"{what:38} {per_sample[0]:10.1f} {per_sample[1]:12.1f} {per_sample[1] / per_sample[0]:9.1f}  {peer:12} "
        f"{'part' if part < size else '':4} {work:9.1f}",
        flush=True,
    )


def line(repeats: int, workers: int) -> None:
    heights = spectrum(10**6)
    for radius, part in ((10, 10**6), (100, 10**6), (1000, 10**5)):
        runs = (lambda r=radius: dilate(heights, r, workers=1)), (lambda r=radius, p=part: by_scipy(heights[:p], r))
        ours, theirs = in_turns(repeats, *runs)
        work = evaluations(heights, radius)
        report(f"1-D, 10^6, radius {radius}, 1 thread", ours, theirs, heights.size, "scipy", part, work)
    short, long = in_turns(repeats, lambda: dilate(heights, 100, workers=1), lambda: dilate(heights, 10**5, workers=1))
    print(f"1-D, 10^6: time at radius 10^5 / time at radius 100 = {long / short:.2f}")
    for name, many in (("spectrum", spectrum(10**7)), ("ramp", 0.7 * np.arange(10.0**7))):
        for radius in (100, 10**4, 10**6):
            (taken,) = in_turns(repeats, lambda r=radius, m=many: dilate(m, r, workers=workers))
            print(f"1-D, 10^7, {name}, radius {radius}: {taken:.3f} s on {workers} threads")


def plane(repeats: int, workers: int) -> None:
    for radius, part in ((5, 512), (10, 512), (20, 256), (50, 256), (100, 128)):
        for kind in ("natural", "noise", "smooth", "ramp"):
            heights = image(kind, 1024)
            runs = (
                lambda r=radius, h=heights: dilate(h, r, workers=workers),
                lambda r=radius, h=heights, p=part: by_skimage(np.ascontiguousarray(h[:p, :p]), r, workers),
            )
            ours, theirs = in_turns(repeats, *runs)
            what = f"2-D, 1024², {kind}, radius {radius}, {workers} threads"
            report(what, ours, theirs, heights.size, "scikit-image", part**2, evaluations(heights, radius))


def volume(repeats: int, workers: int) -> None:
    n = 128
    z, y, x = np.mgrid[:n, :n, :n].astype(float)
    rng = np.random.default_rng(0)
    volumes = {
        "natural": 2000 * gaussian_filter(rng.random((n, n, n)), 2),
        "noise": 255 * rng.random((n, n, n)),
        "smooth": 100 * np.sin(x / 20) * np.cos(y / 15) + 50 * np.sin((x + y + z) / 9),
        "ramp": 2 * x + y + 1.5 * z,
    }
    for kind, heights in volumes.items():
        # SciPy's tables of 128³ would take 18 GB, and as long as the work; those of a slab are smaller, and the
        # difference of two slabs with the same tables is the work alone.
        runs = [lambda h=heights: dilate(h, 20, workers=1)]
        runs += [lambda h=heights, n=n: by_scipy(np.tile(h[:12, :12], 2)[..., :n].copy(), 20) for n in (60, 256)]
        ours, short, long = in_turns(repeats, *runs)
        what = f"3-D, 128³, {kind}, radius 20, 1 thread"
        report(what, ours, long - short, heights.size, "scipy", 144 * (256 - 60), evaluations(heights, 20))


def large(repeats: int, workers: int) -> None:
    for kind in ("natural", "noise", "smooth"):
        heights = image(kind, 4096)
        (taken,) = in_turns(min(repeats, 3), lambda h=heights: dilate(h, 500, workers=workers))
        tracemalloc.start()
        dilate(heights, 500, workers=workers)
        peak = tracemalloc.get_traced_memory()[1] / heights.nbytes
        tracemalloc.stop()
        print(f"2-D, 4096², {kind}, radius 500: {taken:.2f} s on {workers} threads; allocates {peak:.2f} × the image")


def libraries(repeats: int, workers: int) -> None:
    """Arrays of PyTorch and JAX against NumPy's, and against the generic body on the same arrays."""
    import jax
    import torch

    jax.config.update("jax_enable_x64", True)
    radius = 20
    cap = ball_on_grid(radius, 1.0, 2).cap((radius, radius))
    for n in (512, 2048):
        heights = image("natural", n)
        for name, array in (("torch", torch.asarray(heights)), ("jax", jax.numpy.asarray(heights))):
            runs = [partial(dilate, a, radius, workers=workers) for a in (array, heights)]
            if n == 512:
                runs.append(lambda a=array: np.asarray(dilation(a, cap, (0, 0), a.shape)[0]))
            ours, theirs, *generic = in_turns(repeats, *runs)
            ratios = f"{ours / theirs:.2f} × the time of NumPy's array"
            ratios += "".join(f", {ours / time:.4f} × that of the generic body" for time in generic)
            print(f"2-D, {n}², natural, radius {radius}, {workers} threads, {name}: {ratios}")


FIRST_CALL = """
import time; import numpy as np; import geometry
heights = np.zeros({shape})
start = time.perf_counter(); geometry.dilate(heights, {radius}); print(time.perf_counter() - start)
"""


def compile_times(repeats: int, workers: int) -> None:
    """The first call in a process: with nothing on disk, and with the compiled code on disk."""
    for what, shape, radius in (("line", 100, 50), ("tiles", (99, 99), 30), ("strips", (99, 99), 3)):
        with tempfile.TemporaryDirectory() as cache:
            run = [sys.executable, "-c", FIRST_CALL.format(shape=shape, radius=radius)]
            environment = os.environ | {"NUMBA_CACHE_DIR": cache}
            cold, warm = (float(subprocess.check_output(run, env=environment)) for _ in range(2))
        print(
            f"first call, {what}: {cold:.2f} s when it compiles, {warm:.2f} s from the disk (with the import of numba)"
        )


PARTS = {
    "line": line,
    "plane": plane,
    "volume": volume,
    "large": large,
    "libraries": libraries,
    "compile": compile_times,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2, help="threads, for us and for scikit-image")
    arguments = parser.parse_args()
    dilate(np.zeros(100), 50), dilate(np.zeros((99, 99)), 30), dilate(np.zeros((99, 99)), 3)  # compiled
    print(f"{'':38} {'ns/sample':>10} {'peer':>12} {'ratio':>9}  {'peer':12} {'':4} {'evals':>9}")
    for part in arguments.parts or PARTS:
        PARTS[part](arguments.repeats, arguments.workers)


if __name__ == "__main__":
    main()
