"""The one table of ours in the shop: what delivering a product to a country costs."""

from django.db import models


class DeliveryPrice(models.Model):
    """Replaces the shop's table: a product with any row is delivered only where it has one."""

    product = models.ForeignKey(
        "catalogue.Product", on_delete=models.CASCADE, related_name="delivery_prices"
    )
    country = models.CharField(max_length=2)
    price_minor = models.PositiveIntegerField(help_text="Cents, VAT included")

    class Meta:
        """One price for a product and a country."""

        constraints = (
            models.UniqueConstraint(fields=["product", "country"], name="one_price_per_country"),
        )

    def __str__(self):
        return f"{self.product_id} to {self.country}: {self.price_minor}"
