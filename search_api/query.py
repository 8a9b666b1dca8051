"""The address of a search, read and written. Reading never fails: what cannot be read is named.

In: the pairs of a query string, from anybody. Out: bounded values. `address` is the inverse, so
that every link on a page is one that people can share. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from urllib.parse import quote_plus

from indexer.engine import WINDOW, FacetField, Filters
from indexer.folding import key
from kernel.categories import categories
from kernel.ids import slug
from kernel.money import Money, minor_digits
from kernel.offer_terms import Availability
from search_api.answer import FacetName, SortName

PER_PAGE = 24
MOST_PER_PAGE = 100
MAX_TEXT = 200
"""Characters of a query that count."""
MAX_VALUES = 30
_MAX_PAIRS = 200
_SORTS: tuple[SortName, ...] = ("relevance", "price_asc", "price_desc", "newest")
_NAMES = frozenset(
    {"q", "category", "manufacturer", "merchant", "availability", "price_min", "price_max", "sort",
     "page", "per_page", "words", "attribute"}
)  # fmt: skip
# An answer has a hundred links that differ in one value: quoting is half their cost.
_quoted = lru_cache(maxsize=8192)(quote_plus)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff\ufffd]+")
_AMOUNT = re.compile(r"^\d{1,9}(?:[.,]\d{0,2})?$")
_THOUSANDS = re.compile(r"^\d{1,3}(?:[.,]\d{3})+$")
_MERCHANT = re.compile(r"^[a-z0-9][a-z0-9._/-]{0,99}$")
_AS_WORDS = frozenset(
    ("all", "spelling", "price", "category", "manufacturer", "attribute", "colour", "denied",
     "rules")
)  # fmt: skip
_ATTRIBUTE = re.compile(r"^[a-z0-9][a-z0-9_]{0,59}:.{1,200}$")
_AVAILABILITIES = frozenset(Availability)

STAY = "stay"
"""Parameter of an address that a rule has led to: no rule leads on from there, so none in rings."""

Reader = Callable[[str], str]
"""One value of a parameter, or an empty text where it is none."""


@dataclass(frozen=True, slots=True)
class ShopQuery:
    """What is asked. Amounts are minor units of `currency`; `ignored` names what was left out."""

    currency: str
    text: str = ""
    categories: tuple[int, ...] = ()
    manufacturers: tuple[str, ...] = ()
    merchants: tuple[str, ...] = ()
    availabilities: tuple[str, ...] = ()
    price_min: int | None = None
    price_max: int | None = None
    sort: SortName = "relevance"
    page: int = 1
    per_page: int = PER_PAGE
    facets: tuple[FacetName, ...] | None = None
    """Which to count; None: all, as pages need."""
    facet_size: int = 60
    ignored: tuple[str, ...] = ()
    as_words: tuple[str, ...] = ()
    """Kinds of recognition that the shopper has undone; `all` takes the text as it stands."""
    attributes: tuple[tuple[str, str], ...] = ()
    """Chosen values of attributes, as (key, value)."""
    without: tuple[Filters, ...] = ()
    """What the brand's rules hide; never part of an address."""

    def filters(self) -> Filters:
        """The conditions for the engine."""
        return Filters(
            categories=self.categories,
            manufacturers=self.manufacturers,
            merchants=self.merchants,
            availabilities=self.availabilities,
            total_min=self.price_min,
            total_max=self.price_max,
            attributes=_by_key(self.attributes),
            without=self.without,
        )

    @property
    def counted(self) -> tuple[FacetField, ...]:
        """The facets to count; prices always, for every answer states their range."""
        if self.facets is None:
            return tuple(FacetField)
        return (FacetField.PRICE, *(FacetField(name) for name in self.facets))

    @property
    def offset(self) -> int:
        """Products on the pages before this one."""
        return (self.page - 1) * self.per_page


