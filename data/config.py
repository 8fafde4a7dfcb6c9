"""YAML files into typed configs: an unknown key is an error that lists the known ones."""

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from data.errors import ConfigError


class Config(BaseModel):
    """A frozen config: its YAML in `configs/` has the same names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


ConfigType = TypeVar("ConfigType", bound=Config)


def read_yaml(path: Path) -> Any:
    """Parse one YAML file.

    Raises:
        ConfigError: the file is absent, not UTF-8, or not YAML (with its line).
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such config file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2026-13-45 is no date
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None


def load_config(path: Path, kind: type[ConfigType]) -> ConfigType:
    """Read `path` into `kind`.

    Raises:
        ConfigError: with the file, the key and, for an unknown key, the known ones.
    """
    content = read_yaml(path)
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, got {type(content).__name__}")
    return parse_config(content, kind, str(path))


def parse_config(content: dict[str, Any], kind: type[ConfigType], origin: str) -> ConfigType:
    """Validate a mapping as `kind`; `origin` names where it came from in the error.

    Raises:
        ConfigError: with the key and, for an unknown key, the known ones.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{origin}: {describe(error, kind)}") from None


def describe(error: ValidationError, kind: type[BaseModel]) -> str:
    """The first problem of a validation error as one sentence."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        keys = known_keys(kind, first["loc"][:-1])
        close = difflib.get_close_matches(str(first["loc"][-1]), keys, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        return f"unknown key {where!r}{hint} Known keys are {', '.join(keys)}"
    sentence = first["msg"].removeprefix("Value error, ")
    return f"{where or 'config'}: {sentence} (got {first['input']!r:.80})"


def known_keys(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the model that lies at `path` inside `kind`."""
    for part in path:
        field = kind.model_fields.get(str(part))
        if field is None:
            continue
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
        nested = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if nested is not None:
            kind = nested
    return sorted(kind.model_fields)
