"""Master data for operators: what is known of a product and why, as JSON and in words."""
