"""Drivers of the platforms a release is carried out on."""
