"""Tests of the Git hosts' webhooks."""
