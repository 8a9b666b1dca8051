"""Shared words and plumbing: money, ids, GTIN, errors, settings, database, jobs, web, i18n.

Owns no table of another package and knows no business rule beyond its vocabulary.
"""
