"""The Django project of a merchant's shop: stock django-oscar with a REST API beside it."""
