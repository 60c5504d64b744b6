"""The directory as answers use it: names of tenants, and nothing where there is none yet."""

from __future__ import annotations

from collections.abc import Mapping

from shared.app.app import App
from shared.store.directory import DirectoryMissing, Loaded


async def known_directory(app: App) -> Loaded | None:
    """The directory; None while there is none, which coverage says."""
    try:
        return await app.directory()
    except DirectoryMissing:
        return None


def tenant_names(directory: Loaded | None) -> Mapping[str, str]:
    """The tenants' display names by key, as far as they are known."""
    return directory.file.tenant_names if directory else {}