def read_query(pairs: Sequence[tuple[str, str]], currency: str) -> ShopQuery:
    """Read a query string. Names that mean nothing here pass; known ones that fail are named."""
    given: dict[str, list[str]] = {}
    ignored: list[str] = []
    for name, value in pairs[:_MAX_PAIRS]:
        if name in _NAMES:
            given.setdefault(name, []).append(value)
        elif name.partition("[")[0] in _NAMES:
            ignored.append(printable(name)[:40])
    reading = _Reading(given, ignored)
    low, high = (reading.amount(name, currency) for name in ("price_min", "price_max"))
    if low is not None and high is not None and low > high:
        ignored.append("price_max")
        high = None
    per_page = reading.per_page()
    return ShopQuery(
        currency=currency,
        text=reading.text(),
        categories=reading.categories(),
        manufacturers=reading.values("manufacturer", key),
        merchants=reading.values("merchant", _merchant),
        availabilities=reading.values("availability", _availability),
        price_min=low,
        price_max=high,
        sort=reading.sort(),
        page=reading.page(per_page),
        per_page=per_page,
        as_words=reading.values("words", _as_words),
        attributes=tuple(
            (name, value)
            for name, _, value in (
                each.partition(":") for each in reading.values("attribute", _attribute)
            )
        ),
        ignored=tuple(dict.fromkeys(ignored)),
    )


def without_page(query: ShopQuery) -> ShopQuery:
    """The same search from its first page, as every link that narrows it leads to."""
    return query if query.page == 1 else replace(query, page=1)


def address(query: ShopQuery, language: str) -> str:
    """Path and query string of a search, defaults left out."""
    return addresses(query, language)(query.sort, query.page)


def addresses(query: ShopQuery, language: str) -> Callable[[SortName, int], str]:
    """The address of each order and page of a search; its conditions are written once."""
    conditions = [f"{name}={_quoted(value)}" for name, value in _conditions(query, language)]
    size = [] if query.per_page == PER_PAGE else [f"per_page={query.per_page}"]

    def url(sort: SortName, page: int) -> str:
        order = [] if sort == "relevance" else [f"sort={sort}"]
        pages = [f"page={page}"] if page > 1 else []
        stated = [*conditions, *order, *pages, *size]
        return "/search?" + "&".join(stated) if stated else "/search"

    return url


