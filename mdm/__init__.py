"""Truth about products: raw landing, normalising, matching, golden records, offers, prices."""
