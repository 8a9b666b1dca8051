"""Texts in the reader's language: gettext catalogues, read once.

Message ids are English. Each package keeps `locales/<language>.po`; all of them are merged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

LANGUAGES = ("fr", "de", "en")
PACKAGES = ("kernel", "tenants", "search_api", "checkout", "comptoir")


@dataclass(frozen=True, slots=True)
class Translator:
    """Texts of one language. A message without a translation is shown in English."""

    language: str
    singular: dict[str, str]
    plural: dict[str, tuple[str, ...]]

    def gettext(self, message: str) -> str:
        """The message in this language."""
        return self.singular.get(message, message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The form of the message that the count asks for."""
        index = plural_index(self.language, count)
        forms = self.plural.get(one)
        return forms[index] if forms else (one, many)[index]


def plural_index(language: str, count: int) -> int:
    """0 for the singular form: French counts zero as one, English and German do not."""
    return int(count > 1) if language == "fr" else int(count != 1)


@lru_cache(maxsize=8)
def translator(language: str) -> Translator:
    """The merged texts of a language; English needs no catalogue."""
    singular: dict[str, str] = {}
    plural: dict[str, tuple[str, ...]] = {}
    for catalogue in _catalogues(language):
        for message in catalogue:
            if not message.id or not message.string or message.fuzzy:
                continue
            if isinstance(message.id, tuple | list):
                forms = message.string
                plural[message.id[0]] = tuple(forms) if not isinstance(forms, str) else (forms,) * 2
            elif isinstance(message.string, str):
                singular[message.id] = message.string
    return Translator(language, singular, plural)


def _catalogues(language: str) -> Iterable[Catalog]:
    from babel.messages.pofile import read_po

    for package in PACKAGES:
        source = files(package).joinpath("locales", f"{language}.po")
        if source.is_file():
            with source.open("rb") as stream:
                yield read_po(stream, locale=language)
