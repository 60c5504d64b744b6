"""What the templates would deploy under several environments: identities, roles, hardening, names, tags."""

from __future__ import annotations

import json
import re

import pytest

from shared.basics.queues import Queue
from tests.infra.bicep_parser import BicepError, Statement, parse
from tests.infra.bicep_template import Resource, Template, Value
from tests.infra.deployment import (
    APP_SETTINGS,
    DEFAULTS,
    EVERYTHING,
    FILES,
    INFRA,
    KEYS,
    OWN_REGISTRATION,
    PRIVATE,
    ROOT,
    VARIANTS,
    deployed,
    objects,
    texts,
)

every_variant = pytest.mark.parametrize("environment", VARIANTS.values(), ids=VARIANTS)
DECLARED = [(file.name, statement) for file in FILES for statement in parse(file.read_text(encoding="utf-8"))]


def declared(*kinds: str) -> list[tuple[str, Statement]]:
    return [(file, statement) for file, statement in DECLARED if statement.kind in kinds]


# ---- Every file


def test_every_parameter_and_output_says_what_it_is() -> None:
    silent = [
        f"{file}: {s.name}"
        for file, s in declared("param", "output")
        if "description" not in {name for name, _ in s.decorators}
    ]
    assert silent == []


def test_every_file_says_what_it_is() -> None:
    described = {file for file, s in declared("metadata") if s.name == "description"}
    assert described == {file.name for file in FILES}


def test_every_parameter_of_the_deployment_has_a_default_or_is_known_to_azd() -> None:
    without = {s.name for file, s in declared("param") if file == "main.bicep" and s.value is None}
    assert without == {"environmentName", "location"}


def test_the_parameter_file_sets_every_parameter_to_its_default() -> None:
    template = {s.name: s for file, s in declared("param") if file == "main.bicep"}
    given = deployed(DEFAULTS).parameters
    assert given.keys() == template.keys()
    differing = {name for name, s in template.items() if s.value is not None and given[name] != deployed_default(name)}
    assert differing == {"appDeployed"}, "azd deploys the code after the template"


def deployed_default(name: str) -> Value:
    """The default of a parameter in main.bicep itself."""
    own = Template(INFRA / "main.bicep", {"environmentName": "e", "location": "westeurope"})
    return own.names[name]


def test_resources_are_plain_ones() -> None:
    """No module from a registry: the templates compile without a network, but for the types of Microsoft Graph."""
    assert [s.of for _, s in declared("module") if not s.of.startswith("modules/")] == []


# ---- No secret


def test_no_file_asks_azure_for_a_key() -> None:
    asking = [f.name for f in FILES if re.search(r"\blist\w*\(|getSecret\(|InstrumentationKey", f.read_text("utf-8"))]
    assert asking == []


@every_variant
def test_no_output_holds_a_secret(environment: tuple[tuple[str, str], ...]) -> None:
    for name, value in deployed(environment).outputs.items():
        assert not re.search(r"KEY(?!_VAULT)|SECRET|PASSWORD|TOKEN|CONNECTION", name)
        assert not re.search(r"ConnectionString|[Kk]eys|sharedKey|Password|\?sv=", str(value))


def test_no_module_hands_a_secret_on() -> None:
    handed = [
        f"{file}: {s.name}"
        for file, s in declared("output")
        if re.search("connectionstring|key(?!_?vault)|secret|password", f"{s.name} {s.value}".lower())
    ]
    assert handed == []


def test_the_settings_hold_references_in_place_of_secrets() -> None:
    settings = deployed(EVERYTHING).settings()
    channel = {n: v for n, v in settings.items() if n.startswith("CHANNELS__") and n.endswith(("__URL", "__SECRET"))}
    assert sorted(channel) == [
        "CHANNELS__OPS__URL",
        "CHANNELS__SIEM__SECRET",
        "CHANNELS__SIEM__URL",
        "CHANNELS__SOC__URL",
    ]
    vault = deployed(EVERYTHING).one("Microsoft.KeyVault/vaults").name
    for value in channel.values():
        assert re.fullmatch(rf"@Microsoft\.KeyVault\(VaultName={vault};SecretName=channel-[a-z]+-(url|secret)\)", value)
    for name, value in settings.items():
        assert not re.search(r"AccountKey|SharedAccessSignature|InstrumentationKey=|password", value), name


