"""Registers the fork in the place of Oscar's own shipping app."""

from oscar.apps.shipping import apps


class ShippingConfig(apps.ShippingConfig):
    """The same app under our module name."""

    name = "forks.shipping"
