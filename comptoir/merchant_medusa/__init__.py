"""A real Medusa shop as a merchant: Node packages from a lock, run on a PostgreSQL of its own.

`install` makes it, `run` starts it, `catalogue` fills it; `shop/` is its configuration.
"""
