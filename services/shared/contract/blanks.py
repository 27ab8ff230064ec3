"""The blanks around a text that are no part of it where a contract says so."""

from __future__ import annotations

_OTHERS = (0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
BLANKS = "".join(map(chr, (*range(0x09, 0x0E), *_OTHERS)))
"""Spaces, tabs and line ends: what Unicode calls White_Space (https://www.unicode.org/Public/UCD/latest/ucd/PropList.txt),
but for U+0085, the control character that ISO-8859-1 has for an ellipsis of Windows-1252."""
