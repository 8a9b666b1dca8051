"""Argus: what a product is worth now, new and by grade, from prices asked and sales on record."""