@every_variant
def test_no_setting_is_one_that_flex_consumption_has_moved(environment: tuple[tuple[str, str], ...]) -> None:
    moved = r"FUNCTIONS_(EXTENSION_VERSION|WORKER_)|WEBSITE_|SCM_DO_BUILD|ENABLE_ORYX"
    assert [n for n in deployed(environment).settings() if re.match(moved, n)] == []


def test_there_is_no_channel_where_none_was_asked_for() -> None:
    assert [n for n in deployed(DEFAULTS).settings() if n.startswith("CHANNELS")] == []


@every_variant
def test_storage_is_reached_by_the_identity(environment: tuple[tuple[str, str], ...]) -> None:
    settings = deployed(environment).settings()
    assert "AzureWebJobsStorage" not in settings  # even a blank one would win over the addresses
    assert settings["AzureWebJobsStorage__credential"] == "managedidentity"
    identity = deployed(environment).one("Microsoft.ManagedIdentity/userAssignedIdentities").name
    assert settings["AzureWebJobsStorage__clientId"] == settings["AZURE_CLIENT_ID"]
    assert identity in settings["AZURE_CLIENT_ID"]
    assert (
        settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
        == f"ClientId={settings['AZURE_CLIENT_ID']};Authorization=AAD"
    )


@every_variant
def test_the_package_is_deployed_by_the_identity(environment: tuple[tuple[str, str], ...]) -> None:
    app = deployed(environment).one("Microsoft.Web/sites")
    package = app.get("properties.functionAppConfig.deployment.storage")
    assert isinstance(package, dict)
    assert str(package["value"]).endswith("primaryEndpoints.blob>deployments")
    assert package["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": app.get("properties.keyVaultReferenceIdentity"),
    }
    assert app.get("identity.type") == "UserAssigned"


# ---- Roles

ROLES = {
    ("Microsoft.Storage/storageAccounts", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),  # Storage Blob Data Owner
    ("Microsoft.Storage/storageAccounts", "974c5e8b-45b9-4653-ba55-5f855dd0fb88"),  # Storage Queue Data Contributor
    ("Microsoft.Storage/storageAccounts", "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"),  # Storage Table Data Contributor
    ("Microsoft.Insights/components", "3913510d-42f4-4e42-8a64-420c390055eb"),  # Monitoring Metrics Publisher
    ("Microsoft.KeyVault/vaults", "4633458b-17de-408a-b874-0445c86b69e6"),  # Key Vault Secrets User
    ("Microsoft.KeyVault/vaults/keys", "12338af0-0e69-4776-bea7-57ae8d297424"),  # Key Vault Crypto User
}
"""All that the identity needs, each on the one resource that it needs it for."""


@every_variant
def test_the_identity_has_these_roles_on_single_resources_and_no_other(
    environment: tuple[tuple[str, str], ...],
) -> None:
    deployment = deployed(environment)
    identity = deployment.one("Microsoft.ManagedIdentity/userAssignedIdentities").name
    found = set()
    assignments = [
        assignment
        for assignment in deployment.all("Microsoft.Authorization/roleAssignments")
        if assignment.file == "roles.bicep"
    ]
    for assignment in assignments:
        scope = assignment.body["scope"]
        assert isinstance(scope, Resource), "the scope is a resource, not the resource group"
        found.add((scope.type, str(assignment.get("properties.roleDefinitionId")).rsplit("/", 1)[1]))
        assert f"{identity} properties.principalId" in str(assignment.get("properties.principalId"))
        assert assignment.get("properties.principalType") == "ServicePrincipal"
    assert found == ROLES
    assert len(assignments) == len(ROLES)


def test_only_the_mail_recipe_gives_a_role_to_anything_else() -> None:
    others = [
        (a.file, str(a.body["scope"].type) if isinstance(a.body["scope"], Resource) else "")
        for a in deployed(EVERYTHING).all("Microsoft.Authorization/roleAssignments")
        if a.file != "roles.bicep"
    ]
    assert others == [("mail.bicep", "Microsoft.Communication/communicationServices")]


