"""Git hosts: verify a delivery, read its event, report back."""
