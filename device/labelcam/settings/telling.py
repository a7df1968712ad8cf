# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Who is told, and how: MQTT and Home Assistant, JSON lines, webhooks, the page."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from .checks import check, check_span, check_tokens

MQTT_KEEPS = "+#\0"
"""Characters that MQTT keeps for itself."""


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Where and how to publish by MQTT."""

    host: str = ""
    port: int = 1883
    base_topic: str = "labelcam"
    node: str = ""
    user: str = ""
    password_file: str = ""
    tls: bool = False
    ca_file: str = ""
    readings: bool = False

    def __post_init__(self) -> None:
        check_span(self, "port", 1, 65535)
        check(bool(self.user) or not self.password_file, "user", self.user, "that belongs to password_file")
        check(self.tls or not self.ca_file, "tls", self.tls, "of true with ca_file, or leave ca_file out")
        check(_is_host(self.host), "host", self.host, "that is a name or an address, without scheme and port")
        check_tokens(self, "base_topic node", MQTT_KEEPS, "without +, # and null, which MQTT keeps for itself")

    @property
    def node_name(self) -> str:
        """What this machine is called where others hear of it."""
        return self.node or socket.gethostname()


@dataclass(frozen=True, slots=True)
class HomeAssistantSettings:
    """What Home Assistant is told of us, over MQTT."""

    enabled: bool = False
    discovery_prefix: str = "homeassistant"
    name: str = ""
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check(bool(self.discovery_prefix), "discovery_prefix", self.discovery_prefix, "that is a topic")
        check_tokens(self, "discovery_prefix", MQTT_KEEPS, "without +, # and null, which MQTT keeps for itself")


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Whom to call when something enters or leaves."""

    url: str = ""
    events: tuple[str, ...] = ("enter", "leave")
    token_file: str = ""
    timeout_seconds: float = 10.0
    retry_seconds: float = 600.0

    def __post_init__(self) -> None:
        if self.url:
            parts = urlsplit(self.url)
            good = (
                parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username and _has_port(parts)
            )
            check(good, "url", self.url, "such as https://host/path, with no password in it (see token_file)")
        known = set(self.events) <= {"enter", "leave"} and bool(self.events)
        check(known, "events", list(self.events), "of 'enter', 'leave' or both")
        check_span(self, "timeout_seconds", 0.1, 600)
        check_span(self, "retry_seconds", 0, 86_400)


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The page, and what else is served over HTTP."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = 8765
    token_file: str = ""
    allowed_hosts: tuple[str, ...] = ()
    max_clients: int = 16

    def __post_init__(self) -> None:
        check_span(self, "port", 0, 65535)
        check_span(self, "max_clients", 1, 1000)
        check(
            bool(self.host) and _is_host(self.host),
            "host",
            self.host,
            "that is a name or an address, without scheme and port",
        )


@dataclass(frozen=True, slots=True)
class JsonlSettings:
    """Every reading as a line of JSON, to a file and to whoever connects to a socket."""

    path: str = ""
    max_mb: float = 10.0
    keep: int = 3
    socket: str = ""

    def __post_init__(self) -> None:
        check_span(self, "max_mb", 0.001, 100_000)
        check_span(self, "keep", 0, 100)


@dataclass(frozen=True, slots=True)
class LabelsSettings:
    """What labels are called where people read them."""

    names: Mapping[str, str] = field(default_factory=dict)


def _is_host(name: str) -> bool:
    try:
        if ":" in name:  # of an address of IPv6; all else would be a scheme or a port
            return bool(ip_address(name))
        return not name or ("/" not in name and bool(name.encode("idna")))
    except ValueError:
        return False


def _has_port(url: SplitResult) -> bool:
    try:
        return url.port != 0
    except ValueError:
        return False
