"""The words of releasing. Standard library only."""
