"""The app settings of the template and the settings model are one list, and the model starts with them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from shared.app.settings import Settings, load_settings
from tests.infra.deployment import DEFAULTS, EVERYTHING, ROOT, VARIANTS, deployed

README = (ROOT / "README.md").read_text(encoding="utf-8")
PARAMETERS = (ROOT / "infra/main.bicepparam").read_text(encoding="utf-8")
SECRET = "whsec_YSBzZWNyZXQgb2YgMjQgYnl0ZXMgb3IgbW9yZQ=="

OF_AZD = {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_PRINCIPAL_ID"}
"""What azd itself puts into its environment."""

OF_HOOKS = {"CHECK_RIGHTS"}
"""What only a hook of azd reads."""

FOR_THE_HOST = {
    "AzureWebJobsDisableHomepage",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",  # the model reads this one and that of the blobs too
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID",
}
"""What the Functions host and Easy Auth read; the product does not."""

LEFT_TO_THE_MODEL = {
    "AzureWebJobsStorage": "a connection string: Azurite on a person's own machine, never in Azure",
    "GRAPH_BASE_URL": "the public cloud's: the template deploys to no other",
    "READ_AGES_MINUTES": "an engine's constant: changing it changes what the ledger means",
    "SLICE_LEASE_SECONDS": "an engine's constant: shorter only in tests that kill workers",
    "PAGES_PER_SLICE": "an engine's constant: when a slice is split",
    "GRAPH_REQUESTS_PER_10_SECONDS": "an engine's constant: Graph's limit less a reserve",
    "DIRECTORY_REQUESTS_PER_10_SECONDS": "an engine's constant: Graph's limit less a reserve",
    "REPORT_REQUESTS_PER_10_SECONDS": "an engine's constant: Graph's limit less a reserve",
    "WEBSITE_HOSTNAME": "the platform sets it",
    "PACK_KEY_FILE": "a person's own machine: in Azure the vault signs",
    "GRAPH_TIMEOUT_SECONDS": "an engine's constant: Graph gives up after 300 seconds itself",
}
"""Settings that the template leaves at the model's own default, and why."""


