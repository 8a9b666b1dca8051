"""Changing how a brand ranks: drafts tried offline, published behind a gate, rolled back."""
