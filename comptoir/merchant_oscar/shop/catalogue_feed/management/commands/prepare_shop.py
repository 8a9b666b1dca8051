"""Makes a shop ready to sell: tables, countries, product type, partner, accounts. Idempotent.

In: accounts.json of the data folder (admin and platform account with their passwords).
"""

import json

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.sites.models import Site
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction
from oscar.core.loading import get_model

Country = get_model("address", "Country")
Partner = get_model("partner", "Partner")
ProductAttribute = get_model("catalogue", "ProductAttribute")
ProductClass = get_model("catalogue", "ProductClass")

PRODUCT_TYPE = "Goods"
ATTRIBUTES = ("gtin", "manufacturer", "mpn", "language", "colour", "condition", "group", "pack")


def prepare_countries():
    """Countries of delivery; their names are shown in the shop's own address form."""
    for code in settings.SHOP_DELIVERY:
        Country.objects.update_or_create(
            iso_3166_1_a2=code,
            defaults={"printable_name": code, "name": code, "is_shipping_country": True},
        )


def prepare_goods():
    """One product type whose stock is counted, and one partner that holds the stock."""
    goods, _made = ProductClass.objects.update_or_create(
        name=PRODUCT_TYPE, defaults={"requires_shipping": True, "track_stock": True}
    )
    for code in ATTRIBUTES:
        ProductAttribute.objects.update_or_create(
            product_class=goods,
            code=code,
            defaults={"name": code.upper() if len(code) < 5 else code.capitalize()},
        )
    Partner.objects.get_or_create(name=settings.OSCAR_SHOP_NAME)


def prepare_accounts(accounts):
    """The shop's administrator, and the platform's account that may only handle orders."""
    user_model = get_user_model()
    for role, account in accounts.items():
        user, _made = user_model.objects.get_or_create(
            username=account["username"], defaults={"email": account["email"]}
        )
        user.is_staff = user.is_superuser = role == "admin"
        if not user.check_password(account["password"]):
            user.set_password(account["password"])
        user.save()
        if role == "platform":
            user.user_permissions.set(
                Permission.objects.filter(
                    content_type__app_label="order", codename__in=("view_order", "change_order")
                )
            )


class Command(BaseCommand):
    """prepare_shop"""

    help = __doc__

    def handle(self, **_options):
        """Tables first; then all or nothing, so that a kill leaves nothing half done."""
        call_command("migrate", verbosity=0, interactive=False)
        accounts = json.loads((settings.DATA_DIR / "accounts.json").read_text(encoding="utf-8"))
        with transaction.atomic():
            Site.objects.update_or_create(
                pk=settings.SITE_ID,
                defaults={"domain": "127.0.0.1", "name": settings.OSCAR_SHOP_NAME},
            )
            prepare_countries()
            prepare_goods()
            prepare_accounts(accounts)
        self.stdout.write("shop prepared")
