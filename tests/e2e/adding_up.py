"""Every number of the answers added up against every other, over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

type Get = Callable[[str], Awaitable[Any]]
type Items = list[dict[str, Any]]

_VERDICTS = ("total", "compliant", "nonCompliant", "unknown")


async def listed(get: Get, path: str) -> Items:
    """All items of a list; its total has to be their number where it says one."""
    items: Items = []
    cursor, totals = "", set()
    while True:
        page = await get(f"{path}{'&' if '?' in path else '?'}limit=200{cursor}")
        items += page["items"]
        totals.add(page["total"])
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert totals in ({None}, {len(items)}), (path, totals, len(items))
    return items


async def differences(get: Get, days: int) -> list[str]:
    """What does not add up, in words; nothing where all does."""
    every, headline = await get(f"/api/summary?days={days}&scope=all"), await get(f"/api/summary?days={days}")
    found: list[str] = []

    def same(what: str, one: object, other: object) -> None:
        if one != other:
            found.append(f"{what}: {one} is not {other}")

    for name, summary in (("headline", headline), ("every scope", every)):
        for difference in _within(summary):
            found.append(f"{name}, {difference}")
    for part in ("expectedSlices", "completeSlices", "measuredUntil", "finalUntil", "quarantined"):
        same(f"{part} of both summaries", every["coverage"][part], headline["coverage"][part])
    by_scope = every["byScope"]
    same("byScope of both summaries", by_scope, headline["byScope"])
    same("headline and its scopes", _of(headline), _sum([by_scope["customer"], by_scope["partner-center"]]))

    customers = await listed(get, f"/api/customers?days={days}")
    same("customers and the scope customer", _sum(customers), _numbers(by_scope["customer"]))
    same("technicians", _sum(await listed(get, f"/api/technicians?days={days}&scope=all")), _of(every))
    same("technicians of the headline", _sum(await listed(get, f"/api/technicians?days={days}")), _of(headline))
    same("applications", _sum(await listed(get, f"/api/applications?days={days}&scope=all")), _of(every))
    for verdict, name in (("non-compliant", "nonCompliant"), ("unknown", "unknown")):
        causes = await listed(get, f"/api/causes?days={days}&verdict={verdict}")
        same(f"causes of {name}", {c["ofAll"] for c in causes}, {_of(headline)[name]} if causes else set())
    for customer in customers[:3]:
        one = await get(f"/api/summary?days={days}&scope=customer&customer={customer['customerId']}")
        same(f"the summary of {customer['customerName']}", _of(one), _numbers(customer))

    findings = await listed(get, f"/api/findings?from={every['period']['from']}")
    lacking = Counter((f["scope"], f["verdict"]) for f in findings)
    for scope, numbers in by_scope.items():
        same(f"findings of {scope}", lacking[scope, "non-compliant"], numbers["nonCompliant"])
        same(f"unknown findings of {scope}", lacking[scope, "unknown"], numbers["unknown"])
    broken = Counter(rule for finding in findings for rule in finding["rules"])
    same("byRule", every["byRule"], {rule: broken[rule] for rule in every["byRule"]})
    same("rules", {*broken} - {*every["byRule"]}, set())
    found += await _of_incidents(get, every, customers)
    return found


async def _of_incidents(get: Get, summary: Mapping[str, Any], customers: Items) -> list[str]:
    """What of the incidents does not add up. Those of which nothing is left are in no number of the summary."""
    found: list[str] = []
    everything = await listed(get, "/api/incidents")
    incidents = [i for i in everything if i["count"]]
    states = Counter((i["state"], i["severity"]) for i in incidents)
    for state, by_severity in summary["incidents"]["byState"].items():
        counted = {severity: states[state, severity] for severity in by_severity}
        if counted != by_severity or sum(counted.values()) != summary["incidents"][state]:
            found.append(f"incidents {state}: {counted} is not {by_severity}")
    named = Counter(i for f in await listed(get, "/api/findings") for i in f["incidentIds"])
    found += [
        f"incident {i['id']}: {i['count']} is not {named[i['id']]}" for i in incidents if named[i["id"]] != i["count"]
    ]
    found += [f"findings name {key}, which is no incident" for key in named.keys() - {i["id"] for i in everything}]
    opened = Counter(c["customerId"] for i in incidents if i["state"] == "open" for c in i["customers"])
    found += [
        f"open incidents of {c['customerName']}: {c['openIncidents']} is not {opened[c['customerId']]}"
        for c in customers
        if c["openIncidents"] != opened[c["customerId"]]
    ]
    return found


def _within(summary: Mapping[str, Any]) -> Iterable[str]:
    signins = summary["delegatedSignIns"]
    parts = {
        "the three verdicts": (signins["compliant"] + signins["nonCompliant"] + signins["unknown"], signins["total"]),
        "byEvidence": (sum(summary["byEvidence"].values()), signins["total"]),
        "byWhy": (sum(summary["byWhy"].values()), signins["unknown"]),
        "byStrength": (sum(summary["byStrength"].values()), signins["compliant"]),
        "none and skipped": (summary["byEvidence"]["none"] + summary["byEvidence"]["skipped"], signins["nonCompliant"]),
        **{name: (sum(day[name] for day in summary["trend"]), signins[name]) for name in _VERDICTS[1:]},
    }
    judged = signins["compliant"] + signins["nonCompliant"]
    parts["percent"] = (signins["compliancePercent"], round(100 * signins["compliant"] / judged, 2) if judged else None)
    return [f"{name}: {one} is not {other}" for name, (one, other) in parts.items() if one != other]


def _of(summary: Mapping[str, Any]) -> dict[str, int]:
    return _numbers(summary["delegatedSignIns"])


def _numbers(line: Mapping[str, Any]) -> dict[str, int]:
    return {name: line[name] for name in _VERDICTS}


def _sum(lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    whole = dict.fromkeys(_VERDICTS, 0)
    for line in lines:
        for name in _VERDICTS:
            whole[name] += line[name]
    return whole
