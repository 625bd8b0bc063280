"""Elements of XML and HTML, with any text in them."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement

__all__ = ["add", "clean"]

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Text without the characters that XML 1.0 cannot hold.

    Examples
    --------
    >>> clean("bell: \\x07")
    'bell: �'
    """
    return FORBIDDEN.sub("\ufffd", text)


def add(parent: Element, tag: str, text: Any = "", **attributes: Any) -> Element:
    """A new last child; ``class_`` is the attribute class, ``stroke_width`` is stroke-width.

    Examples
    --------
    >>> from xml.etree.ElementTree import tostring
    >>> table = Element("table")
    >>> tostring(add(table, "td", "1 < 2", class_="fail"))
    b'<td class="fail">1 &lt; 2</td>'
    """
    named = {name.rstrip("_").replace("_", "-"): clean(str(value)) for name, value in attributes.items()}
    child = SubElement(parent, tag, named)
    child.text = clean(str(text)) or None
    return child
