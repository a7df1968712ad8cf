# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The settings: one TOML file in, frozen dataclasses out, typos refused. `labelcam.toml` documents every key."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import cattrs
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn

from .errors import SettingsError
from .records import DARK, UNKNOWN
from .runtime import DelegateName

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What runs."""

    path: str = ""
    fit: Literal["", "crop", "squeeze", "letterbox"] = ""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """Where frames come from."""

    source: str = "picamera2"
    timeout_seconds: float = 10.0
    start_seconds: float = 60.0
    give_up_seconds: float = 300.0
    frozen_seconds: float = 60.0
    region: tuple[float, ...] = (0.0, 0.0, 1.0, 1.0)
    rotate: Literal[0, 90, 180, 270] = 0
    mirror: bool = False
    dark_mean: float = 16.0
    dark_deviation: float = 8.0

    def __post_init__(self) -> None:
        _check(0 < self.timeout_seconds <= 3600, "timeout_seconds", self.timeout_seconds, "above 0 up to 3600")
        for name in ("start_seconds", "give_up_seconds", "frozen_seconds"):
            _check(0 <= getattr(self, name) <= 86400, name, getattr(self, name), "from 0 to 86400")
        for name in ("dark_mean", "dark_deviation"):
            _check(0 <= getattr(self, name) <= 255, name, getattr(self, name), "from 0 to 255")
        region = list(self.region)
        good = len(region) == 4 and min(region[:2]) >= 0 and min(region[2:]) > 0
        good = good and all(
            start + share <= 1 + 1e-9 for start, share in ((region[0], region[2]), (region[1], region[3]))
        )
        _check(good, "region", region, "of four shares [x, y, width, height] inside [0, 0, 1, 1]")


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """How the network runs."""

    threads: int = 1
    delegate: DelegateName = "xnnpack"

    def __post_init__(self) -> None:
        _check(1 <= self.threads <= 64, "threads", self.threads, "from 1 to 64")


@dataclass(frozen=True, slots=True)
class DecisionSettings:
    """When something is held to be there."""

    threshold: float = 0.5
    leave_threshold: float = 0.0
    smoothing_seconds: float = 0.0
    enter_seconds: float = 0.0
    leave_seconds: float = 0.0
    top_k: int = 3
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    temperature: float = 0.0
    unknown_score: float = -1.0
    unknown_margin: float = -1.0
    unknown_entropy: float = -1.0
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(0 <= self.threshold <= 1, "threshold", self.threshold, "from 0 to 1")
        leave = self.leave_threshold
        _check(0 <= leave <= self.threshold, "leave_threshold", leave, f"from 0 to threshold, {self.threshold:g}")
        for name in ("smoothing_seconds", "enter_seconds", "leave_seconds"):
            _check(0 <= getattr(self, name) <= 3600, name, getattr(self, name), "from 0 to 3600")
        _check(1 <= self.top_k <= 1000, "top_k", self.top_k, "from 1 to 1000")
        hot = self.temperature
        _check(hot == 0 or 0.01 <= hot <= 100, "temperature", hot, "from 0.01 to 100, or 0 for the model file's")
        for name in ("unknown_score", "unknown_margin", "unknown_entropy"):
            value = getattr(self, name)
            _check(value == -1 or 0 <= value <= 1, name, value, "from 0 to 1, or -1 for the model file's")
        for name, labels in self.groups.items():
            _check(bool(name.strip()) and name not in (UNKNOWN, DARK), "groups", name, "that is no state's name")
            _check(bool(labels), f"groups.{name!r}", list(labels), "of at least one label")


@dataclass(frozen=True, slots=True)
class LimitsSettings:
    """What the daemon may use."""

    max_fps: float = 10.0

    def __post_init__(self) -> None:
        _check(0 < self.max_fps <= 1000, "max_fps", self.max_fps, "above 0 up to 1000")


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

    def __post_init__(self) -> None:
        _check(0 < self.port < 65536, "port", self.port, "from 1 to 65535")
        _check(bool(self.user) or not self.password_file, "user", self.user, "that belongs to password_file")
        _check(self.tls or not self.ca_file, "tls", self.tls, "of true with ca_file, or leave ca_file out")
        _check(_is_host(self.host), "host", self.host, "that is a name or an address")
        for name in ("base_topic", "node"):
            value = getattr(self, name)
            _check(not set(value) & set("+#\0"), name, value, "without +, # and null, which MQTT keeps for itself")


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it, one dataclass for each section of the file."""

    schema: int = SCHEMA
    model: ModelSettings = field(default_factory=ModelSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)
    decision: DecisionSettings = field(default_factory=DecisionSettings)
    limits: LimitsSettings = field(default_factory=LimitsSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)

    def __post_init__(self) -> None:
        _check(self.schema == SCHEMA, "schema", self.schema, f"{SCHEMA}, the only one this labelcam knows")


def _is_host(name: str) -> bool:
    try:
        return not name or bool(name.encode("idna"))
    except UnicodeError:
        return False