def test_every_role_says_why() -> None:
    lines = (INFRA / "modules/roles.bicep").read_text(encoding="utf-8").splitlines()
    for file, s in declared("resource"):
        if s.of.startswith("Microsoft.Authorization/"):
            assert file in ("roles.bicep", "mail.bicep")
            if file == "roles.bicep":
                assert lines[s.line - 2].startswith("// "), s.name


# ---- Names

LIMITS = {
    "Microsoft.Resources/resourceGroups": r"[\w().-]{1,89}[\w()-]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Insights/components": r"[\w().-]{1,254}[\w()-]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"[a-z0-9](-?[a-z0-9]){2,62}",
    "Microsoft.Storage/storageAccounts/queueServices/queues": r"[a-z0-9](-?[a-z0-9]){2,62}",
    "Microsoft.KeyVault/vaults": r"[A-Za-z](-?[A-Za-z0-9]){2,23}",
    "Microsoft.Network/virtualNetworks": r"[A-Za-z0-9][\w.-]{1,62}\w",
    "Microsoft.Network/networkSecurityGroups": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/publicIPAddresses": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/natGateways": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/privateEndpoints": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Microsoft.Network/privateDnsZones": r"[a-z0-9.-]{1,63}",
    "Microsoft.Web/serverfarms": r"[A-Za-z0-9-]{1,60}",
    "Microsoft.Web/sites": r"[A-Za-z0-9](-?[A-Za-z0-9]){1,31}",  # 60 for Azure, 32 for the host's id
    "Microsoft.Insights/actionGroups": r"[^/&%\\?]{1,260}",
    "Microsoft.Insights/scheduledQueryRules": r"[^*<>%:&?+/\\]{1,260}",
    "Microsoft.Insights/workbooks": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "Microsoft.Insights/diagnosticSettings": r"[^<>*%&:?+/\\]{1,260}",
    "Microsoft.Authorization/roleAssignments": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "Microsoft.Communication/communicationServices": r"[A-Za-z0-9-]{1,63}",
    "Microsoft.Communication/emailServices": r"[A-Za-z0-9-]{1,63}",
    "Microsoft.Consumption/budgets": r"[A-Za-z0-9_-]{1,63}",
    "Microsoft.Insights/metricAlerts": r"[^*#&+:<>?@%{}\\/]{1,260}",
    "Microsoft.KeyVault/vaults/keys": r"[A-Za-z0-9-]{1,127}",
    "Microsoft.Logic/workflows": r"[\w().-]{1,43}",
}
"""Microsoft's limits for the names of resources, as patterns."""
FIXED = {
    "Microsoft.Communication/emailServices/domains",
    "Microsoft.Graph/servicePrincipals",
    "Microsoft.Graph/appRoleAssignedTo",
    "Microsoft.Graph/applications",
    "Microsoft.Graph/applications/federatedIdentityCredentials",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies",
    "Microsoft.Storage/storageAccounts/managementPolicies",
    "Microsoft.Storage/storageAccounts/queueServices",
    "Microsoft.Storage/storageAccounts/tableServices",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    "Microsoft.Web/sites/config",
}
"""Types whose names the platform gives, or that have none."""


@pytest.mark.parametrize("name", ["a", "x" * 64, "Prod_1.(eu)"])
def test_names_are_within_their_limits(name: str) -> None:
    deployment = deployed((("AZURE_ENV_NAME", name), *EVERYTHING[1:]))
    for resource in deployment.resources:
        if resource.type not in FIXED:
            own = resource.name.rsplit("/", 1)[-1].replace("<environment.suffixes.storage>", "core.windows.net")
            assert re.fullmatch(LIMITS[resource.type], own), f"{resource.type} {own}"


def test_names_differ_between_environments_and_stay_the_same_within_one() -> None:
    one, other = (deployed((("AZURE_ENV_NAME", name),)) for name in ("one", "other"))
    for kind in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults", "Microsoft.Web/sites"):
        assert one.one(kind).name != other.one(kind).name
        assert one.one(kind).name == deployed((("AZURE_ENV_NAME", "one"), ("LOOKBACK_DAYS", "7"))).one(kind).name


# ---- Tags

UNTAGGED = FIXED | {
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Consumption/budgets",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Storage/storageAccounts/blobServices/containers",
    "Microsoft.Storage/storageAccounts/queueServices/queues",
}
TAGGED_ALTHOUGH_FIXED = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"


