"""The rules of releasing."""
