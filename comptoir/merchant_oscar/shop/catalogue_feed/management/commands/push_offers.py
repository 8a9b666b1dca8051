"""Pushes the shop's offers to a comparator, in batches; the last batch says that the run is whole.

Each batch carries an idempotency key made of the run and its number, so that sending it again after
a lost answer changes nothing.
"""

import json
import time
import urllib.error
import urllib.request
import uuid

from delivery.tariff import DAYS_WHERE_UNKNOWN
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from oscar.core.loading import get_class, get_model

Product = get_model("catalogue", "Product")
Selector = get_class("partner.strategy", "Selector")

BATCH = 500
TRIES = 5


def plain(minor):
    """Cents as a decimal with a dot."""
    return f"{minor // 100}.{minor % 100:02d}"


def delivery_of(product):
    """Countries, prices and days: the product's own prices, else the shop's table."""
    own = {row.country: row.price_minor for row in product.delivery_prices.all()}
    prices = own or {country: rate[0] for country, rate in settings.SHOP_DELIVERY.items()}
    offers = []
    for country, minor in sorted(prices.items()):
        _flat, days_min, days_max = settings.SHOP_DELIVERY.get(country, (0, *DAYS_WHERE_UNKNOWN))
        offers.append(
            {
                "country": country,
                "price": plain(minor),
                "days_min": days_min,
                "days_max": days_max,
            }
        )
    return offers


def offer_of(product, strategy, shop_url):
    """One offer as the push API takes it."""
    info = strategy.fetch_for_product(product)
    category = product.categories.first()
    texts = {row.attribute.code: row.value_text for row in product.attribute_values.all()}
    quantity = max(info.stockrecord.net_stock_level, 0)
    pack = int(texts.get("pack") or 1)
    return {
        "sku": info.stockrecord.partner_sku,
        "title": product.title,
        "description": product.description,
        "language": texts.get("language") or "fr",
        "gtin": texts.get("gtin"),
        "mpn": texts.get("mpn"),
        "manufacturer": texts.get("manufacturer"),
        "category": category.full_name if category else None,
        "price": f"{info.price.incl_tax:.2f}",
        "currency": info.price.currency,
        "availability": "in_stock" if quantity else "out_of_stock",
        "quantity": quantity,
        "condition": texts.get("condition") or "new",
        "group": texts.get("group"),
        "multipack": pack if pack > 1 else None,
        "attributes": {"colour": texts["colour"]} if texts.get("colour") else {},
        "url": shop_url + product.get_absolute_url(),
        "delivery": delivery_of(product),
    }


def offers(shop_url):
    """Every product that is public and has a stock record, in the order of its number."""
    strategy = Selector().strategy()
    products = (
        Product.objects.filter(is_public=True, stockrecords__isnull=False)
        .distinct()
        .order_by("pk")
        .prefetch_related(
            "stockrecords", "delivery_prices", "categories", "attribute_values__attribute"
        )
    )
    for product in products.iterator(chunk_size=BATCH):
        yield offer_of(product, strategy, shop_url)


def batches(items, size):
    """Lists of at most `size`, each with whether it is the last one."""
    batch = []
    for item in items:
        if len(batch) == size:
            yield batch, False
            batch = []
        batch.append(item)
    yield batch, True


def post(url, key, idempotency_key, body):
    """Send one batch; tries again where the same request may succeed. Returns the answer's text."""
    request = urllib.request.Request(  # noqa: S310 - the command checks the scheme
        url,
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key,
        },
        method="POST",
    )
    for attempt in range(1, TRIES + 1):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.read(100_000).decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            text = error.read(2_000).decode("utf-8", "replace")
            if error.code < 500 and error.code not in (409, 429):
                raise CommandError(f"refused with {error.code}: {text}") from error
            reason = f"{error.code}: {text}"
        except OSError as error:
            reason = str(error)
        if attempt < TRIES:
            time.sleep(min(2 ** (attempt - 1), 8))
    raise CommandError(f"not accepted after {TRIES} tries: {reason}")


class Command(BaseCommand):
    """push_offers --url URL --key KEY"""

    help = __doc__

    def add_arguments(self, parser):
        """Where to, with which key, and the shop's own address for links."""
        parser.add_argument("--url", required=True, help="address of the comparator's push API")
        parser.add_argument("--key", required=True, help="the merchant's key")
        parser.add_argument("--shop-url", default="http://127.0.0.1", help="address of this shop")
        parser.add_argument("--batch", type=int, default=BATCH, help="most offers in one request")
        parser.add_argument("--allow-empty", action="store_true", help="push an empty catalogue")

    def handle(self, *, url, key, shop_url, batch, allow_empty, **_options):
        """Push all. Refuses an empty catalogue, which would withdraw every offer."""
        if not url.startswith(("http://", "https://")):
            raise CommandError("the address must start with http:// or https://")
        run = str(uuid.uuid4())
        sent = 0
        target = url.rstrip("/") + "/v1/merchants/offers"
        found = offers(shop_url.rstrip("/"))
        for number, (part, is_last) in enumerate(batches(found, max(batch, 1)), 1):
            if not part and not allow_empty:
                raise CommandError("the catalogue is empty: nothing pushed")
            answer = post(
                target, key, f"{run}-{number}", {"run": run, "offers": part, "complete": is_last}
            )
            sent += len(part)
            self.stdout.write(f"{sent} offers pushed: {answer[:300]}")
