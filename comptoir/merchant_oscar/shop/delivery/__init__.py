"""Delivery prices per product and country, beside the shop's flat table."""
