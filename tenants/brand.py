"""A brand: one TOML document, checked whole before any of it counts.

In: the parsed document. Out: a frozen `Brand`. A wrong key is refused by name, never ignored.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kernel.errors import DomainError
from kernel.i18n import LANGUAGES
from kernel.money import is_currency
from tenants.ranking.document import RankingDocument, brand_starting_document
from tenants.ranking.inheritance import Stated, resolve
from tenants.ranking.profile import RankingProfile
from tenants.theme import Theme, require_contrast

_ID = re.compile(r"^[a-z][a-z0-9-]{1,30}$")
_HOST = re.compile(r"^[a-z0-9.-]{1,250}$")
_SECTIONS = {"contact", "theme", "ranking", "catalogue", "terms"}
_KEYS = {"id", "name", "hosts", "languages", "country", "currency", "timezone"} | _SECTIONS
_OPTIONAL = {"api"}
_ORIGIN = re.compile(r"^https?://[a-z0-9.-]{1,250}(:[0-9]{1,5})?$")


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a shopper can reach."""

    phone: str
    email: str
    company: str
    address: str


@dataclass(frozen=True, slots=True)
class Brand:
    """A white-label shop. `merchants` None means every merchant; the first language is default."""

    id: str
    name: str
    hosts: tuple[str, ...]
    languages: tuple[str, ...]
    country: str
    currency: str
    timezone: str
    contact: Contact
    theme: Theme
    ranking: RankingDocument
    merchants: frozenset[str] | None
    profiles: Mapping[str, RankingProfile] = field(hash=False)
    revision: int = 1
    api_origins: tuple[str, ...] = ()
    """Other sites whose pages may call the search API from a browser."""

    def ranking_profile(self, language: str) -> RankingProfile:
        """What orders products and offers for a reader of the language: a look-up in memory."""
        return self.profiles.get(language) or self.profiles[self.languages[0]]

    def with_rankings(self, published: Sequence[Stated]) -> Brand:
        """The brand under published documents (the platform's among them).

        Its own file's `[ranking]` counts until a document of the brand's scope is published.
        """
        stated = list(published)
        if not any(each.scope == "brand" for each in stated):
            stated.append(Stated("brand", None, self.ranking))
        profiles = {language: resolve(stated, language) for language in self.languages}
        return replace(self, profiles=profiles)

    def shows(self, merchant_id: str) -> bool:
        """Whether the brand sells this merchant's offers (a source's sellers count as it)."""
        return self.merchants is None or bool(
            {merchant_id, merchant_id.partition("/")[0]} & self.merchants
        )


def read_brand_file(path: Path) -> tuple[dict[str, Any], str]:
    """The document of a brand and the text of its terms, checked; DomainError names the file."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DomainError("brand_file", f"{path} cannot be read: {error}") from error
    brand = brand_from(document)
    terms_file = path.parent / str(document["terms"]["file"])
    if not terms_file.is_file():
        raise DomainError("brand_file", f"{path}: the terms of {brand.id} are not in {terms_file}")
    return document, terms_file.read_text("utf-8")


def document_hash(document: Mapping[str, Any]) -> str:
    """SHA-256 of the document's canonical JSON."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def brand_from(document: Mapping[str, Any], revision: int = 1) -> Brand:
    """Check a document and make the brand of it."""
    unknown = set(document) - _KEYS - _OPTIONAL
    missing = _KEYS - set(document)
    if unknown or missing:
        key = ", ".join(sorted(unknown or missing))
        raise DomainError(
            "brand_invalid", f"brand document: {key}: {'unknown' if unknown else 'missing'}"
        )
    brand_id = _text(document, "id", _ID)
    languages = tuple(document["languages"])
    if not languages or not set(languages) <= set(LANGUAGES):
        raise _refused("languages", f"a list out of {', '.join(LANGUAGES)}")
    currency = _text(document, "currency")
    if not is_currency(currency):
        raise _refused("currency", "an ISO 4217 code")
    hosts = tuple(str(host).lower() for host in document["hosts"])
    if not hosts or not all(_HOST.match(host) for host in hosts):
        raise _refused("hosts", "host names without port")
    theme = Theme.from_toml(_table(document, "theme"))
    require_contrast(brand_id, theme)
    merchants = _table(document, "catalogue").get("merchants", "*")
    brand = Brand(
        id=brand_id,
        name=_text(document, "name"),
        hosts=hosts,
        languages=languages,
        country=_text(document, "country", re.compile(r"^[A-Z]{2}$")),
        currency=currency,
        timezone=_timezone(document),
        contact=Contact(**{key: _text(document["contact"], key) for key in Contact.__slots__}),
        theme=theme,
        ranking=brand_starting_document(_table(document, "ranking")),
        merchants=None if merchants == "*" else frozenset(merchants),
        profiles={},
        revision=revision,
        api_origins=_origins(document),
    )
    return brand.with_rankings(())


def _origins(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Other sites whose pages may call the search API: `[api] origins`."""
    table = _table(document, "api") if "api" in document else {}
    origins = table.get("origins", [])
    if set(table) - {"origins"} or not isinstance(origins, list):
        raise _refused("api", "origins = [...] and nothing else")
    if not all(isinstance(origin, str) and _ORIGIN.match(origin) for origin in origins):
        raise _refused("api", "origins such as https://www.example.org, without a path")
    return tuple(origins)


def _timezone(document: Mapping[str, Any]) -> str:
    name = _text(document, "timezone")
    if name not in zoneinfo.available_timezones():
        raise _refused("timezone", "an IANA time zone")
    return name


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = document[key]
    if not isinstance(table, Mapping):
        raise _refused(key, "a table")
    return table


def _text(table: Mapping[str, Any], key: str, pattern: re.Pattern[str] | None = None) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > 300:
        raise _refused(key, "a text of 1 to 300 characters")
    if pattern is not None and not pattern.match(value):
        raise _refused(key, f"must match {pattern.pattern}")
    return value


def _refused(key: str, expected: str) -> DomainError:
    return DomainError("brand_invalid", f"brand document: {key}: expected {expected}")