def test_every_resource_that_can_have_tags_has_them() -> None:
    deployment = deployed(EVERYTHING)
    for resource in deployment.resources:
        if resource.type in UNTAGGED and resource.type != TAGGED_ALTHOUGH_FIXED:
            continue
        tags = resource.body.get("tags")
        assert isinstance(tags, dict), resource.type
        expected = {"azd-env-name": "x" * 64, "application": "partner-mfa-monitor", "owner": "security"}
        assert expected.items() <= tags.items(), resource.type


def test_azd_finds_the_app_of_its_service() -> None:
    services = re.findall(r"^services:\n  (\w+):\n    project: \.$", (ROOT / "azure.yaml").read_text("utf-8"), re.M)
    assert [deployed(DEFAULTS).one("Microsoft.Web/sites").get("tags.azd-service-name")] == services


# ---- Hardening


@every_variant
def test_the_storage_account_is_hardened(environment: tuple[tuple[str, str], ...]) -> None:
    account = deployed(environment).one("Microsoft.Storage/storageAccounts").get("properties")
    assert isinstance(account, dict)
    wanted = {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "allowCrossTenantReplication": False,
        "defaultToOAuthAuthentication": True,
        "supportsHttpsTrafficOnly": True,
        "minimumTlsVersion": "TLS1_2",
    }
    assert wanted.items() <= account.items()
    for container in deployed(environment).all("Microsoft.Storage/storageAccounts/blobServices/containers"):
        assert container.get("properties.publicAccess") == "None"
    blobs = deployed(environment).one("Microsoft.Storage/storageAccounts/blobServices")
    assert blobs.get("properties.deleteRetentionPolicy.enabled") is True
    assert blobs.get("properties.containerDeleteRetentionPolicy.enabled") is True


@every_variant
def test_the_vault_is_hardened(environment: tuple[tuple[str, str], ...]) -> None:
    vault = deployed(environment).one("Microsoft.KeyVault/vaults").get("properties")
    assert isinstance(vault, dict)
    wanted = {
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "enablePurgeProtection": True,
        "createMode": "default",
    }
    assert wanted.items() <= vault.items()
    assert "accessPolicies" not in vault


REFUSED_BY_FLEX = {
    *("alwaysOn", "ftpsState", "functionAppScaleLimit", "functionsRuntimeScaleMonitoringEnabled", "javaVersion"),
    *("linuxFxVersion", "netFrameworkVersion", "powerShellVersion", "preWarmedInstanceCount", "use32BitWorkerProcess"),
    *("vnetRouteAllEnabled", "windowsFxVersion"),
}
"""Site settings that Flex Consumption does not have: it refuses a deployment that sets one ("… is invalid")."""


