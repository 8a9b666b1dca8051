"""Servers that run inside the data folder when no address of a shared one is given."""
