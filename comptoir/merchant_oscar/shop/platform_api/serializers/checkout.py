"""Delivery methods over REST, with their days."""

from oscarapi.serializers import checkout
from rest_framework import serializers


class ShippingMethodSerializer(checkout.ShippingMethodSerializer):
    """Oscar's fields and the two of ours."""

    days_min = serializers.IntegerField(default=None)
    days_max = serializers.IntegerField(default=None)
