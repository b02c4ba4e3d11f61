from __future__ import annotations

import pytest

from config.sentinel import is_sentinel, sentinel_address


def test_every_part_of_an_address_is_read() -> None:
    address = sentinel_address(
        "redis+sentinel://bot:p%40ss@one:1,[::1]:2,three/service?db=4&sentinel_password=word"
    )

    assert address.sentinels == (("one", 1), ("::1", 2), ("three", 26379))
    assert (address.service, address.database) == ("service", 4)
    assert (address.username, address.password, address.sentinel_password) == ("bot", "p@ss", "word")


def test_only_sentinels_service_is_required() -> None:
    address = sentinel_address("redis+sentinel://one/service")

    assert address.sentinels == (("one", 26379),)
    assert (address.database, address.username, address.password) == (0, None, None)


def test_no_password_is_shown() -> None:
    shown = repr(sentinel_address("redis+sentinel://:secret-one@one/service?sentinel_password=secret-two"))

    assert "secret" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://",
        "redis+sentinel:///service",
        "redis+sentinel://one",
        "redis+sentinel://one/a/b",
        "redis+sentinel://one:port/service",
        "redis+sentinel://one,/service",
        "redis+sentinel://one/service?db=-1",
        "redis+sentinel://one/service#part",
    ],
)
def test_what_is_incomplete_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"redis\+sentinel://host1:26379"):
        sentinel_address(url)


def test_a_server_is_no_sentinel() -> None:
    assert is_sentinel("redis+sentinel://one/service")
    assert not is_sentinel("redis://one/0")
