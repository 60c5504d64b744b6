"""Nothing is sent into the app's own network, to its platform or to itself."""

from ipaddress import ip_address

import pytest

from shared.app.addresses import refusal

PUBLIC = ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "fd00::1",
    "fec0::1",
    "::ffff:10.0.0.1",
    "2002:a00:1::",
]
PLATFORM = [
    "169.254.169.254",
    "168.63.129.16",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
]
OWN = ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "::7f00:1"]
NO_HOST = ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "240.0.0.1", "ff02::1"]  # noqa: S104 - refused here


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_used(address: str) -> None:
    assert refusal(ip_address(address)) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_needs_its_host_to_be_allowed(address: str) -> None:
    assert refusal(ip_address(address)) == "a private address"
    assert refusal(ip_address(address), internal=True) is None


@pytest.mark.parametrize("address", [*PLATFORM, *NO_HOST])
def test_metadata_and_what_is_no_host_are_never_allowed(address: str) -> None:
    assert refusal(ip_address(address))
    assert refusal(ip_address(address), internal=True, loopback=True)


@pytest.mark.parametrize("address", OWN)
def test_this_machine_is_for_local_mode(address: str) -> None:
    assert refusal(ip_address(address), internal=True) == "this machine"
    assert refusal(ip_address(address), loopback=True) is None