def _conditions(query: ShopQuery, language: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = [("q", query.text)] if query.text else []
    pairs += [("category", category_value(id_, language)) for id_ in query.categories]
    pairs += [("manufacturer", value) for value in query.manufacturers]
    pairs += [("merchant", value) for value in query.merchants]
    pairs += [("availability", value) for value in query.availabilities]
    for name, minor in (("price_min", query.price_min), ("price_max", query.price_max)):
        if minor is not None:
            pairs.append((name, major(minor, query.currency)))
    pairs += [("attribute", f"{name}:{value}") for name, value in query.attributes]
    pairs += [("words", kind) for kind in query.as_words]
    return pairs


@lru_cache(maxsize=1024)
def category_value(category_id: int, language: str) -> str:
    """`328-laptops`: the number counts, the name is for people."""
    category = categories().get(category_id)
    name = slug(category.name(language)) if category else ""
    return f"{category_id}-{name}" if name else str(category_id)


@lru_cache(maxsize=4_096)
def major(minor: int, currency: str) -> str:
    """An amount as addresses have it: major units, no zeros that say nothing."""
    plain = Money(minor, currency).plain()
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


class _Reading:
    """One reading: values by name, and where to note what is left out."""

    def __init__(self, given: dict[str, list[str]], ignored: list[str]) -> None:
        self._given = given
        self._ignored = ignored

    def _first(self, name: str) -> str:
        values = self._given.get(name, [])
        if len(values) > 1:
            self._ignored.append(name)
        return printable(values[0][: 20 * MAX_TEXT]) if values else ""

    def text(self) -> str:
        text = self._first("q")
        if len(text) > MAX_TEXT:
            self._ignored.append("q")
            cut = text[: MAX_TEXT + 1].rpartition(" ")[0]
            text = cut or text[:MAX_TEXT]
        return text

    def values(self, name: str, read: Reader) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for raw in self._given.get(name, []):
            value = read(printable(raw[:MAX_TEXT]))
            if value:
                found[value] = None
            elif raw.strip():
                self._ignored.append(name)
        if len(found) > MAX_VALUES:
            self._ignored.append(name)
        return tuple(found)[:MAX_VALUES]

    def categories(self) -> tuple[int, ...]:
        return tuple(int(value) for value in self.values("category", _category))

    def amount(self, name: str, currency: str) -> int | None:
        raw = self._first(name)
        if not raw:
            return None
        minor = minor_amount(raw, currency)
        if minor is None:
            self._ignored.append(name)
        return minor

    def sort(self) -> SortName:
        raw = self._first("sort")
        for known in _SORTS:
            if raw == known:
                return known
        if raw:
            self._ignored.append("sort")
        return "relevance"

    def page(self, per_page: int) -> int:
        return self._number("page", 1, WINDOW // per_page)

    def per_page(self) -> int:
        return self._number("per_page", PER_PAGE, MOST_PER_PAGE)

    def _number(self, name: str, default: int, most: int) -> int:
        raw = self._first(name)
        if not raw:
            return default
        if not (raw.isascii() and raw.isdigit() and len(raw) <= 6) or int(raw) == 0:
            self._ignored.append(name)
            return default
        if int(raw) > most:
            self._ignored.append(name)
        return min(int(raw), most)


def printable(text: str) -> str:
    """One line without control characters and doubled blanks."""
    return " ".join(_CONTROL.sub(" ", text).split())


def _category(text: str) -> str:
    number = text.partition("-")[0]
    known = number.isascii() and number.isdigit() and len(number) < 10
    return number if known and int(number) in categories() else ""


def _merchant(text: str) -> str:
    return text if _MERCHANT.match(text) else ""


def _availability(text: str) -> str:
    return text if text in _AVAILABILITIES else ""


def _as_words(text: str) -> str:
    return text if text in _AS_WORDS else ""


def _attribute(text: str) -> str:
    return text if _ATTRIBUTE.match(text) else ""


def _by_key(chosen: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Values of one key are alternatives."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in chosen:
        found[name] = (*found.get(name, ()), value)
    return found


def minor_amount(text: str, currency: str) -> int | None:
    """`1 299,50`, `1.299,50`, `1299.5` -> minor units; None for anything else."""
    plain = re.sub(r"[\s'’€$£]", "", text)
    if "." in plain and "," in plain:
        thousands = min(".,", key=plain.rindex)
        plain = plain.replace(thousands, "")
    elif _THOUSANDS.match(plain):
        plain = re.sub(r"[.,]", "", plain)
    if not _AMOUNT.match(plain):
        return None
    amount = Decimal(plain.replace(",", ".").rstrip("."))
    scaled = amount.scaleb(minor_digits(currency))
    return int(scaled.to_integral_value())


def page_count(total: int, per_page: int = PER_PAGE) -> int:
    """Pages of a list of that many, within the window; an empty list has one."""
    return max(1, -(-min(total, WINDOW - WINDOW % per_page) // per_page))


def toggled(values: Iterable[str], value: str) -> tuple[str, ...]:
    """The values with this one added, or taken away where it is among them."""
    held = tuple(values)
    return tuple(v for v in held if v != value) if value in held else (*held, value)


def redirect_address(url: str) -> str:
    """Where a rule leads to. Results say that no further rule is to lead on from there."""
    path, mark, fragment = url.partition("#")
    if path.partition("?")[0] == "/search":
        path += ("&" if "?" in path else "?") + f"{STAY}=1"
    return path + mark + fragment
