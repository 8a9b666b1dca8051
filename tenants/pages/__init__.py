"""What every page of a shop shares: frame, macros, stylesheet, and how templates are rendered."""
