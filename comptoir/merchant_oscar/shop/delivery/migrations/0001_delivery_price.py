"""Makes the table of delivery prices."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [  # noqa: RUF012 - Django's form
        ("catalogue", "0032_category_exclude_from_menu_category_long_description"),
    ]

    operations = [  # noqa: RUF012
        migrations.CreateModel(
            name="DeliveryPrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("country", models.CharField(max_length=2)),
                ("price_minor", models.PositiveIntegerField(help_text="Cents, VAT included")),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="delivery_prices",
                        to="catalogue.product",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("product", "country"), name="one_price_per_country"
                    )
                ],
            },
        ),
    ]
