"""A merchant's server that speaks UCP 2026-08-25 and ACP 2026-04-17, for tests and the demo.

It sells from stock and never more than it has, remembers everything in one SQLite file, and fails
as merchants fail where a switch says so.
"""
