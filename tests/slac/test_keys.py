"""Keys against the tools' and real chargers' own pairs."""

from __future__ import annotations

import random

import pytest

from pyplc.slac.keys import DAK_SALT, from_password, nid_of, random_nmk


@pytest.mark.parametrize(
    ("password", "dak", "nmk", "nid"),
    [
        ("HomePlugAV", "689f074b8b0275a2710b0b5779ad1630", "50d3e4933f855b7040784df815aa8db7", "b0f2e695666b03"),
        ("HomePlugAV0123", "f084b4e8f6069ff1300c9bdb812367ff", "b59319d7e8157ba001b018669ccee30d", "026bcba5354e08"),
        ("secret pass word", "14b9313c109859291ee658ce8e5503f0", "9782b744493f57d07b358394777acb5e", "b36f7c07d0a601"),
        ("ccs-emulator-pev", "6736f75085c38b338d9412f48476ec63", "2350470488c62a02472d759dfe55845f", "cce411a21b5c0d"),
    ],
)
def test_from_a_password(password: str, dak: str, nmk: str, nid: str) -> None:
    assert from_password(password, DAK_SALT).hex() == dak
    assert from_password(password).hex() == nmk
    assert nid_of(bytes.fromhex(nmk)).hex() == nid
    assert nid_of(bytes.fromhex(nmk), level=1).hex() == nid[:12] + "1" + nid[13]


@pytest.mark.parametrize(
    ("nmk", "nid"),
    [
        ("00" * 16, "16a817e934770b"),
        ("ff" * 16, "b6964cba659c0b"),
        ("d84a239554e7980bb73263f505734afd", "d5925cb82e6808"),
        ("c0e93e076fe0ea3850f88ac39b87dc2f", "4c53a6137fd300"),
        ("a4162d08e77b3f97fea23511a2ee9838", "a0a98997e89d0e"),
        ("a39d255b5770c42f3837471f5b39823a", "4ee9194d581702"),
    ],
)
def test_the_network_id_of_a_key(nmk: str, nid: str) -> None:
    assert nid_of(bytes.fromhex(nmk)).hex() == nid


def test_a_fresh_key_has_sixteen_bytes_and_comes_from_the_generator() -> None:
    assert random_nmk(random.Random(1)) == random_nmk(random.Random(1)) != random_nmk(random.Random(2))
    assert len(random_nmk(random.Random(3))) == 16
