"""What the comparator needs and stock oscarapi lacks: look-up by SKU and by basket, and cancel."""
