"""A real django-oscar shop as a merchant: installed into an interpreter of its own, never imported.

`install` makes it, `run` starts it and runs its commands; `shop/` is the Django project.
"""
