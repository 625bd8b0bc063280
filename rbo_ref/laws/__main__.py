"""``python -m rbo_ref.laws`` prints the catalogue, which ``docs/laws.rst`` holds."""

from rbo_ref.laws.table import rst

__all__: list[str] = []

print(rst())