@every_variant
def test_the_app_is_hardened(environment: tuple[tuple[str, str], ...]) -> None:
    app = deployed(environment).one("Microsoft.Web/sites")
    assert app.get("properties.httpsOnly") is True
    site = app.get("properties.siteConfig")
    assert isinstance(site, dict)
    wanted = {
        "minTlsVersion": "1.2",
        "scmMinTlsVersion": "1.2",
        "remoteDebuggingEnabled": False,
        "http20Enabled": True,
    }
    assert wanted.items() <= site.items()
    assert not REFUSED_BY_FLEX & site.keys()
    policies = deployed(environment).all("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {p.body["name"]: p.get("properties.allow") for p in policies} == {"ftp": False, "scm": False}


@every_variant
def test_telemetry_is_taken_from_identities_only_and_capped(environment: tuple[tuple[str, str], ...]) -> None:
    assert deployed(environment).one("Microsoft.Insights/components").get("properties.DisableLocalAuth") is True
    workspace = deployed(environment).one("Microsoft.OperationalInsights/workspaces")
    assert workspace.get("properties.features.disableLocalAuth") is True
    assert workspace.get("properties.workspaceCapping.dailyQuotaGb") == 1


def test_storage_vault_and_app_send_their_diagnostics_to_the_workspace() -> None:
    deployment = deployed(DEFAULTS)
    found = set()
    for setting in deployment.all("Microsoft.Insights/diagnosticSettings"):
        (log,) = objects(setting, "properties.logs")
        assert log["enabled"] is True
        scope = setting.body["scope"]
        assert isinstance(scope, Resource)
        found.add((scope.type.removeprefix("Microsoft."), log["category"]))
        workspace = deployment.one("Microsoft.OperationalInsights/workspaces").name
        assert workspace in str(setting.get("properties.workspaceId"))
    assert found == {
        ("KeyVault/vaults", "AuditEvent"),
        ("Storage/storageAccounts/blobServices", "StorageDelete"),
        ("Storage/storageAccounts/queueServices", "StorageDelete"),
        ("Storage/storageAccounts/tableServices", "StorageDelete"),
        ("Web/sites", "FunctionAppLogs"),
    }


def test_without_a_network_storage_and_vault_are_open_to_identities_only() -> None:
    deployment = deployed(DEFAULTS)
    assert [r.type for r in deployment.resources if r.type.startswith("Microsoft.Network/")] == []
    for kind in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"):
        assert deployment.one(kind).get("properties.publicNetworkAccess") == "Enabled"
        assert deployment.one(kind).get("properties.networkAcls.defaultAction") == "Allow"
    assert deployment.one("Microsoft.Web/sites").get("properties.virtualNetworkSubnetId") is None


def test_with_the_network_storage_and_vault_are_private() -> None:
    deployment = deployed(PRIVATE)
    for kind in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"):
        assert deployment.one(kind).get("properties.publicNetworkAccess") == "Disabled"
        assert deployment.one(kind).get("properties.networkAcls.defaultAction") == "Deny"
    endpoints = {
        tuple(str(g) for g in _list(c, "groupIds"))
        for e in deployment.all("Microsoft.Network/privateEndpoints")
        for c in objects(e, "properties.privateLinkServiceConnections")
    }
    assert endpoints == {("blob",), ("queue",), ("table",), ("vault",)}
    assert "subnets" in str(deployment.one("Microsoft.Web/sites").get("properties.virtualNetworkSubnetId"))
    subnets = {s["name"]: s["properties"] for s in objects(deployment.one(NETWORK), "properties.subnets")}
    for properties in subnets.values():
        assert isinstance(properties, dict)
        assert properties["defaultOutboundAccess"] is False
        assert "networkSecurityGroup" in properties
    app = subnets["app"]
    assert isinstance(app, dict)
    assert json.dumps(app["delegations"]).count("Microsoft.App/environments") == 1


NETWORK = "Microsoft.Network/virtualNetworks"


def _list(value: dict[str, Value], member: str) -> list[Value]:
    nested = value["properties"]
    assert isinstance(nested, dict)
    found = nested[member]
    assert isinstance(found, list)
    return found


def test_named_addresses_are_let_in_and_nobody_else() -> None:
    deployment = deployed(EVERYTHING)
    app = deployment.one("Microsoft.Web/sites")
    assert app.get("properties.siteConfig.ipSecurityRestrictionsDefaultAction") == "Deny"
    rules = [*objects(app, "properties.siteConfig.ipSecurityRestrictions")]
    assert [(r["action"], r["ipAddress"]) for r in rules] == [
        ("Allow", "203.0.113.7/32"),
        ("Allow", "198.51.100.0/24"),
    ]
    assert len({r["priority"] for r in rules}) == len(rules)
    for kind in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"):
        assert deployment.one(kind).get("properties.publicNetworkAccess") == "Enabled"
        assert deployment.one(kind).get("properties.networkAcls.defaultAction") == "Deny"
        named = [r["value"] for r in objects(deployment.one(kind), "properties.networkAcls.ipRules")]
        assert named == ["203.0.113.7", "198.51.100.0/24"]


# ---- Evidence

POLICIES = "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies"


def test_exports_cannot_be_changed_and_go_when_they_may() -> None:
    deployment = deployed((("EXPORT_RETENTION_DAYS", "90"),))
    policy = deployment.one(POLICIES)
    assert policy.name.endswith("/table-exports/default")
    assert policy.get("properties.immutabilityPeriodSinceCreationInDays") == 90
    assert policy.get("properties.allowProtectedAppendWrites") is False
    (rule,) = objects(deployment.one("Microsoft.Storage/storageAccounts/managementPolicies"), "properties.policy.rules")
    definition = rule["definition"]
    assert isinstance(definition, dict)
    assert definition["actions"] == {"baseBlob": {"delete": {"daysAfterCreationGreaterThan": 90}}}
    filters = definition["filters"]
    assert isinstance(filters, dict)
    assert len(_texts(filters["prefixMatch"])) == 1
    assert _texts(filters["prefixMatch"])[0].endswith("table-exports/")


def _texts(value: Value) -> list[str]:
    assert isinstance(value, list)
    return [str(v) for v in value]


def test_a_locked_export_policy_is_left_alone() -> None:
    assert deployed((("EXPORT_POLICY_LOCKED", "true"),)).all(POLICIES) == []


def test_the_vault_of_an_earlier_deployment_is_brought_back_when_asked() -> None:
    vault = deployed((("RECOVER_VAULT", "true"),)).one("Microsoft.KeyVault/vaults")
    assert vault.get("properties.createMode") == "recover"


def test_the_queues_are_there_before_the_first_message() -> None:
    queues = deployed(DEFAULTS).all("Microsoft.Storage/storageAccounts/queueServices/queues")
    assert [q.body["name"] for q in queues] == [*Queue]


# ---- Who may read


def test_easy_auth_stands_before_every_path_but_health() -> None:
    deployment = deployed(DEFAULTS)
    settings = deployment.one("Microsoft.Web/sites/config")
    assert settings.body["name"] == "authsettingsV2"
    assert settings.get("properties.platform.enabled") is True
    assert settings.get("properties.globalValidation.requireAuthentication") is True
    assert texts(settings, "properties.globalValidation.excludedPaths") == ["/api/health"]
    assert settings.get("properties.httpSettings.requireHttps") is True
    assert settings.get("properties.login.tokenStore.enabled") is False
    issuer = settings.get("properties.identityProviders.azureActiveDirectory.registration.openIdIssuer")
    assert str(issuer).endswith("<tenant.tenantId>/v2.0")


def test_the_app_registration_has_no_secret_but_trusts_the_identity() -> None:
    deployment = deployed(EVERYTHING)
    registration = deployment.one("Microsoft.Graph/applications")
    assert not {"passwordCredentials", "keyCredentials"} & registration.body.keys()
    assert registration.body["signInAudience"] == "AzureADMyOrg"
    assert {r["value"] for r in objects(registration, "appRoles")} == {"Reader", "Operator"}
    trust = deployment.one("Microsoft.Graph/applications/federatedIdentityCredentials")
    assert trust.body["audiences"] == ["api://AzureADTokenExchange"]
    assert str(trust.body["subject"]).endswith("properties.principalId>")
    name = "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"
    path = "properties.identityProviders.azureActiveDirectory.registration.clientSecretSettingName"
    assert deployment.one("Microsoft.Web/sites/config").get(path) == name
    assert deployment.settings()[name] == deployment.settings()["AZURE_CLIENT_ID"]


def test_only_those_who_were_named_get_in() -> None:
    deployment = deployed(EVERYTHING)
    assert deployment.one("Microsoft.Graph/servicePrincipals").body["appRoleAssignmentRequired"] is True
    roles = {r["id"]: r["value"] for r in objects(deployment.one("Microsoft.Graph/applications"), "appRoles")}
    given = [
        (roles[str(a.body["appRoleId"])], a.body["principalId"])
        for a in deployment.all("Microsoft.Graph/appRoleAssignedTo")
        if a.file == "app-registration.bicep"
    ]
    assert given == [
        ("Reader", "44444444-4444-4444-4444-444444444444"),
        ("Reader", "55555555-5555-5555-5555-555555555555"),
        ("Operator", "11111111-1111-1111-1111-111111111111"),  # who deployed, since nobody else was named
    ]


def test_a_registration_made_by_somebody_else_is_used() -> None:
    own = "66666666-6666-6666-6666-666666666666"
    deployment = deployed((("AUTH_CLIENT_ID", own),))
    assert deployment.all("Microsoft.Graph/applications") == []
    path = "properties.identityProviders.azureActiveDirectory.registration.clientId"
    assert deployment.one("Microsoft.Web/sites/config").get(path) == own


def test_with_function_keys_entra_is_not_touched_and_easy_auth_is_switched_off() -> None:
    """A deployment leaves alone what its template no longer names, so what was on before must be declared off."""
    deployment = deployed(KEYS)
    assert [r.type for r in deployment.resources if r.type.startswith("Microsoft.Graph/")] == []
    settings = deployment.one("Microsoft.Web/sites/config")
    assert settings.body["name"] == "authsettingsV2"
    assert settings.get("properties.platform.enabled") is False
    assert settings.get("properties.globalValidation.requireAuthentication") is False
    assert settings.get("properties.globalValidation.unauthenticatedClientAction") == "AllowAnonymous"
    assert settings.get("properties.identityProviders") == {}
    assert deployment.settings()["AUTH_MODE"] == "key"
    assert not [n for n in deployment.settings() if n.startswith("OVERRIDE_")]
    assert deployment.outputs["AUTH_SCOPE"] == ""


CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def test_a_shell_gets_a_token_for_the_app() -> None:
    deployment = deployed(DEFAULTS)
    registration = deployment.one("Microsoft.Graph/applications")
    (scope,) = objects(registration, "api.oauth2PermissionScopes")
    (client,) = objects(registration, "api.preAuthorizedApplications")
    assert client == {"appId": CLI, "delegatedPermissionIds": [scope["id"]]}
    (audience,) = texts(registration, "identifierUris")
    assert deployment.outputs["AUTH_SCOPE"] == f"{audience}/.default"
    path = "properties.identityProviders.azureActiveDirectory.validation.allowedAudiences"
    assert audience in texts(deployment.one("Microsoft.Web/sites/config"), path)
    without = deployed((("PREAUTHORIZE_AZURE_CLI", "false"),)).one("Microsoft.Graph/applications")
    assert [*objects(without, "api.preAuthorizedApplications")] == []
    own = dict(OWN_REGISTRATION)["AUTH_CLIENT_ID"]
    assert deployed(OWN_REGISTRATION).outputs["AUTH_SCOPE"] == f"api://{own}/.default"


# ---- Where it can be deployed


def test_only_regions_of_the_public_cloud_that_have_flex_consumption_are_taken() -> None:
    for region in ("usgovvirginia", "chinanorth3", "germanynorth", "nowhere", "West Europe"):
        with pytest.raises(BicepError, match="allowed"):
            deployed((("AZURE_LOCATION", region),))


@pytest.mark.parametrize(("region", "sku"), [("westeurope", "Standard_ZRS"), ("westus", "Standard_LRS")])
def test_the_account_fits_the_region(region: str, sku: str) -> None:
    """A region without zones refuses three of them, minutes into the deployment."""
    assert deployed((("AZURE_LOCATION", region),)).one("Microsoft.Storage/storageAccounts").get("sku.name") == sku
    named = deployed((("AZURE_LOCATION", region), ("STORAGE_SKU", "Standard_GRS")))
    assert named.one("Microsoft.Storage/storageAccounts").get("sku.name") == "Standard_GRS"


def test_an_empty_variable_is_the_default() -> None:
    """azd cannot unset a variable: `azd env set NAME ""` is how people take one back."""
    asked = set(re.findall(r"readEnvironmentVariable\('(\w+)'", (INFRA / "main.bicepparam").read_text("utf-8")))
    assert deployed(tuple((name, "") for name in sorted(asked))).parameters == deployed(DEFAULTS).parameters


# ---- How it scales


def test_the_app_scales_as_the_design_needs() -> None:
    config = deployed(DEFAULTS).one("Microsoft.Web/sites").get("properties.functionAppConfig")
    assert isinstance(config, dict)
    scale = config["scaleAndConcurrency"]
    assert isinstance(scale, dict)
    assert scale["maximumInstanceCount"] == 10
    assert scale["triggers"] == {"http": {"perInstanceConcurrency": 16}}
    assert "siteUpdateStrategy" not in config, "Recreate is the platform's own default"
    rolling = deployed(EVERYTHING).one("Microsoft.Web/sites")
    assert rolling.get("properties.functionAppConfig.siteUpdateStrategy.type") == "RollingUpdate"
    assert rolling.get("properties.functionAppConfig.runtime.name") == "python"


# ---- Every setting


def test_any_setting_can_be_deployed_and_wins() -> None:
    settings = deployed(EVERYTHING).settings()
    assert (settings["CHANNELS__SOC__MINIMUM_SEVERITY"], settings["PAGES_PER_SLICE"]) == ("high", "20")
    own = (("LOOKBACK_DAYS", "7"), ("EXTRA_SETTINGS", '{"LOOKBACK_DAYS": "9"}'))
    assert deployed(own).settings()["LOOKBACK_DAYS"] == "9"
    listed = [s["name"] for s in objects(deployed(own).one("Microsoft.Web/sites"), APP_SETTINGS)]
    assert len(listed) == len(set(listed)), "Azure refuses a name that stands twice"


# ---- Evidence that is handed over


def test_statements_have_a_place_and_packs_a_key_that_cannot_leave_the_vault() -> None:
    deployment = deployed(DEFAULTS)
    containers = {c.body["name"] for c in deployment.all("Microsoft.Storage/storageAccounts/blobServices/containers")}
    assert containers == {"deployments", "table-exports", "statements"}
    key = deployment.one("Microsoft.KeyVault/vaults/keys", "packSigner")
    assert (key.get("properties.kty"), key.get("properties.curveName")) == ("EC", "P-256")
    assert texts(key, "properties.keyOps") == ["sign", "verify"]
    assert key.get("properties.attributes.exportable") is False


# ---- Beside the monitor


def test_neither_mail_nor_budget_is_deployed_unless_asked_for() -> None:
    kinds = {r.type for r in deployed(DEFAULTS).resources}
    assert not [k for k in kinds if k.startswith(("Microsoft.Logic/", "Microsoft.Communication/", "Microsoft.Consum"))]
    assert deployed(DEFAULTS).outputs["MAIL_TRIGGER_ID"] == ""
    budget = deployed(EVERYTHING).one("Microsoft.Consumption/budgets")
    assert (budget.get("properties.amount"), budget.get("properties.timePeriod.startDate")) == (50, "2026-12-01")


def test_the_mail_recipe_reads_what_alerts_have_and_sends_without_a_password() -> None:
    workflow = deployed(EVERYTHING).one("Microsoft.Logic/workflows")
    definition = workflow.get("properties.definition")
    text = json.dumps(definition)
    schema = json.loads((ROOT / "docs/alert.schema.json").read_text(encoding="utf-8"))
    messages = [schema["$defs"][one["$ref"].rsplit("/", 1)[1]] for one in schema["oneOf"]]
    wanted = texts(workflow, "properties.definition.triggers.alert.inputs.schema.required")
    for message in messages:
        assert set(wanted) <= set(message["required"])
    assert set(re.findall(r"triggerBody\(\)\['(\w+)'\]", text)) <= set(wanted), "what may be missing is asked with ?"
    send = workflow.get("properties.definition.actions.send.inputs")
    assert isinstance(send, dict)
    assert send["authentication"] == {
        "type": "ManagedServiceIdentity",
        "audience": "https://communication.azure.com",
    }
    body = send["body"]
    assert isinstance(body, dict)
    assert body["recipients"] == {"to": [{"address": "soc@example.org"}, {"address": "ciso@example.org"}]}
    content = body["content"]
    assert isinstance(content, dict)
    assert content.keys() == {"subject", "plainText"}, "names come from a log that strangers write to: no HTML"
    assert text.count('"secureData"') == 2, "neither what comes in nor what goes out stands in the run history"
    # The monitor tries again unless the mail was taken.
    assert workflow.get("properties.definition.actions.taken.runAfter") == {"send": ["Succeeded"]}
    assert workflow.get("properties.definition.actions.refused.inputs") == {"statusCode": 502}


# ---- Checks by other programs


def test_every_check_that_checkov_skips_says_why() -> None:
    for file in FILES:
        for line in file.read_text(encoding="utf-8").splitlines():
            if "checkov:skip" in line:
                assert re.search(r"// checkov:skip=CKV_AZURE_\d+: \w.{30,}", line), f"{file.name}: {line}"


def test_checkov_is_kept_from_the_graph_modules_alone() -> None:
    """Its parser does not know `extension`; everything else it must read."""
    skipped = re.findall(r"^  - (modules/\S+)$", (INFRA / ".checkov.yaml").read_text(encoding="utf-8"), re.M)
    graph = [f"modules/{file}" for file, s in declared("extension")]
    assert sorted(skipped) == sorted(graph)
    for file, s in declared("resource"):
        if f"modules/{file}" in graph:
            assert s.of.startswith("Microsoft.Graph/")
