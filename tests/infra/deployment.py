"""What infra/ would deploy under given variables of the azd environment, for the tests to ask."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.infra.bicep_template import Resource, Template, Value, parameters_of

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
FILES = sorted(INFRA.rglob("*.bicep"))

DEFAULTS: tuple[tuple[str, str], ...] = ()
"""Nothing set: what a first `azd up` gives."""
PRIVATE = (("VNET_ENABLED", "true"),)
KEYS = (("AUTH_MODE", "key"), ("GRANT_GRAPH_PERMISSIONS", "false"), ("READ_FEDERATION", "false"))
EVERYTHING = (
    ("AZURE_ENV_NAME", "x" * 64),
    ("AZURE_LOCATION", "germanywestcentral"),
    ("AZURE_PRINCIPAL_ID", "11111111-1111-1111-1111-111111111111"),
    ("EXTRA_TAGS", '{"owner": "security"}'),
    ("PARTNER_TENANT_ID", "22222222-2222-2222-2222-222222222222"),
    ("MONITORED_TENANT_IDS", "22222222-2222-2222-2222-222222222222,33333333-3333-3333-3333-333333333333"),
    ("READER_PRINCIPAL_IDS", "44444444-4444-4444-4444-444444444444, 55555555-5555-5555-5555-555555555555"),
    ("ALERT_CHANNELS", "soc=teams, siem=generic,ops=slack"),
    ("ALERT_EMAILS", "soc@example.org, ops@example.org"),
    ("VNET_ENABLED", "true"),
    ("ALLOWED_IP_RANGES", "203.0.113.7, 198.51.100.0/24"),
    ("SIGN_IN_LAG_MINUTES", "60"),
    ("ALERT_WEBHOOK_URL", "https://soc.example.org/azure"),
    ("APP_DEPLOYED", "true"),
    ("BUDGET_AMOUNT", "50"),
    ("BUDGET_START", "2026-12-01"),
    ("EXTRA_SETTINGS", '{"CHANNELS__SOC__MINIMUM_SEVERITY": "high", "PAGES_PER_SLICE": 20}'),
    ("MAIL_RECIPIENTS", "soc@example.org, ciso@example.org"),
    ("SITE_UPDATE_STRATEGY", "RollingUpdate"),
)
OWN_REGISTRATION = (("AUTH_CLIENT_ID", "66666666-6666-6666-6666-666666666666"), ("AZURE_LOCATION", "westus"))
VARIANTS = {"defaults": DEFAULTS, "private": PRIVATE, "keys": KEYS, "everything": EVERYTHING, "own": OWN_REGISTRATION}


class Deployment:
    """Resources, outputs and parameters of main.bicep under the variables of one environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.parameters = parameters_of(INFRA / "main.bicepparam", environment)
        template = Template(INFRA / "main.bicep", self.parameters)
        self.resources = [r for r in template.resources if not r.existing]
        self.outputs: dict[str, Value] = template.outputs

    def all(self, kind: str) -> list[Resource]:
        """The resources of this type, in the order of the template."""
        return [r for r in self.resources if r.type == kind]

    def one(self, kind: str, symbol: str | None = None) -> Resource:
        """The only resource of this type (and symbol)."""
        (found,) = [r for r in self.all(kind) if symbol in (None, r.symbol)]
        return found

    def settings(self) -> dict[str, str]:
        """The app settings of the function app, by name."""
        return {str(s["name"]): str(s["value"]) for s in objects(self.one("Microsoft.Web/sites"), APP_SETTINGS)}


APP_SETTINGS = "properties.siteConfig.appSettings"


@cache
def deployed(environment: tuple[tuple[str, str], ...]) -> Deployment:
    """The deployment under these variables; worked out once."""
    return Deployment(dict(environment))


def objects(resource: Resource, path: str) -> Iterator[dict[str, Value]]:
    """The objects of the list at this path."""
    found = resource.get(path)
    assert isinstance(found, list)
    for item in found:
        assert isinstance(item, dict)
        yield item


def texts(resource: Resource, path: str) -> list[str]:
    """The texts of the list at this path."""
    found = resource.get(path)
    assert isinstance(found, list)
    return [str(item) for item in found]
