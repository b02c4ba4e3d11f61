"""The steps of a release, one small class each, with the same verbs."""
