"""What lumiporte and werkkontor publish: a Google Merchant feed and a stock program's spreadsheet.

In: a market, the address of the sites and prices that changed since. Out: bytes, always the same
for the same input (the gzip header carries no time).
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace

from lxml import etree

from comptoir.demo_market.model import Market, MarketOffer, Product
from comptoir.demo_market.phrases import colour_text, value_text
from comptoir.demo_market.sheets import wording

Changes = Mapping[tuple[str, str], int]
_G = "http://base.google.com/ns/1.0"
_GOOGLE_STATE = {"new": "new", "refurbished": "refurbished"}
_GERMAN_STATE = {"new": "neu", "refurbished": "generalüberholt"}
_COLUMNS = (
    "Artikelnr", "Bezeichnung", "Hersteller", "Herstellernr", "EAN", "Preis_brutto", "Versand_DE",
    "Versand_FR", "Bestand", "Lieferzeit_Tage", "Zustand", "Warengruppe", "Farbe",
    "Variantengruppe", "Produktlink", "Bildlink", "Beschreibung",
)  # fmt: skip


def current(market: Market, merchant: str, changes: Changes) -> Iterator[MarketOffer]:
    """A merchant's offers with the prices that changed since the market was made."""
    for offer in market.offers_of(merchant):
        price = changes.get(offer.key)
        yield offer if price is None else replace(offer, price_minor=price, list_price_minor=None)


def decimal_text(minor: int, sign: str) -> str:
    """Cents as a decimal number: `1299.00`, `1299,00`."""
    return f"{minor // 100}{sign}{minor % 100:02d}"


def _google_price(minor: int, currency: str) -> str:
    return f"{decimal_text(minor, '.')} {currency}"


def _add(item: etree._Element, name: str, text: str | None) -> None:
    if text:
        etree.SubElement(item, f"{{{_G}}}{name}").text = text


def _add_shipping(item: etree._Element, offer: MarketOffer) -> None:
    for country, minor in offer.delivery.items():
        shipping = etree.SubElement(item, f"{{{_G}}}shipping")
        _add(shipping, "country", country)
        _add(shipping, "service", "Standard")
        _add(shipping, "price", _google_price(minor, offer.currency))
        _add(shipping, "min_transit_time", "1")
        _add(shipping, "max_transit_time", str(offer.delivery_days))


def _add_facts(item: etree._Element, product: Product, language: str) -> None:
    known = wording()["facts"]
    for key, value in product.facts.items():
        if key not in known or key == "energy_class":
            continue
        detail = etree.SubElement(item, f"{{{_G}}}product_detail")
        _add(detail, "attribute_name", key)
        _add(detail, "attribute_value", value_text(key, value, language))


def _add_prices(item: etree._Element, offer: MarketOffer) -> None:
    if offer.list_price_minor:
        _add(item, "price", _google_price(offer.list_price_minor, offer.currency))
        _add(item, "sale_price", _google_price(offer.price_minor, offer.currency))
    else:
        _add(item, "price", _google_price(offer.price_minor, offer.currency))


def _google_item(channel: etree._Element, offer: MarketOffer, product: Product, base: str) -> None:
    item = etree.SubElement(channel, "item")
    _add(item, "id", offer.sku)
    _add(item, "title", offer.title)
    _add(item, "description", offer.description)
    _add(item, "link", base + offer.page)
    _add(item, "image_link", base + offer.picture)
    _add(item, "availability", "in_stock" if offer.stock else "out_of_stock")
    _add_prices(item, offer)
    _add(item, "brand", offer.manufacturer)
    _add(item, "gtin", offer.gtin)
    _add(item, "mpn", offer.mpn)
    if not offer.gtin and not offer.mpn:
        _add(item, "identifier_exists", "no")
    _add(item, "condition", _GOOGLE_STATE[offer.condition])
    _add(item, "color", colour_text(offer.colour, "fr"))
    _add(item, "item_group_id", offer.group)
    _add(item, "google_product_category", str(offer.category))
    _add(item, "product_type", offer.category_text)
    _add(item, "energy_efficiency_class", str(product.facts.get("energy_class", "")) or None)
    _add(item, "multipack", str(offer.pack) if offer.pack > 1 else None)
    _add(item, "is_bundle", "yes" if offer.is_bundle else None)
    _add_shipping(item, offer)
    _add_facts(item, product, "fr")


def google_feed(market: Market, base_url: str, changes: Changes | None = None) -> bytes:
    """lumiporte's RSS 2.0 feed in the Google Merchant vocabulary, gzip-compressed."""
    base = base_url.rstrip("/")
    root = etree.Element("rss", nsmap={"g": _G}, version="2.0")
    channel = etree.SubElement(root, "channel")
    etree.SubElement(channel, "title").text = "Lumiporte"
    etree.SubElement(channel, "link").text = f"{base}/lumiporte/"
    etree.SubElement(channel, "description").text = "Catalogue complet"
    for offer in current(market, "lumiporte", changes or {}):
        _google_item(channel, offer, market.by_id[offer.product_id], base)
    text = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return gzip.compress(text, mtime=0)


def _row(offer: MarketOffer, base: str) -> list[str]:
    return [
        offer.sku,
        offer.title,
        offer.manufacturer,
        offer.mpn or "",
        offer.gtin or "",
        decimal_text(offer.price_minor, ","),
        decimal_text(offer.delivery["DE"], ","),
        decimal_text(offer.delivery["FR"], ","),
        str(offer.stock),
        str(offer.delivery_days),
        _GERMAN_STATE[offer.condition],
        offer.category_text,
        colour_text(offer.colour, "de"),
        offer.group or "",
        base + offer.page,
        base + offer.picture,
        offer.description,
    ]


def spreadsheet_export(market: Market, base_url: str, changes: Changes | None = None) -> bytes:
    """werkkontor's CSV: semicolons, decimal commas, Windows-1252, column names of its own."""
    base = base_url.rstrip("/")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for offer in current(market, "werkkontor", changes or {}):
        writer.writerow(_row(offer, base))
    return text.getvalue().encode("cp1252")
