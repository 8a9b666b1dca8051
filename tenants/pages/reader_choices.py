"""Language and scheme a reader has chosen: by link, then by cookie, then by the browser. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SCHEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class ReaderChoices:
    """`to_keep` are cookies to set (name -> value): what was chosen by link on this request."""

    language: str
    scheme: str
    to_keep: Mapping[str, str]


def reader_choices(
    query: Mapping[str, str],
    cookies: Mapping[str, str],
    accept_language: str,
    languages: Sequence[str],
) -> ReaderChoices:
    """Choices for one request; `languages` are the brand's, the first is its default.

    The browser's list counts only where it names one of them. Unknown values are ignored.
    """
    to_keep = {}
    if query.get("lang") in languages:
        to_keep["lang"] = query["lang"]
    if query.get("scheme") in SCHEMES:
        to_keep["scheme"] = query["scheme"]
    kept = {**cookies, **to_keep}
    language = kept.get("lang", "")
    if language not in languages:
        language = _spoken(accept_language, languages)
    scheme = kept.get("scheme", "auto")
    return ReaderChoices(language, scheme if scheme in SCHEMES else "auto", to_keep)


def _spoken(accept_language: str, languages: Sequence[str]) -> str:
    """First language of the header the brand speaks, in order of preference, else its default."""
    wanted = []
    for part in accept_language[:200].split(","):
        tag, _, quality = part.strip().partition(";q=")
        wanted.append((_quality(quality), tag.strip().lower().split("-")[0]))
    for _, language in sorted(wanted, key=lambda row: -row[0]):
        if language in languages:
            return language
    return languages[0]


def _quality(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
