"""How many examples of a property are drawn: as many as prove something, and twenty times as many with ``--full``."""

from collections.abc import Iterable

from hypothesis import settings


def examples(count: int) -> settings:
    """The settings of a property of which `count` examples are drawn."""
    return settings(max_examples=count * settings.default.max_examples // 100)


def some(names: Iterable[str], count: int) -> list[str]:
    """All of them with ``--full``, otherwise `count`, spread evenly."""
    every = list(names)
    return every if settings.default.max_examples > 100 else every[:: -(-len(every) // count)]
