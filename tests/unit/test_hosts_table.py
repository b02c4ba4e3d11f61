"""The README's table of Git hosts says what the drivers say."""

from __future__ import annotations

import pytest

from tests.hosts_table import NAMES, README, table, with_table
from workers.hosts.registry import DRIVERS, reads_of


def test_the_table_in_the_readme_is_up_to_date() -> None:
    readme = README.read_text()

    assert readme == with_table(readme), "run: make hosts-table"


def test_every_driver_has_a_row() -> None:
    assert set(NAMES) == set(DRIVERS)
    assert all(f"`{driver}`" in table() for driver in DRIVERS)


def test_a_readme_without_its_marks_is_not_written() -> None:
    with pytest.raises(ValueError, match="lost its marks"):
        with_table("# Something else")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_reads_pushes_and_names_no_kind_twice(driver: str) -> None:
    kinds = reads_of(driver)

    assert "push" in kinds
    assert "other" not in kinds
    assert len(set(kinds)) == len(kinds)
