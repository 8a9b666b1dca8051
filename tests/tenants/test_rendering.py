"""Pages: amounts, dates and counts in the reader's convention; nothing unescaped; small files."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
from fastapi import FastAPI
from jinja2 import DictLoader, UndefinedError
from starlette.testclient import TestClient

from kernel.money import Money
from tenants.brand import Brand, brand_from
from tenants.pages.assets import asset_url, assets_router, stylesheet, stylesheet_url
from tenants.pages.reader_choices import reader_choices
from tenants.pages.rendering import page_environment, render, with_query

LIMIT_CSS = 40_000
LIMIT_FRAME = 100_000


@pytest.fixture(scope="module")
def brand() -> Brand:
    text = files("tenants").joinpath("bundled", "mirabelle.toml").read_text("utf-8")
    return brand_from(tomllib.loads(text))


def shown(source: str, brand: Brand, language: str, **context: Any) -> str:
    environment = page_environment([])
    environment.loader = DictLoader({"page.html": source})
    return render(environment, "page.html", brand=brand, language=language, **context)


@pytest.mark.parametrize(
    ("language", "amount", "count", "day", "moment"),
    [
        ("fr", "1\u202f299,00\xa0€", "18\u202f515", "22 nov. 2026", "22 nov. 2026, 10:41"),
        ("de", "1.299,00\xa0€", "18.515", "22.11.2026", "22.11.2026, 10:41"),
        ("en", "€1,299.00", "18,515", "Nov 22, 2026", "Nov 22, 2026, 10:41"),
    ],
)
def test_readers_see_their_own_convention(
    brand: Brand, language: str, amount: str, count: str, day: str, moment: str
) -> None:
    page = shown(
        "{{ m|money }}|{{ n|number }}|{{ t|date }}|{{ t|moment }}",
        brand,
        language,
        m=Money(129900, "EUR"),
        n=18515,
        t=datetime(2026, 11, 22, 9, 41, 7, tzinfo=UTC),
    )
    assert page.split("|")[:3] == [amount, count, day]
    assert page.split("|")[3].replace("\u202f", " ") == moment


def test_one_environment_speaks_every_language_in_turn(brand: Brand) -> None:
    environment = page_environment([])
    environment.loader = DictLoader({"page.html": "{{ _('Basket') }} {{ 1234.5|number }}"})
    pages = [
        render(environment, "page.html", brand=brand, language=language)
        for language in ("fr", "de", "en")
    ]
    assert pages == ["Panier 1\u202f234,5", "Warenkorb 1.234,5", "Basket 1,234.5"]


def test_a_merchants_text_starts_nothing(brand: Brand) -> None:
    hostile = '"><script>alert(1)</script>'
    page = shown("{{ x }}{{ _('delivery %(price)s', price=x) }}", brand, "en", x=hostile)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 2


def test_a_missing_name_is_an_error_not_a_hole(brand: Brand) -> None:
    with pytest.raises(UndefinedError):
        shown("{{ nothing_of_the_kind }}", brand, "en")


def test_plural_forms_follow_the_language(brand: Brand) -> None:
    source = "{{ ngettext('article', 'articles', 0) }}"
    assert shown(source, brand, "fr") == "article"
    assert shown(source, brand, "en") == "articles"


def test_the_whole_shop_is_small(brand: Brand) -> None:
    css = len(stylesheet(brand.theme).encode())
    scripts = sum(
        len(files("tenants.pages").joinpath("static", name).read_bytes())
        for name in ("htmx.min.js", "shop.js")
    )
    assert css < LIMIT_CSS
    assert css + scripts < LIMIT_FRAME


def test_no_template_has_inline_script_or_style() -> None:
    for package in ("tenants", "search_api", "checkout"):
        for template in files(f"{package}.pages").joinpath("templates").iterdir():
            text = template.read_text("utf-8")
            assert "style=" not in text, template
            assert "<style" not in text, template
            assert " onclick" not in text, template
            assert "<script>" not in text, template


def test_static_files_are_kept_for_ever_under_their_digest(brand: Brand) -> None:
    app = FastAPI()
    app.include_router(assets_router(lambda key: brand.theme if key == brand.id else None))
    client = TestClient(app)
    for url in (stylesheet_url(brand), asset_url("htmx.min.js"), asset_url("shop.js")):
        answer = client.get(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert client.get(f"/static/brands/{brand.id}/old.css").headers["cache-control"] == "no-cache"
    assert client.get(f"/static/brands/{brand.id}/icon.svg").status_code == 200
    assert client.get("/static/brands/nobody/x.css").status_code == 404
    assert client.get("/static/x/htmx.LICENSE.txt").status_code == 404


@pytest.mark.parametrize(
    ("here", "changes", "expected"),
    [
        ("/search?q=caf%C3%A9&page=3", {"page": None}, "/search?q=caf%C3%A9"),
        ("/search?q=a", {"lang": "de"}, "/search?q=a&lang=de"),
        ("/search?m=1&m=2&q=", {"q": "x&y"}, "/search?m=1&m=2&q=x%26y"),
        ("", {"lang": "fr"}, "?lang=fr"),
        ("//evil.example/x?q=1", {"lang": "fr"}, "/evil.example/x?q=1&lang=fr"),
    ],
)
def test_addresses_keep_what_is_not_changed(
    here: str, changes: dict[str, object], expected: str
) -> None:
    assert with_query(here, **changes) == expected


@pytest.mark.parametrize(
    "path", ["//other.example", "////other.example", "/\\other.example", "///other.example/a?b=c"]
)
def test_a_link_to_the_page_itself_never_leads_to_another_site(brand: Brand, path: str) -> None:
    source = "{{ with_query(here, lang='fr') }} {{ here }}"
    for link in shown(source, brand, "en", here=path).split():
        assert link.startswith("/other.example")


@pytest.mark.parametrize("path", ["//[", "//[x]/", "/[?a=b"])
def test_an_address_that_no_parser_takes_has_a_page_too(brand: Brand, path: str) -> None:
    assert "lang=fr" in shown("{{ with_query(here, lang='fr') }}", brand, "en", here=path)


@pytest.mark.parametrize(
    ("query", "cookies", "header", "language", "kept"),
    [
        ({"lang": "de"}, {"lang": "en"}, "fr", "de", {"lang": "de"}),
        ({}, {"lang": "en"}, "de", "en", {}),
        ({}, {}, "de-AT;q=0.8,en;q=0.9", "en", {}),
        ({"lang": "xx"}, {"lang": "yy"}, "it,;q=,*", "fr", {}),
        ({}, {}, "de;q=high", "de", {}),
    ],
)
def test_language_is_chosen_by_link_then_cookie_then_browser(
    query: dict[str, str],
    cookies: dict[str, str],
    header: str,
    language: str,
    kept: dict[str, str],
) -> None:
    choices = reader_choices(query, cookies, header, ("fr", "de", "en"))
    assert (choices.language, dict(choices.to_keep)) == (language, kept)


def test_scheme_is_one_of_three() -> None:
    assert reader_choices({"scheme": "dark"}, {}, "", ("fr",)).to_keep == {"scheme": "dark"}
    assert reader_choices({"scheme": "<b>"}, {"scheme": "red"}, "", ("fr",)).scheme == "auto"
