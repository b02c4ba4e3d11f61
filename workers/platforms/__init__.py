"""Platforms that hold workspaces and domains, spoken to over HTTP."""
