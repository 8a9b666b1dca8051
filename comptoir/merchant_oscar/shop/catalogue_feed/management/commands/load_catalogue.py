"""Loads sheets into the catalogue, one JSON object a line. Loading again changes only what differs.

Fields: sku, title, price_minor, currency (needed); gtin, description, category ("A > B"), stock,
language, manufacturer, mpn, colour, condition, group (of variants), pack (units sold together),
delivery {country: cents}. A bad line is refused with its number, the
rest is kept.
"""

import json
from decimal import Decimal
from pathlib import Path

from delivery.models import DeliveryPrice
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from oscar.apps.catalogue.categories import create_from_breadcrumbs
from oscar.core.loading import get_model

from catalogue_feed.management.commands.prepare_shop import ATTRIBUTES, PRODUCT_TYPE

Category = get_model("catalogue", "Category")
Partner = get_model("partner", "Partner")
Product = get_model("catalogue", "Product")
ProductClass = get_model("catalogue", "ProductClass")
StockRecord = get_model("partner", "StockRecord")

LONGEST_LINE = 200_000


def read_sheet(line):
    """One checked sheet. Raises ValueError with what is wrong."""
    if len(line) > LONGEST_LINE:
        raise ValueError("line too long")
    sheet = json.loads(line)
    if not isinstance(sheet, dict):
        raise ValueError("not an object")
    for name in ("sku", "title", "currency"):
        if not isinstance(sheet.get(name), str) or not sheet[name].strip():
            raise ValueError(f"{name} missing")
    for name in ("price_minor", "stock"):
        value = sheet.get(name, 0 if name == "stock" else None)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"{name} must be a whole number from 0")
    if sheet["currency"] != settings.OSCAR_DEFAULT_CURRENCY:
        raise ValueError(f"the shop sells in {settings.OSCAR_DEFAULT_CURRENCY} only")
    if not isinstance(sheet.get("delivery") or {}, dict):
        raise ValueError("delivery must be an object")
    return sheet


class Loader:
    """Upserts sheets; keeps what every row needs at hand."""

    def __init__(self):
        self.goods = ProductClass.objects.get(name=PRODUCT_TYPE)
        self.partner = Partner.objects.first()
        self.categories = {}

    def category(self, path):
        """The category at the end of a path, made where missing."""
        if path not in self.categories:
            self.categories[path] = create_from_breadcrumbs(path)
        return self.categories[path]

    def load(self, sheet):
        """Write one sheet: product, attributes, category, stock record, delivery prices."""
        sku = sheet["sku"].strip()
        record = (
            StockRecord.objects.select_related("product")
            .filter(partner=self.partner, partner_sku=sku)
            .first()
        )
        product = record.product if record else Product(product_class=self.goods)
        product.title = sheet["title"].strip()[:255]
        product.description = sheet.get("description") or ""
        gtin = (sheet.get("gtin") or "").strip()
        # Oscar wants a UPC once only; two variants under one GTIN keep it as an attribute.
        taken = gtin and Product.objects.filter(upc=gtin).exclude(pk=product.pk).exists()
        product.upc = gtin if gtin and not taken else None
        for code in ATTRIBUTES:
            value = str(sheet.get(code) or "").strip()
            if value or product.pk:
                setattr(product.attr, code, value or None)
        product.save()
        if sheet.get("category"):
            product.categories.set([self.category(sheet["category"])])
        self.write_stock(record, product, sku, sheet)
        self.write_delivery(product, sheet.get("delivery") or {})
        return record is None

    def write_stock(self, record, product, sku, sheet):
        """Price and stock. The allocations of open orders stay as they are."""
        record = record or StockRecord(product=product, partner=self.partner, partner_sku=sku)
        record.price_currency = sheet["currency"]
        record.price = Decimal(sheet["price_minor"]).scaleb(-2)
        record.num_in_stock = sheet.get("stock", 0)
        record.save()

    @staticmethod
    def write_delivery(product, prices):
        """The product's own delivery prices, exactly those of the sheet."""
        wanted = {country.upper()[:2]: int(minor) for country, minor in prices.items()}
        if any(minor < 0 for minor in wanted.values()):
            raise ValueError("delivery prices start at 0")
        product.delivery_prices.exclude(country__in=wanted).delete()
        for country, minor in wanted.items():
            DeliveryPrice.objects.update_or_create(
                product=product, country=country, defaults={"price_minor": minor}
            )


class Command(BaseCommand):
    """load_catalogue FILE"""

    help = __doc__

    def add_arguments(self, parser):
        """The file."""
        parser.add_argument("file", type=Path)

    def handle(self, *, file, **_options):
        """One transaction for the file; refused lines are named on the error output."""
        made = changed = refused = 0
        try:
            lines = file.open(encoding="utf-8")
        except OSError as error:
            raise CommandError(f"cannot read {file}: {error.strerror}") from error
        with lines, transaction.atomic():
            loader = Loader()
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    with transaction.atomic():
                        is_new = loader.load(read_sheet(line))
                except (ValueError, TypeError, AttributeError) as error:
                    refused += 1
                    self.stderr.write(f"line {number} refused: {error}")
                else:
                    made, changed = made + is_new, changed + (not is_new)
        self.stdout.write(f"{made} new, {changed} known, {refused} refused")
