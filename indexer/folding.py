"""Letters as a shopper types them: lower case, no accents, one spelling of umlauts. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans(
    {
        "ß": "ss", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d",
        "ð": "d", "þ": "th", "ı": "i",
        "’": "'", "‘": "'", "ʼ": "'", "´": "'",
        "″": '"', "”": '"', "“": '"', "„": '"', "‑": "-", "–": "-", "—": "-", "−": "-",
        "×": "x", "²": "2", "³": "3", "µ": "u", "μ": "u",
    }
)  # fmt: skip
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_GERMAN_AE = re.compile(r"ae|oe|(?<![aeq])ue")
_NOT_KEY = re.compile(r"[\W_]+")


def fold(text: str, language: str = "") -> str:
    """Lower case without accents. In German `ae`, `oe`, `ue` read as the umlauts they stand for."""
    text = text.lower().replace("`", "'")
    if not text.isascii():
        text = _NOT_ASCII.sub(lambda match: _plain(match[0]), text)
    return _GERMAN_AE.sub(lambda match: match[0][0], text) if language == "de" else text


@lru_cache(maxsize=4_096)
def _plain(letters: str) -> str:
    """Letters beyond ASCII that stand together."""
    decomposed = unicodedata.normalize("NFKD", letters.translate(_LETTERS))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@lru_cache(maxsize=20_000)
def key(text: str) -> str:
    """A name as it is compared and written in addresses: `De'Longhi` and `DELONGHI` -> `delonghi`.

    Words are joined by hyphens; at most 80 characters.
    """
    return _NOT_KEY.sub("-", fold(text).replace("'", "")).strip("-")[:80].strip("-")
