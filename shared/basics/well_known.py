"""Ids that are the same in every tenant (docs/entra-facts.md)."""

from __future__ import annotations

from typing import Final

PARTNER_CENTER_APP: Final = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
PARTNER_CENTER_URL: Final = "https://api.partnercenter.microsoft.com"

# Template ids of built-in roles.
GLOBAL_ADMINISTRATOR: Final = "62e90394-69f5-4237-9190-012177145e10"
BILLING_ADMINISTRATOR: Final = "b0f54661-2d74-4c50-afa3-1ec803f12efe"
SECURITY_ADMINISTRATOR: Final = "194ae4cb-b126-40b2-bd5b-6091b380977d"
