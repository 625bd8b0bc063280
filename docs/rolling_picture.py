"""The picture of `rolling.rst`: ``python docs/rolling_picture.py`` writes ``docs/rolling.png``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from geometry import closing, opening, rolling_ball
from geometry._files import whole_file
from rbo_ref._canvas import FAINT, INK, NEXT, NOW, new_figure

RADIUS, STEP = 0.35, 0.005


def main() -> None:
    """Write the picture."""
    x = np.arange(0, 4, STEP)
    profile = 0.25 * np.sin(2 * x) + 0.12 * np.sin(9 * x) + 0.5 * np.exp(-(((x - 2.6) / 0.05) ** 2))
    figure, (ax,) = new_figure(1, layout="constrained")
    figure.set_size_inches(8, 3.2)
    ax.plot(x, profile, color=INK, linewidth=1, label="profile")
    ax.plot(x, closing(profile, RADIUS, spacing=STEP), color=NOW, label="closing: balls from above")
    ax.plot(x, opening(profile, RADIUS, spacing=STEP), color=NEXT, label="opening: balls from below")
    apex = rolling_ball(profile, RADIUS, spacing=STEP)
    ax.plot(x, apex, color=FAINT, linestyle="--", label="rolling_ball: apex of the ball below")
    turn = np.linspace(0, 2 * np.pi, 200)
    for place in (1.25, 2.6):
        centre = apex[round(place / STEP)] - RADIUS
        ax.plot(place + RADIUS * np.cos(turn), centre + RADIUS * np.sin(turn), color=NEXT, linewidth=0.7)
    ax.set(aspect="equal", xlabel="position", ylabel="height")
    ax.legend(frameon=False, fontsize="small", loc="lower left")
    with whole_file(Path(__file__).with_name("rolling.png")) as file:
        figure.savefig(file, format="png", dpi=100)


if __name__ == "__main__":
    main()
