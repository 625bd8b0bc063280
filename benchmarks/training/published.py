"""What the authors of RBO published, to be printed beside what comes out here."""

from __future__ import annotations

__all__ = ["OPTIMIZERS", "ROWS", "SOURCE", "table"]

SOURCE = (
    "Published by Belgoumri et al. (v3, 24 October 2025), Table 1: test accuracy in %, quoted at second hand.\n"
    "10 epochs for each, so that RBO and SAM had more gradients than SGD; no tuning, SGD without momentum."
)
OPTIMIZERS = ("SGD", "Entropy-SGD", "SAM", "RBO")
ROWS = {
    "MNIST/MLP": (91.77, 95.22, 97.22, 97.51),
    "MNIST/ResNet-6": (97.59, 98.18, 99.11, 99.07),
    "MNIST/VGG-9": (98.78, 98.57, 99.39, 99.27),
    "CIFAR-10/ResNet-8": (56.54, 59.16, 69.09, 71.58),
    "CIFAR-10/VGG-9": (66.04, 65.46, 77.81, 81.87),
    "CIFAR-100/ResNet-8": (19.28, 28.33, 36.26, 37.11),
    "CIFAR-100/VGG-9": (29.37, 28.98, 47.17, 50.07),
}


def table() -> str:
    """The published figures as text."""
    lines = [SOURCE, "", " " * 20 + "".join(f"{name:>13}" for name in OPTIMIZERS)]
    lines += [f"{name:<20}" + "".join(f"{figure:>13.2f}" for figure in figures) for name, figures in ROWS.items()]
    return "\n".join(lines)
