"""Pages of the purchase: what they show (`view_models`), their templates and their words."""
