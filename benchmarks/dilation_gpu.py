"""Time of the dilation by a ball on a GPU, against cupyx.scipy.ndimage and our own CPU path: medians, in turns.

The peer's cost is proportional to the size of the ball; it gets a part of the samples where it would take long, and the
time per sample counts. Arrays lie on the device before the clock starts. Needs CuPy and a CUDA device.

    python benchmarks/dilation_gpu.py
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from dilation import ball, image, in_turns, spectrum

from geometry import dilate


def cases() -> list[tuple[str, Callable[[], np.ndarray], int, int]]:
    """What, its heights, the radius, and along each axis the part that the peer gets."""
    lines = [("1-D, 10^7, spectrum", lambda: spectrum(10**7), r, 10**8 // r) for r in (100, 1000, 10**5)]
    planes = [
        (f"2-D, {n}², {kind}", lambda kind=kind, n=n: image(kind, n), radius, part)
        for n, radius, part in ((1024, 10, 1024), (1024, 50, 512), (1024, 100, 256), (4096, 500, 128))
        for kind in ("natural", "noise", "smooth", "ramp")
    ]
    z, y, x = np.mgrid[:128, :128, :128]
    solid = ("3-D, 128³, smooth", lambda: 100 * np.sin(x / 20) * np.cos(y / 15) + 50 * np.sin((x + y + z) / 9), 20, 48)
    return [*lines, *planes, solid]


def main() -> None:
    import cupy
    from cupyx.scipy.ndimage import grey_dilation

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(cupy.cuda.runtime.getDeviceProperties(0)["name"].decode())
    print(f"{'':32} {'ns/sample':>10} {'cupyx':>10} {'ratio':>8} {'our CPU':>10} {'ratio':>8}")
    for what, make, radius, part in cases():
        heights = make()
        there = cupy.asarray(heights)
        corner = there[tuple(slice(0, part) for _ in there.shape)].copy()
        structure = cupy.asarray(ball(radius, there.ndim)) if radius < 10**5 else None

        def ours(there=there, radius=radius) -> None:
            dilate(there, radius)
            cupy.cuda.Device().synchronize()

        def theirs(corner=corner, structure=structure) -> None:
            if structure is not None:
                grey_dilation(corner, structure=structure, mode="constant", cval=-np.inf)
                cupy.cuda.Device().synchronize()

        ours(), theirs(), dilate(heights, radius)  # compiled
        times = in_turns(repeats, ours, theirs, lambda h=heights, r=radius: dilate(h, r))
        gpu, peer, cpu = (t / size * 1e9 for t, size in zip(times, (there.size, corner.size, there.size), strict=True))
        against = f"{peer:10.2f} {peer / gpu:8.1f}" if structure is not None else f"{'-':>10} {'-':>8}"
        print(f"{what + f', radius {radius}':32} {gpu:10.3f} {against} {cpu:10.2f} {cpu / gpu:8.1f}", flush=True)


if __name__ == "__main__":
    main()
