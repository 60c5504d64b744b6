"""Where one can go: the entries of the navigation, by who comes for them."""

from __future__ import annotations

from typing import Final, NamedTuple


class NamedPlace(NamedTuple):
    """An entry of the navigation; `under` are the beginnings of the addresses that belong to it."""

    title: str
    address: str
    under: tuple[str, ...] = ()


# Three entrances: for the lead, the engineer, the auditor.
ENTRANCES: Final = (
    (
        "Overview",
        (
            NamedPlace("Overview", "/"),
            NamedPlace("Incidents", "/incidents", ("/incidents", "/causes", "/findings")),
            NamedPlace("Customers", "/customers", ("/customers",)),
            NamedPlace("Technicians", "/technicians", ("/technicians",)),
        ),
    ),
    (
        "Engineer",
        (
            NamedPlace("Applications", "/applications", ("/applications", "/portals")),
            NamedPlace("Rules", "/rules", ("/rules",)),
            NamedPlace("Token check", "/token", ("/token",)),
        ),
    ),
    (
        "Auditor",
        (
            NamedPlace("Audit", "/audit", ("/audit", "/days", "/exceptions")),
            NamedPlace("Posture", "/posture", ("/posture",)),
            NamedPlace("Setup", "/setup", ("/setup",)),
        ),
    ),
)


def place_of(address: str) -> NamedPlace:
    """The entry to which a page belongs; the overview where none claims it."""
    every = [place for _, places in ENTRANCES for place in places]
    return next((p for p in every if any(address == u or address.startswith(u + "/") for u in p.under)), every[0])
