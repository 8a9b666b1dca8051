"""A confirmed purchase carried out: one leg for each merchant, each step journalled before it is
sent.

`machine` says what follows what, `journal` writes it down under a lease, `steps` makes the outside
calls, `advance` runs them until the leg is settled or has to wait.
"""
