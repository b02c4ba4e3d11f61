"""The first floor: all that a release is and does."""
