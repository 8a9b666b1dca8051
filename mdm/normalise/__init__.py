"""Giving meaning to what a merchant wrote: pure functions from RawOffer to NormalOffer."""
