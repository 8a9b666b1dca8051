"""Jinja environments for pages, and the filters that speak the reader's language.

Templates get a brand, a language and a scheme through `render`; amounts, dates and numbers are
written in the reader's convention. Everything is escaped; an undefined name is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from kernel.categories import categories
from kernel.i18n import translator
from kernel.money import Money
from tenants.pages.assets import asset_url, stylesheet_url
from tenants.theme import Theme

SCHEMES = ("auto", "light", "dark")
_WRITTEN = 8_192
"""Amounts and numbers kept as written: a page has a hundred, mostly those of the page before."""
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,4})?")


class PageBrand(Protocol):
    """What the frame of a page needs to know of a brand."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def timezone(self) -> str: ...
    @property
    def theme(self) -> Theme: ...


@dataclass(frozen=True, slots=True)
class _Reader:
    language: str
    timezone: str


_READER: ContextVar[_Reader] = ContextVar("reader")


def page_environment(template_packages: Sequence[str]) -> Environment:
    """Templates of `tenants.pages` and of each named package, e.g. `search_api.pages`.

    A package keeps them in its `templates` folder. Every template may extend `base.html` and
    import `macros.html`.
    """
    packages = [*template_packages, "tenants.pages"]
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[[Any], str]] = {
        "money": money,
        "number": number,
        "date": day,
        "moment": moment,
        "category_name": category_name,
        "country_name": country_name,
        "language_name": language_name,
        "tel": telephone_link,
        "unbroken": unbroken,
    }
    environment.filters |= {name: _at_render(function) for name, function in filters.items()}
    environment.globals |= {
        "_": gettext,
        "ngettext": ngettext,
        "asset_url": asset_url,
        "stylesheet_url": stylesheet_url,
        "brand_mark": brand_mark,
        "with_query": with_query,
        "query_fields": query_fields,
    }
    return environment


def render(
    environment: Environment,
    template: str,
    *,
    brand: PageBrand,
    language: str,
    scheme: str = "auto",
    **context: object,
) -> str:
    """The page as HTML. Pages may set `here` (path and query), `query` and `basket_count`.

    A page that search engines may keep has a `canonical` path and the shop's `origin`
    (`https://shop.example`); every other one says that they may not.
    """
    frame = {"here": "", "query": "", "basket_count": 0, "origin": "", "canonical": None}
    if "here" in context:
        context["here"] = _in_this_shop(str(context["here"]))
    with _reading(_Reader(language, brand.timezone)):
        return environment.get_template(template).render(
            frame
            | context
            | {
                "brand": brand,
                "language": language,
                "scheme": scheme if scheme in SCHEMES else "auto",
            }
        )


def _in_this_shop(here: str) -> str:
    """The address with one slash before it: with two, `//other.example`, it is another site's."""
    return "/" + here.lstrip("/\\") if here[:1] == "/" else here


def _at_render(function: Callable[[Any], str]) -> Callable[[Context, Any], str]:
    """Keeps Jinja from computing a filter of a constant once, in the first reader's language."""

    @pass_context
    def in_context(_: Context, value: Any) -> str:
        return function(value)

    return in_context


@contextmanager
def _reading(reader: _Reader) -> Iterator[None]:
    token = _READER.set(reader)
    try:
        yield
    finally:
        _READER.reset(token)


def gettext(message: str, **values: object) -> Markup:
    """The message in the reader's language; values are escaped."""
    text = _message(_READER.get().language, message)
    return text % values if values else text


def ngettext(singular: str, plural: str, count: int, **values: object) -> Markup:
    """The form for `count`, which the message writes as `%(n)s`."""
    text = escape(translator(_READER.get().language).ngettext(singular, plural, count))
    return text % ({"n": number(count)} | values)


@lru_cache(maxsize=4_096)
def _message(language: str, message: str) -> Markup:
    return escape(translator(language).gettext(message))


def money(amount: Money) -> str:
    """`1 299,00 €` in French, `1.299,00 €` in German, `€1,299.00` in English."""
    return _written_amount(_READER.get().language, amount)


@lru_cache(maxsize=_WRITTEN)
def _written_amount(language: str, amount: Money) -> str:
    return format_currency(amount.amount, amount.currency, locale=_locale_of(language))


def number(value: int | float | Decimal | str) -> str:
    """A count or measure with the reader's separators; a text that is no number stays as it is."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return value
        value = Decimal(value)
    return _written_number(_READER.get().language, value)


@lru_cache(maxsize=_WRITTEN)
def _written_number(language: str, value: int | float | Decimal) -> str:
    return format_decimal(value, locale=_locale_of(language))


def day(value: date | datetime | str) -> str:
    """`22 nov. 2026`. Moments are read in the brand's time zone."""
    parsed = _parsed(value)
    local = _local(parsed) if isinstance(parsed, datetime) else parsed
    return format_date(local, format="medium", locale=_locale())


def moment(value: datetime | str) -> str:
    """Date and time to the minute, in the brand's time zone."""
    parsed = _parsed(value)
    if not isinstance(parsed, datetime):
        raise TypeError(f"a moment needs a time: {value!r}")
    return format_datetime(_local(parsed), format="medium", locale=_locale()).rpartition(":")[0]


def category_name(category_id: int) -> str:
    """Name of a category in the reader's language; empty for an unknown one."""
    category = categories().get(category_id)
    return category.name(_READER.get().language) if category else ""


def country_name(code: str) -> str:
    """`Allemagne` for `DE`; the code itself where CLDR has no name."""
    return str(_locale().territories.get(code, code))


def language_name(code: str) -> str:
    """A language in its own words: `Deutsch`."""
    return str(Locale.parse(code).get_language_name(code)).capitalize()


def telephone_link(number_as_written: str) -> str:
    """`tel:` address of a telephone number as people write it."""
    return "tel:" + "".join(c for c in number_as_written if c.isdigit() or c == "+")


def unbroken(number_as_written: str) -> str:
    """A telephone number that no line breaks in two."""
    return number_as_written.replace(" ", "\u00a0")


def with_query(here: str, **changes: object) -> str:
    """The address with parameters set, or removed where the value is None."""
    path, _, asked = _in_this_shop(here).partition("?")
    kept = [(k, v) for k, v in parse_qsl(asked, keep_blank_values=True) if k not in changes]
    given = [(k, str(v)) for k, v in changes.items() if v is not None]
    query = urlencode(kept + given)
    return f"{path}?{query}" if query else (path or "?")


def query_fields(here: str, *leave_out: str) -> list[tuple[str, str]]:
    """Parameters of the address as hidden fields of a GET form, without those it sets itself."""
    pairs = parse_qsl(here.partition("?")[2], keep_blank_values=True)
    return [(key, value) for key, value in pairs if key not in leave_out]


@lru_cache(maxsize=256)
def brand_mark(brand_id: str) -> Markup:
    """The brand's logo as inline SVG, empty when it has none: the name stands alone then."""
    file = files("tenants").joinpath("bundled", f"{brand_id}.svg")
    # The folder is part of the program; a brand id is checked by the registry.
    return Markup(file.read_text("utf-8")) if file.is_file() else Markup("")  # noqa: S704


def _locale() -> Locale:
    return _locale_of(_READER.get().language)


@lru_cache(maxsize=64)
def _locale_of(language: str) -> Locale:
    return Locale.parse(language)


def _local(value: datetime) -> datetime:
    return value.astimezone(ZoneInfo(_READER.get().timezone))


def _parsed(value: date | datetime | str) -> date | datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
