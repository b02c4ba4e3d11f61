"""Drain the outbox, word a notice, send it through its channel."""
