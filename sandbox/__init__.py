"""The world outside, for trying and testing."""
