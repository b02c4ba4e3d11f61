"""Tests of the sample application."""

# ruff: noqa: PT009 - the sample needs nothing but Python
import json
import unittest

import app  # type: ignore[import-not-found]  # it stands beside this file


class AnswerTest(unittest.TestCase):
    """What the app answers."""

    def test_the_version_names_the_commit(self) -> None:
        """It is how a release proves itself."""
        status, _, body = app.answer("/version", "abc", "Hi")
        self.assertEqual((status, json.loads(body)), (200, {"commit": "abc"}))

    def test_the_page_greets(self) -> None:
        """Whatever the query."""
        self.assertIn("Hi", app.answer("/?from=mail", "abc", "Hi")[2])

    def test_everything_else_is_not_there(self) -> None:
        """And says so."""
        self.assertEqual(app.answer("/x", "abc", "Hi")[0], 404)


if __name__ == "__main__":
    unittest.main()