def names_of(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """The environment variables that a model reads, `CHANNELS__*__KIND` for a member of a dict of models."""
    for field_name, field in model.model_fields.items():
        inner = next((a for a in get_args(field.annotation) if isinstance(a, type) and issubclass(a, BaseModel)), None)
        alias = field.validation_alias
        if isinstance(alias, AliasChoices):
            yield from ((str(choice), field) for choice in alias.choices)
        elif inner is not None:
            yield from ((f"{field_name.upper()}__*__{name}", nested) for name, nested in names_of(inner))
        else:
            yield (str(alias) if alias else field_name.upper(), field)


MODEL = dict(names_of(Settings))


def of_the_product(settings: dict[str, str]) -> set[str]:
    return {re.sub(r"^CHANNELS__[A-Z0-9]+__", "CHANNELS__*__", name) for name in settings if name not in FOR_THE_HOST}


@pytest.mark.parametrize("environment", VARIANTS.values(), ids=VARIANTS)
def test_the_host_gets_its_settings_and_no_others(environment: tuple[tuple[str, str], ...]) -> None:
    settings = deployed(environment).settings()
    easy_auth = {"OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"} if settings["AUTH_MODE"] == "easyauth" else set()
    optional = {"OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"}
    assert FOR_THE_HOST & settings.keys() == FOR_THE_HOST - optional | easy_auth


def test_the_model_knows_every_setting_of_the_template() -> None:
    assert of_the_product(deployed(EVERYTHING).settings()) <= MODEL.keys()


def test_the_template_sets_every_setting_of_the_model_but_those_left_to_it() -> None:
    extra = json.loads(dict(EVERYTHING)["EXTRA_SETTINGS"])
    deployment = deployed(tuple((n, v) for n, v in EVERYTHING if n != "EXTRA_SETTINGS"))
    assert deployed(EVERYTHING).settings().keys() - deployment.settings().keys() == extra.keys()
    template = of_the_product(deployment.settings()) | FOR_THE_HOST
    optional = {name for name, field in MODEL.items() if name.startswith("CHANNELS__") and not field.is_required()}
    assert MODEL.keys() - template - optional == LEFT_TO_THE_MODEL.keys()
    assert [name for name in LEFT_TO_THE_MODEL if MODEL[name].is_required()] == []


def as_azure_fills_them_in(settings: dict[str, str]) -> dict[str, str]:
    """The settings with what only Azure knows: ids, addresses and the secrets behind the references."""
    known = {
        r"<\S+ \S+ properties\.clientId>": "77777777-7777-7777-7777-777777777777",
        r"<tenant\.tenantId>": "22222222-2222-2222-2222-222222222222",
        r"<\S+ (\S+) properties\.primaryEndpoints\.(\w+)>": r"https://\1.\2.core.windows.net/",
        r"<environment\.suffixes\.keyvaultDns>": ".vault.azure.net",
        r"<\S+ \S+ properties\.ConnectionString>": "InstrumentationKey=0;IngestionEndpoint=https://in.example.org/",
        r"@Microsoft\.KeyVault\(VaultName=[^;]+;SecretName=channel-(\w+)-url\)": r"https://hooks.example.org/\1",
        r"@Microsoft\.KeyVault\(VaultName=[^;]+;SecretName=channel-\w+-secret\)": SECRET,
    }
    filled = {}
    for name, value in settings.items():
        for pattern, replacement in known.items():
            value = re.sub(pattern, replacement, value)
        assert not re.search(r"<|@Microsoft", value), f"{name}: {value}"
        filled[name] = value
    return filled


@pytest.mark.parametrize("environment", VARIANTS.values(), ids=VARIANTS)
def test_the_model_starts_with_exactly_the_settings_of_the_template(
    environment: tuple[tuple[str, str], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = as_azure_fills_them_in(deployed(environment).settings())
    for name in os.environ.keys() & {*MODEL, *settings}:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    found = load_settings()
    assert found.auth_mode == settings["AUTH_MODE"]
    assert found.partner_tenant_id == settings["PARTNER_TENANT_ID"]
    assert found.tenants == tuple((settings["MONITORED_TENANT_IDS"] or settings["PARTNER_TENANT_ID"]).split(","))
    assert found.azure_client_id == settings["AZURE_CLIENT_ID"]
    assert found.table_service_uri == settings["AzureWebJobsStorage__tableServiceUri"]
    assert found.storage_connection_string is None
    for name, field in Settings.model_fields.items():
        if field.annotation is int and name.upper() in settings:
            assert str(getattr(found, name)) == settings[name.upper()]


def said(default: object) -> str:
    """A default as the environment spells it."""
    return "" if default == () else str(default).lower() if isinstance(default, bool) else str(default)


def test_the_templates_defaults_are_the_models() -> None:
    settings = deployed(DEFAULTS).settings()
    differing = {
        name
        for name, field in MODEL.items()
        if name in settings and not field.is_required() and field.default is not None
        if name not in {"AUTH_MODE", "MONITORED_TENANT_IDS", "AZURE_CLIENT_ID"}  # where it runs decides these
        if said(field.default) != settings[name]
    }
    assert differing == set()


def test_the_readme_lists_every_setting_of_the_model_and_no_other() -> None:
    section = README.split("## Settings of the app")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `([^`]+)` \|", section, re.M)
    assert len(listed) == len(set(listed))
    product = {name for name in MODEL if not name.startswith("CHANNELS__")}
    assert set(listed) == product | {"CHANNELS__<NAME>__…"}


def test_the_readme_says_which_settings_azd_passes_on() -> None:
    section = README.split("## Settings of the app")[1].split("\n## ")[0]
    marked = set(re.findall(r"^\| `([A-Z_0-9]+)` \|[^|]*\| ✓", section, re.M))
    asked = set(re.findall(r"readEnvironmentVariable\('(\w+)'", PARAMETERS))
    assert marked == asked & MODEL.keys()
    deployment = README.split("### Settings of the deployment")[1].split("\n## ")[0]
    named = set(re.findall(r"[A-Z][A-Z_]{5,}", "".join(re.findall(r"^\|([^|]*)\|", deployment, re.M))))
    assert named == asked - MODEL.keys() - OF_AZD | OF_HOOKS


def test_the_readme_says_the_defaults_of_the_model() -> None:
    section = README.split("## Settings of the app")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^\| `([A-Z_0-9]+)` \| `?([^|`]*?)`? \|", section, re.M))
    differing = {
        name: listed[name]
        for name, field in MODEL.items()
        if name in listed and isinstance(field.default, int | float | str) and listed[name] != said(field.default)
    }
    assert differing == {}