def _check(good: bool, name: str, value: object, allowed: str) -> None:
    if not good:
        raise SettingsError(f"{name} = {value!r} is out of range; use a value {allowed}")


def default_text() -> str:
    """Return the commented default settings, as `labelcam defaults` prints them."""
    return (files("labelcam") / "labelcam.toml").read_text(encoding="utf-8")


def load_settings(path: Path | None) -> Settings:
    """Return the settings of exactly one file: the one given, else the user's, else the system's, else the defaults.

    Raises SettingsError, with every problem in one line, if the file is missing or cannot be used as written.
    """
    if path is None:
        try:
            path = next((place for place in _places() if place.is_file()), None)
        except PermissionError as error:
            raise SettingsError(f"{error.filename}: permission denied; check its folder, or use --settings") from None
        if path is None:
            return Settings()
    try:
        return settings_from_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is no UTF-8 text; save it as UTF-8") from None
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def settings_from_toml(text: str) -> Settings:
    """Return the settings that a TOML text holds. Raises SettingsError with every problem in one line."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"not valid TOML ({error}); mend that line") from None
    try:
        return _converter.structure(document, Settings)
    except cattrs.BaseValidationError as error:
        raise SettingsError("; ".join(_problems(error, ""))) from None


def _places() -> Iterator[Path]:
    with suppress(RuntimeError):  # a system user may have no home
        yield Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "labelcam" / "labelcam.toml"
    yield Path("/etc/labelcam/labelcam.toml")


def _exactly(value: Any, kind: type) -> Any:
    """Refuse what cattrs would convert: a threshold of "0.5", or true for 1, is a mistake, not a number."""
    good = isinstance(value, (int, float) if kind is float else kind) and (kind is bool or not isinstance(value, bool))
    if not good:
        raise SettingsError(f"{value!r} is not {_kind_names[kind]}")
    return kind(value)


def _texts(value: Any, of: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        whose = f"{of!r}: " if isinstance(of, str) else ""
        raise SettingsError(f'{whose}{value!r} is not a list of texts such as ["cat", "dog"]')
    return tuple(value)


def _numbers(value: Any, _: Any) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise SettingsError(f"{value!r} is not a list of numbers such as [0.0, 0.0, 1.0, 1.0]")
    return tuple(_exactly(number, float) for number in value)


def _lists_by_name(value: Any, _: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise SettingsError(f'{value!r} is not a section of lists such as pet = ["cat", "dog"]')
    return {name: _texts(texts, name) for name, texts in value.items()}


def _one_of(value: Any, kind: Any) -> Any:
    if value not in get_args(kind):
        raise SettingsError(f"{value!r} is not one of {', '.join(map(repr, get_args(kind)))}")
    return value


def _section(kind: type) -> Callable[[Any, Any], Any]:
    structure: Callable[[Any, Any], Any] = make_dict_structure_fn(kind, _converter, _cattrs_forbid_extra_keys=True)

    def section(table: Any, _: Any) -> Any:
        if not isinstance(table, Mapping):
            raise SettingsError(f"{table!r} stands where a section belongs; write its settings under a line [name]")
        return structure(table, kind)

    return section


_kind_names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text in quotes"}
_sections = (ModelSettings, CameraSettings, RuntimeSettings, DecisionSettings, LimitsSettings, MqttSettings)
_converter = cattrs.Converter()
for _kind in _kind_names:
    _converter.register_structure_hook(_kind, _exactly)
_converter.register_structure_hook_func(lambda kind: str(get_origin(kind)) == str(Literal), _one_of)
_converter.register_structure_hook_func(lambda kind: kind == tuple[str, ...], _texts)
_converter.register_structure_hook_func(lambda kind: kind == tuple[float, ...], _numbers)
_converter.register_structure_hook_func(lambda kind: kind == Mapping[str, tuple[str, ...]], _lists_by_name)
for _class in (*_sections, Settings):
    _converter.register_structure_hook(_class, _section(_class))


def _problems(error: BaseException, where: str) -> Iterator[str]:
    """Every problem under a cattrs error group, each with the section and key it stands at."""
    for inner in getattr(error, "exceptions", ()):
        note = next((n for n in getattr(inner, "__notes__", ()) if isinstance(n, cattrs.AttributeValidationNote)), None)
        yield from _problem(inner, f"{where}.{note.name}" if where and note else note.name if note else where)


def _problem(error: BaseException, where: str) -> Iterator[str]:
    if isinstance(error, cattrs.BaseValidationError):
        yield from _problems(error, where)
    elif isinstance(error, ForbiddenExtraKeysError):
        known = [f.name for f in fields(error.cl)]
        for key in sorted(error.extra_fields):
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"it knows {', '.join(known)}"
            yield f"[{where}] has no setting {key!r}; {hint}" if where else f"no section or setting {key!r}; {hint}"
    else:
        yield f"{where}: {error}" if where else str(error)
