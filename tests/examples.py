"""How many examples of a property are drawn: as many as prove something, and twenty times as many with ``--full``."""

from hypothesis import settings


def examples(count: int) -> settings:
    """The settings of a property of which `count` examples are drawn."""
    return settings(max_examples=count * settings.default.max_examples // 100)
