"""The HTTP API: one table of endpoints, from which routes and description are made."""
