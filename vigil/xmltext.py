"""Documents of XML as feeds are: elements by their written names, and text that XML can hold."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

ATOM_NAMES = "http://www.w3.org/2005/Atom"
"""What ``xmlns:atom`` stands for."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def add(parent: ET.Element, name: str, text: str | None = None, /, **attributes: str) -> ET.Element:
    """A new last child; what XML 1.0 cannot hold of a text becomes U+FFFD.

    Names have their prefix, as in ``atom:link``; the root says what prefixes stand for.
    """
    made = ET.SubElement(parent, name, {key: clean(value) for key, value in attributes.items()})
    if text is not None:
        made.text = clean(text)
    return made


def clean(text: str) -> str:
    """A text without characters that XML 1.0 (section 2.2) does not allow."""
    return _NOT_XML.sub("\ufffd", text)


def document(root: ET.Element) -> bytes:
    """The whole document, in UTF-8."""
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body
