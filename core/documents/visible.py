"""Shows what a terminal would obey: control characters of texts that come from files, plugins or the network.

Escape sequences retitle a window, change what was printed before, or type answers; other characters reverse the order
of what follows them. They are shown as Python writes them, such as ``\\x1b``.
"""

from __future__ import annotations

import re

# Controls but tab and line feed, marks of direction, separators of lines, and halves of surrogate pairs.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Return a text in which control characters but tab and line feed are written as escapes."""
    return _CONTROLS.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
