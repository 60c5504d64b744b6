"""Channels come from settings; a wrong one is dead and named, and the app goes on. No URL and no key is shown."""

from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo

import pytest

from local.stage.receivers import new_secret
from shared.app.channels import Channel
from shared.app.settings import Settings, SettingsError, load_settings
from shared.messages.kind import ChannelKind
from shared.rules.rule import CUSTOMER, PARTNER, Severity

SECRET = new_secret()
URL = "https://hooks.example/T0PS3CRETPATH"


def loaded(monkeypatch: pytest.MonkeyPatch, mode: str = "key", **environment: str) -> Settings:
    monkeypatch.setenv("PARTNER_TENANT_ID", PARTNER)
    monkeypatch.setenv("AUTH_MODE", mode)
    monkeypatch.setenv("AzureWebJobsStorage__tableServiceUri", "https://account.table.core.example")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def soc(**members: str) -> dict[str, str]:
    base = {"KIND": "generic", "URL": URL, "SECRET": SECRET}
    return {f"CHANNELS__SOC__{name}": value for name, value in {**base, **members}.items()}


def test_any_number_of_channels_each_with_what_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(
        monkeypatch,
        **soc(
            PREVIOUS_SECRET=new_secret(),
            MINIMUM_SEVERITY="high",
            RULES="legacy-auth, password-flow",
            CUSTOMERS=f"{CUSTOMER},{CUSTOMER.upper()}",
            QUIET_HOURS="22:00-07:00",
            QUIET_EXCEPT="critical",
            TIME_ZONE="Europe/Vienna",
            DIGEST="weekly",
            DIGEST_AT="06:30",
        ),
        CHANNELS__CHAT__KIND="teams",
        CHANNELS__CHAT__URL="https://workflows.example/abc",
    )
    channel = settings.channels["soc"]
    assert channel.minimum_severity is Severity.HIGH
    assert channel.rules == ("legacy-auth", "password-flow")
    assert channel.customers == (CUSTOMER, CUSTOMER)
    assert channel.quiet_hours == (time(22), time(7))
    assert channel.quiet_except is Severity.CRITICAL
    assert channel.time_zone == ZoneInfo("Europe/Vienna")
    assert (channel.digest, channel.digest_at) == ("weekly", time(6, 30))
    assert len(channel.secrets) == 2
    assert settings.channels["chat"].kind is ChannelKind.TEAMS
    assert settings.channels["chat"].minimum_severity is Severity.LOW


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"KIND": "pager"}, "KIND"),
        ({"URL": "http://hooks.example/T0PS3CRETPATH"}, "https"),
        ({"URL": "ftp://hooks.example/T0PS3CRETPATH"}, "https"),
        ({"URL": "https://user:T0PS3CRETPATH@hooks.example/"}, "user name"),
        ({"URL": "https://[T0PS3CRETPATH/"}, "cannot be read"),
        ({"URL": "https://hooks.example:99999/T0PS3CRETPATH"}, "cannot be read"),
        ({"URL": "https://169.254.169.254/T0PS3CRETPATH"}, "metadata"),
        ({"URL": "https://10.0.0.7/T0PS3CRETPATH"}, "private"),
        ({"URL": "https://localhost/T0PS3CRETPATH"}, "this machine"),
        ({"URL": "https://127.0.0.1/T0PS3CRETPATH"}, "this machine"),
        ({"URL": "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/T0PS3CRETPATH)"}, "did not resolve"),
        ({"SECRET": "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/T0PS3CRETPATH)"}, "did not resolve"),
        ({"SECRET": "whsec_T0PS3CRETPATH"}, "random bytes"),
        ({"SECRET": ""}, "SECRET is missing"),
        ({"MINIMUM_SEVERITY": "urgent"}, "MINIMUM_SEVERITY"),
        ({"RULES": "legacy-auth,no-such-rule"}, "no-such-rule"),
        ({"CUSTOMERS": "contoso"}, "CUSTOMERS"),
        ({"QUIET_HOURS": "22-7"}, "QUIET_HOURS"),
        ({"QUIET_HOURS": "22:00-22:00"}, "QUIET_HOURS"),
        ({"TIME_ZONE": "Middle/Earth"}, "TIME_ZONE"),
        ({"TIME_ZONE": "../etc/passwd"}, "TIME_ZONE"),
        ({"DIGEST": "hourly"}, "DIGEST"),
        ({"DIGEST_AT": "25:00"}, "DIGEST_AT"),
        ({"ALERTS": "false"}, "DIGEST"),
        ({"SEVERITY": "high"}, "SEVERITY"),
        ({"SECRET": "", "PREVIOUS_SECRET": SECRET}, "PREVIOUS_SECRET"),
    ],
)
def test_a_wrong_channel_is_dead_and_says_why_while_the_others_live(
    monkeypatch: pytest.MonkeyPatch, members: dict[str, str], told: str
) -> None:
    chat = {"CHANNELS__CHAT__KIND": "teams", "CHANNELS__CHAT__URL": "https://workflows.example/abc"}
    settings = loaded(monkeypatch, **soc(**members), **chat)
    assert settings.channels.keys() == {"chat"}
    assert settings.wrong_channels.keys() == {"soc"}
    text = settings.wrong_channels["soc"]
    assert told in text
    assert "T0PS3CRETPATH" not in text
    assert SECRET not in text


def test_channels_that_are_no_json_show_nothing_of_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(monkeypatch, CHANNELS="{T0PS3CRETPATH")
    assert "CHANNELS" in str(refused.value)
    assert "T0PS3CRETPATH" not in str(refused.value)


def test_a_channel_with_a_bad_name_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, **{"CHANNELS__SO-C__KIND": "slack", "CHANNELS__SO-C__URL": URL})
    assert not settings.channels
    assert [*settings.wrong_channels] == ["so-c"]


def test_a_wrong_channel_does_not_hide_what_stops_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="SLICE_MINUTES"):
        loaded(monkeypatch, **soc(KIND="pager"), SLICE_MINUTES="7")


def test_no_setting_makes_a_channel_wrong_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is dead follows from the channels themselves; nobody can name one dead from outside."""
    settings = loaded(monkeypatch, **soc(), WRONG_CHANNELS='{"soc": "x"}', _WRONG_CHANNELS='{"soc": "x"}')
    assert [*settings.channels] == ["soc"]
    assert not settings.wrong_channels


def test_local_mode_takes_loopback_and_no_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    local = {"CHANNELS__SOC__KIND": "generic", "CHANNELS__SOC__URL": "http://127.0.0.1:8000/hook"}
    assert loaded(monkeypatch, "local", **local).channels["soc"].secrets == ()
    assert "https" in loaded(monkeypatch, "key", **local).wrong_channels["soc"]


def test_a_named_internal_host_may_be_a_private_address(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, **soc(URL="https://10.0.0.7/hook"), ALERT_ALLOWED_HOSTS="10.0.0.7, Inside.Example")
    assert settings.channels["soc"].host in settings.allowed_hosts
    assert "inside.example" in settings.allowed_hosts
    settings = loaded(monkeypatch, **soc(URL="https://169.254.169.254/x"), ALERT_ALLOWED_HOSTS="169.254.169.254")
    assert "metadata" in settings.wrong_channels["soc"]


def test_nothing_shows_a_url_or_a_key() -> None:
    channel = Channel.model_validate({"kind": "generic", "url": URL, "secret": SECRET})
    assert "T0PS3CRETPATH" not in f"{channel!r} {channel}"
    assert SECRET not in f"{channel!r} {channel} {channel.model_dump()}"
