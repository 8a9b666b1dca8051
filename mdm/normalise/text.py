"""Plain, bounded, printable text and addresses out of a stranger's HTML and Unicode."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import urlsplit

import nh3

MAX_TITLE = 300
MAX_DESCRIPTION = 8000
MAX_URL = 2000

# Letters that are no letter with a mark.
_PLAIN = str.maketrans({"ß": "ss", "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "æ": "ae", "œ": "oe"})
_BLOCK = re.compile(r"<\s*(?:br|hr|/?(?:p|li|div|tr|td|h[1-6]))\b[^>]{0,200}>", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
# Control characters, zero-width marks, bidirectional overrides and isolates, line separators,
# byte-order mark, private use and lone surrogates: none of them is seen, all of them can deceive.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\uffff\ud800-\udfff\ue000-\uf8ff]"
)


def plain_text(text: str | None, limit: int) -> str | None:
    """Without markup, unseen characters and runs of blanks, cut at a word; None when empty."""
    if not text:
        return None
    # Markup can be longer than its text, but not without bound.
    text = text[: limit * 8]
    if "<" in text:
        text = nh3.clean(_BLOCK.sub(" ", text), tags=set())
    if "&" in text:
        text = html.unescape(text)
    text = _UNSEEN.sub("", unicodedata.normalize("NFC", text).replace("\n", " "))
    text = _SPACES.sub(" ", text).strip()
    if len(text) > limit:
        text = text[:limit].rsplit(" ", 1)[0].rstrip(" ,;:-") or text[:limit]
    return text or None


def web_address(url: str | None) -> str | None:
    """The address when it is a plain http or https one with a host, else None."""
    if not url:
        return None
    url = url.strip()
    if len(url) > MAX_URL or _UNSEEN.search(url) or _SPACES.search(url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    return url


def folded(text: str) -> str:
    """Lower case without accents, for comparing words: `Téléviseur` -> `televiseur`."""
    if text.isascii():
        return text.lower()
    text = text.translate(_PLAIN)
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(each for each in decomposed if not unicodedata.combining(each)).casefold()
