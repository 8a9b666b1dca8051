"""The purchase over HTTP: one module for each part of the way, all on plain forms and links."""
