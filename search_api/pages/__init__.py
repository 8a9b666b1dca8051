"""Pages that shoppers read: home, results, product."""
