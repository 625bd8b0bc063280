"""Which pages' examples are run: those whose libraries are here."""

from importlib.util import find_spec

NEEDS = {"differentiation.rst": ("jax", "torch")}

collect_ignore = ["conf.py", *(page for page, libraries in NEEDS.items() if not all(map(find_spec, libraries)))]
