"""What the requirement says, in an answer: whom it concerns, which pages, which exceptions."""

from __future__ import annotations

from datetime import UTC, datetime

from functions.answers import requirement
from tests.functions.asking import app_over, ask


async def test_every_part_of_the_requirement_has_its_place(azurite: str) -> None:
    async with app_over(azurite, datetime(2026, 11, 2, 12, tzinfo=UTC)) as app:
        shown = (await ask(requirement, app)).json
    whom = " ".join(concerned["who"] for concerned in shown["concerns"])
    assert all(word in whom for word in ("direct bill", "provider", "reseller", "Control panel vendor", "Advisor"))
    pages = [(page["asOf"], page["name"], page["paths"]) for page in shown["pages"]]
    assert ("2021", "Customers", ["partner.microsoft.com/commerce/*"]) in pages
    ways = {way["name"]: way for way in shown["waysIn"]}
    assert "app-only token" in ways["Partner Center API"]["detail"]
    assert ways["Portals without a customer's tenant"]["scope"] == "partner-tenant"
    issues = {issue["number"]: issue for issue in shown["commonIssues"]}
    assert [issue["mayBeExcepted"] for issue in issues.values()] == [False] * 5 + [True]
    assert "authenticator app and nothing else" in issues[4]["guidance"]
    assert "SMTP AUTH" in issues[5]["guidance"]
    note = "registering alone does not enable an account for MFA"
    assert all(note.lower() in issues[number]["guidance"].lower() for number in (1, 5))
    assert "MFA - Request for exception" in shown["filing"]["now"]
    assert "New request" in shown["filing"]["before"]
