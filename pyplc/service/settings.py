"""Settings of the unattended station and of those who watch it. Whatever opens a port is off until it is named."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
LEAST_TOKEN = 16


class RecordSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where sessions are recorded; no folder, no files. Old sessions go only where a limit is set."""

    folder: str | None = "results"
    max_mb: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """The oldest sessions are deleted when all together are larger than this, in MB ..."""
    max_days: Seconds | None = None
    """... or when they are older than this, in days; not before the clock is right."""
    keep: Annotated[int, msgspec.Meta(ge=1)] = 20
    """So many of the newest sessions are never deleted, whatever their size and whatever the clock says."""
    split_mb: Annotated[float, msgspec.Meta(ge=1)] = 200.0
    """A recording that grows larger goes on in a new folder: a listener hears for weeks."""


class ServiceSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`pyplc ev`, `evse` with `--forever`: how it tries again, and when the supply of the station itself gives out."""

    retry_first_s: Seconds = 2.0
    """The first pause after a session that failed, or for an interface or device that is not there; doubled ..."""
    retry_most_s: Seconds = 60.0
    """... each time up to this."""
    low_voltage: str | None = None
    """A file that is looked at once a second, such as /sys/class/hwmon/hwmon*/in0_lcrit_alarm of a Raspberry Pi. When
    it says low voltage three times, a running charge is ended in order and no other begins until it is gone."""
    low_voltage_below: float | None = None
    """The number in the file below which the voltage is low; without it, anything but 0 is an alarm."""


class HttpSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Status, control and Prometheus metrics over HTTP; off without a port. Every request needs the token."""

    port: Port | None = None
    host: str = "127.0.0.1"
    """Where to listen; nobody else reaches the loopback address. There is no encryption: use a reverse proxy."""
    token: Annotated[str, msgspec.Meta(min_length=LEAST_TOKEN)] | None = None
    """At least 16 characters, sent as `Authorization: Bearer <token>`."""
    token_file: str | None = None
    """A file with the token, for those who keep secrets out of settings."""
    open_metrics: bool = False
    """/metrics is to be had without the token."""

    def __post_init__(self) -> None:
        if self.port is not None and (self.token is None) == (self.token_file is None):
            raise ValueError("an HTTP port needs either token or token_file; python3 -c 'import secrets; "
                             "print(secrets.token_urlsafe())' makes a token")  # fmt: skip


class TokenError(Exception):
    """The token file cannot be used; the text says why."""


def token_of(settings: HttpSettings) -> bytes:
    """The token; TokenError when its file cannot be read or holds too short a one."""
    if settings.token_file is None:
        return (settings.token or "").encode()
    try:
        token = Path(settings.token_file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "this is no text"
        raise TokenError(f"watch.http.token_file: {settings.token_file}: {why}") from None
    if len(token) < LEAST_TOKEN:
        raise TokenError(f"watch.http.token_file: {settings.token_file} holds less than {LEAST_TOKEN} characters")
    return token.encode()


class MqttSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Telemetry and commands over MQTT; off without a host."""

    host: str | None = None
    port: Port = 1883
    topic: Annotated[str, msgspec.Meta(min_length=1, pattern="^[^#+]+$")] = "pyplc"
    """Everything is below this topic and the role: `pyplc/ev/status`."""
    user: str | None = None
    password: str | None = None
    tls: bool = False
    """With the system's certificates; the usual port is then 8883."""
    commands: bool = True
    """Obey stop, start and limit; False only tells."""
    every_s: Seconds = 1.0
    """The shortest time between two statuses."""


class SyslogSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Log lines as UDP syslog; off without a destination."""

    to: str | None = None
    """"host:port", or "powerline": broadcast on the modem's interface as pyPLC does it. That can disturb a peer."""
    level: Literal["error", "warning", "info"] = "info"


class WatchSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Who may watch."""

    http: HttpSettings = msgspec.field(default_factory=HttpSettings)
    mqtt: MqttSettings = msgspec.field(default_factory=MqttSettings)
    syslog: SyslogSettings = msgspec.field(default_factory=SyslogSettings)
