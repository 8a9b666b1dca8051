"""What shoppers and partners read: search, facets, products, as pages and as JSON. No SQL."""
