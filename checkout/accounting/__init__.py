"""The books: commission and its tax, periods that close, exports for accountants."""
