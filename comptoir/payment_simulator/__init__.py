"""A strict payment provider to build and test against: an HTTP server with state of its own.

It authorises on a hosted page, captures, voids and refunds, signs its notices, and can be told to
fail in every way that a real provider does. No real money moves.
"""
