"""Settings on this machine, for every test that needs some."""

from __future__ import annotations

from typing import Any

from shared.app.settings import Settings, load_settings
from shared.rules.rule import PARTNER


def settings_for(connection: str = "UseDevelopmentStorage=true", **values: Any) -> Settings:
    """Settings of the partner without roles or vault, over the storage with that connection string."""
    usual = {"auth_mode": "local", "partner_tenant_id": PARTNER, "AzureWebJobsStorage": connection}
    return load_settings(**{**usual, **values})
