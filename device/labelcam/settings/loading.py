# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From one TOML file to the dataclasses: every problem found, typos refused with what was probably meant."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import cattrs
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn

from ..errors import SettingsError
from .whole import Settings


def default_text() -> str:
    """Return the commented default settings, as `labelcam defaults` prints them."""
    return (files("labelcam") / "labelcam.toml").read_text(encoding="utf-8")


def load_settings(path: Path | None) -> Settings:
    """Return the settings of exactly one file: the one given, else the user's, else the system's, else the defaults.

    Raises SettingsError, with every problem in one line, if the file is missing or cannot be used as written.
    """
    path = path or settings_in_use()
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


def settings_in_use() -> Path | None:
    """Return the file that is read where none is named, or None where there is none. Raises SettingsError."""
    try:
        return next((place for place in _places() if place.is_file()), None)
    except PermissionError as error:
        raise SettingsError(f"{error.filename}: permission denied; check its folder, or use --settings") from None


def settings_of_user() -> Path:
    """Return where a person's own settings stand, or would. Raises SettingsError for a user without a home."""
    return next(_places())


def settings_from_toml(text: str) -> Settings:
    """Return the settings that a TOML text holds. Raises SettingsError with every problem in one line."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        remedy = "mend that line" + " (texts stand in quotes)" * str(error).startswith("Invalid value")
        raise SettingsError(f"not valid TOML ({error}); {remedy}") from None
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


def _names(value: Any, _: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value.values()):
        raise SettingsError(f'{value!r} is not a section of texts such as "macaw" = "Ara"')
    return dict(value)


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
_sections = [type(getattr(Settings(), section.name)) for section in fields(Settings)]
_converter = cattrs.Converter()
for _kind in _kind_names:
    _converter.register_structure_hook(_kind, _exactly)
_converter.register_structure_hook_func(lambda kind: str(get_origin(kind)) == str(Literal), _one_of)
_converter.register_structure_hook_func(lambda kind: kind == tuple[str, ...], _texts)
_converter.register_structure_hook_func(lambda kind: kind == tuple[float, ...], _numbers)
_converter.register_structure_hook_func(lambda kind: kind == Mapping[str, tuple[str, ...]], _lists_by_name)
_converter.register_structure_hook_func(lambda kind: kind == Mapping[str, str], _names)
for _class in (*filter(is_dataclass, _sections), Settings):
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
            hint = _hint(key, known)
            yield f"[{where}] has no setting {key!r}; {hint}" if where else f"no section or setting {key!r}; {hint}"
    else:
        yield f"{where}: {error}" if where else str(error)


def _hint(key: str, known: list[str]) -> str:
    if close := get_close_matches(key, known, n=1):
        return f"did you mean {close[0]!r}?"
    places = [
        s.name for s in fields(Settings) if key in getattr(getattr(Settings(), s.name), "__dataclass_fields__", ())
    ]
    if places:
        return f"it stands under {' or '.join(f'[{place}]' for place in places)}"
    return f"it knows {', '.join(known)}"
