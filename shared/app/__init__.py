"""The running app: its settings, and what every use case shares (tables, Graph, clock).

May import adapters (`store`, `graph`) and everything below them. Every use case takes an `App`; nothing reaches for a
global but the triggers.
"""

from shared.app.app import App, running_app
from shared.app.settings import AuthMode, Settings, SettingsError, load_settings

__all__ = ["App", "AuthMode", "Settings", "SettingsError", "load_settings", "running_app"]
