"""Where one can go: the entries of the navigation, by who comes for them."""

from __future__ import annotations

from typing import Final, NamedTuple


class Place(NamedTuple):
    """An entry of the navigation; `under` are the beginnings of the addresses that belong to it."""

    title: str
    address: str
    under: tuple[str, ...] = ()


# Three entrances: for the lead, the engineer, the auditor.
ENTRANCES: Final = (
    (
        "Overview",
        (
            Place("Overview", "/"),
            Place("Incidents", "/incidents", ("/incidents", "/causes", "/findings")),
            Place("Customers", "/customers", ("/customers",)),
            Place("Technicians", "/technicians", ("/technicians",)),
        ),
    ),
    (
        "Engineer",
        (
            Place("Applications", "/applications", ("/applications", "/portals")),
            Place("Rules", "/rules", ("/rules",)),
            Place("Token check", "/token", ("/token",)),
        ),
    ),
    (
        "Auditor",
        (
            Place("Audit", "/audit", ("/audit", "/days", "/exceptions")),
            Place("Posture", "/posture", ("/posture",)),
            Place("Setup", "/setup", ("/setup",)),
        ),
    ),
)


def place_of(address: str) -> Place:
    """The entry to which a page belongs; the overview where none claims it."""
    every = [place for _, places in ENTRANCES for place in places]
    return next((p for p in every if any(address == u or address.startswith(u + "/") for u in p.under)), every[0])
