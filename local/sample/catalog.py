"""Names that the sample draws from: Microsoft's first-party applications, places, devices, policies.

Application ids are Microsoft's published first-party ids; addresses are from the documentation ranges of RFC 5737.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class App:
    """An application and the resource that it asks a token for."""

    app_id: str
    name: str
    resource_id: str
    resource_name: str
    client: str = "Browser"


_MANAGEMENT = ("797f4846-ba00-4fd7-ba43-dac1f8f63013", "Windows Azure Service Management API")
_GRAPH = ("00000003-0000-0000-c000-000000000000", "Microsoft Graph")
_EXCHANGE = ("00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online")
_DIRECTORY = ("00000002-0000-0000-c000-000000000000", "Windows Azure Active Directory")
_DESKTOP = "Mobile Apps and Desktop clients"

AZURE_PORTAL = App("c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure Portal", *_MANAGEMENT)
OFFICE_PORTAL = App("00000006-0000-0ff1-ce00-000000000000", "Microsoft Office 365 Portal", *_GRAPH)
EXCHANGE_ADMIN = App("497effe9-df71-4043-a8bb-14cf78c4b63b", "Exchange Admin Center", *_EXCHANGE)
INTUNE = App("5926fc8e-304e-4f59-8bed-58ca97cc39a4", "Microsoft Intune portal extension", *_GRAPH)
AZURE_CLI = App("04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Microsoft Azure CLI", *_MANAGEMENT, _DESKTOP)
AZURE_POWERSHELL = App("1950a258-227b-4e31-a9cf-717495945fc2", "Microsoft Azure PowerShell", *_MANAGEMENT, _DESKTOP)
GRAPH_POWERSHELL = App("14d82eec-204b-4c2f-b7e8-296a70dab67e", "Microsoft Graph Command Line Tools", *_GRAPH, _DESKTOP)
EXCHANGE_POWERSHELL = App(
    "fb78d390-0c51-40cd-8e17-fdbfab77341b", "Microsoft Exchange REST API Based Powershell", *_EXCHANGE, _DESKTOP
)
EXCHANGE_ONLINE = App("00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online", *_EXCHANGE)
OFFICE = App("d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office", *_GRAPH, _DESKTOP)
TEAMS = App("1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Teams", *_GRAPH, _DESKTOP)
DIRECTORY_SYNC = App("cb1056e2-e479-49de-ae31-7812af012ed8", "Microsoft Azure Active Directory Connect", *_DIRECTORY)
WINDOWS_SIGN_IN = App("38aa3b87-a06d-4817-b275-7a316988d93b", "Windows Sign In", *_DIRECTORY, _DESKTOP)
PARTNER_CENTER = App(
    "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd",
    "Microsoft Partner Center",
    "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd",
    "Microsoft Partner Center",
)

ROOT_APPS = (AZURE_PORTAL, OFFICE_PORTAL, EXCHANGE_ADMIN, OFFICE)
CUSTOMER_APPS = (AZURE_PORTAL, OFFICE_PORTAL, INTUNE, AZURE_CLI, AZURE_POWERSHELL, GRAPH_POWERSHELL)


@dataclass(frozen=True, slots=True)
class Place:
    """A town with the address range that its sign-ins come from."""

    city: str
    state: str
    country: str
    latitude: float
    longitude: float
    network: str
    asn: int


PLACES = (
    Place("Leeds", "West Yorkshire", "GB", 53.79648, -1.54785, "192.0.2", 64496),
    Place("Utrecht", "Utrecht", "NL", 52.09083, 5.12222, "198.51.100", 64497),
    Place("Oslo", "Oslo", "NO", 59.91273, 10.74609, "203.0.113", 64498),
)


@dataclass(frozen=True, slots=True)
class Device:
    """A device as the log describes it, and the user agent that its browser sends."""

    system: str
    browser: str
    trust: str
    agent: str


DEVICES = (
    Device(
        "Windows11",
        "Edge 142.0.0",
        "Azure AD joined",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
        "Safari/537.36 Edg/142.0.0.0",
    ),
    Device(
        "MacOs",
        "Safari 26.0",
        "Azure AD registered",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 "
        "Safari/605.1.15",
    ),
    Device(
        "Windows10",
        "Chrome 142.0.0",
        "",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
        "Safari/537.36",
    ),
)

POLICIES = (
    "Baseline: MFA for administrators",
    "Baseline: MFA for service provider access",
    "Block legacy authentication",
    "Block countries without an office",
    "Phishing-resistant methods for Global Administrators",
    "Risky sign-ins: ask again",
    "Session limit on unmanaged devices",
)

FAILURE_REASONS = {
    0: "Other.",
    50053: "The account is locked after too many tries.",
    50058: "No session was found for a silent sign-in.",
    50074: "Strong authentication is required and was not passed yet.",
    50076: "A second factor is required by policy to reach the resource.",
    50079: "The user must register for MFA first.",
    50126: "Wrong user name or password.",
    50140: "The user was asked whether to stay signed in.",
    53003: "A Conditional Access policy blocked the sign-in.",
    500121: "The MFA request was not completed.",
    530034: "A delegated administrator was blocked because of risk in the home tenant.",
}

CUSTOMER_NAMES = (
    *("Adatum", "Alpine", "Bellows", "Birch", "Coho", "Fourth", "Graphic", "Harbour", "Humongous", "Juniper"),
    *("Lamna", "Lucerne", "Margie", "Meadow", "Nod", "Northwind", "Olive", "Proseware", "Relecloud", "School"),
)
CUSTOMER_TRADES = ("Engineering", "Foods", "Logistics")

GIVEN_NAMES = (
    *("jane", "trent", "john", "aisha", "bruno", "carla", "dmitri", "elena", "farid", "greta"),
    *("hugo", "ines", "jonas", "kaya", "liam", "mira", "nadia", "oskar", "petra", "quentin"),
    *("rosa", "sven", "tara", "umar", "vera", "wim", "xenia", "yusuf", "zoe", "anders"),
    *("bianca", "cyril", "dalia", "emil", "fiona", "gustav", "hanna", "igor", "svc-backup", "nora"),
)
"""One technician each. `svc-backup` is an account of a program; `nora` is a guest of a subcontractor."""

FAMILY_NAMES = ("Berg", "Costa", "Dahl", "Evans", "Fischer", "Garcia", "Hansen", "Ivanova", "Jensen", "Keller")
