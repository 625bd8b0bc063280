"""The catalogue of laws as a document."""

from __future__ import annotations

from rbo_ref.laws.law import LAWS, VERBS, Law

__all__ = ["rst"]


def rst() -> str:
    """All laws with statement, domain and source, in reStructuredText: the catalogue in ``docs/laws.rst``.

    Examples
    --------
    >>> print(rst().splitlines()[0])
    ``step(loss, theta, *, learning_rate, radius, projection_rate, projection_steps)``
    """
    groups: dict[tuple[str, ...], list[Law]] = {}
    for law in LAWS.values():
        groups.setdefault(law.verbs, []).append(law)
    ordered = sorted(groups, key=lambda verbs: [list(VERBS).index(verb) for verb in verbs])
    return "\n".join(_section(verbs, groups[verbs]) for verbs in ordered)


def _section(verbs: tuple[str, ...], laws: list[Law]) -> str:
    title = f"``{VERBS[verbs[0]]}``" if len(verbs) == 1 else ", ".join(f"``{verb}``" for verb in verbs)
    return "\n".join([title, "-" * len(title), "", *map(_entry, laws)])


def _entry(law: Law) -> str:
    text = f"**{law.name}**\n    {law.statement}\n\n    *Domain:* {law.domain}. *Source:* {law.source}.\n"
    return text.replace("|", "\\|")  # a pair of bars is a substitution
