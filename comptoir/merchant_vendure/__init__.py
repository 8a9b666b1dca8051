"""A real Vendure shop as a merchant: Node packages from a lock, run as a process of its own.

`install` makes it, `run` starts it, `catalogue` fills it; `shop/` is its configuration.
"""
