"""The top floor: webhooks, people, and the commands."""
