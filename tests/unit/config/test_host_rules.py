"""Faults of hosts that only show when a driver and its secrets are held together."""

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.host_rules import SIGNING_KEYS, is_key
from tests.unit.config.samples import bent, faults, load
from workers.hosts.timed_signatures import signing_key

GOOD = "whsec_" + base64.b64encode(b"k" * 32).decode()
SHORT = "whsec_" + base64.b64encode(b"k" * 16).decode()
CUT = GOOD[:-3] + "!"


@pytest.mark.parametrize("driver", ["gitlab", "standard-webhooks"])
@pytest.mark.parametrize("secret", [SHORT, CUT, "whsec_a-passphrase-of-somebody"])
def test_a_signing_key_that_is_none_is_a_fault_and_is_not_repeated(driver: str, secret: str) -> None:
    found = faults(bent(("hosts.github.driver", driver), ("hosts.github.secrets", [GOOD, secret])))

    assert list(found) == ["hosts.github.secrets.1"]
    assert "is no signing key" in found["hosts.github.secrets.1"]
    assert secret not in found["hosts.github.secrets.1"]


@pytest.mark.parametrize(
    ("driver", "secret"),
    [("gitlab", GOOD), ("standard-webhooks", GOOD), ("gitlab", "any text of some length"), ("github", SHORT)],
)
def test_keys_and_passphrases_that_fit_their_driver_are_taken(driver: str, secret: str) -> None:
    load(bent(("hosts.github.driver", driver), ("hosts.github.secrets", [secret])))


@given(st.binary(max_size=70).map(lambda key: base64.b64encode(key).decode()) | st.text(max_size=60))
@example(GOOD.removeprefix("whsec_"))
@example("whsec_whsec_" + "A" * 43)
def test_what_the_file_may_hold_is_what_the_drivers_take(text: str) -> None:
    for sizes in SIGNING_KEYS.values():
        for secret in (text, f"whsec_{text}"):
            assert is_key(secret, sizes) is (signing_key(secret.encode(), sizes) is not None)
