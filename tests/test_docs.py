"""The documents speak of what is there: every setting, command, endpoint and error code, in both READMEs."""

import re

import pytest

from data import errors
from data.settings import CHECKOUT, Settings

REFERENCE = (CHECKOUT / "docs" / "reference.md").read_text(encoding="utf-8")
PAGES = ("reference.md", "formats.md", "exports.ru.md", "operations.md", "personal-data.md")
READMES = {name: (CHECKOUT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ru.md")}


def error_classes(root: type[errors.TsurError]) -> list[type[errors.TsurError]]:
    return [found for child in root.__subclasses__() for found in (child, *error_classes(child))]


@pytest.mark.parametrize("kind", error_classes(errors.TsurError), ids=lambda kind: kind.__name__)
def test_every_error_class_is_drawn_in_its_tree_and_its_code_is_documented(kind):
    from serving.http.errors import STATUS

    assert f"{kind.__name__} " in (errors.__doc__ or "")
    assert f"| `{kind.code}` | {STATUS[kind]} |" in REFERENCE


def test_every_code_of_the_api_is_documented():
    from serving.http.errors import HTTP_CODES, INTERNAL

    also = {415: 400}  # a body of another type is answered as one that is not JSON
    for status, (code, _) in [*HTTP_CODES.items(), (500, INTERNAL)]:
        assert f"| `{code}` | {also.get(status, status)} |" in REFERENCE, code


@pytest.mark.parametrize("field", list(Settings.model_fields))
def test_every_setting_is_documented(field):
    assert f"`TSUR_{field.upper()}`" in REFERENCE


def test_every_command_is_documented():
    import typer

    from tsur.cli import app

    found = typer.main.get_command(app).commands
    groups = {name: group.commands for name, group in found.items() if hasattr(group, "commands")}
    names = [name for name in found if name not in groups]
    names += [f"{group} {name}" for group, commands in groups.items() for name in commands]
    assert {"serve", "classify", "surges", "train forecaster", "registry migrate"} <= set(names)
    for name in names:
        assert f"`tsur {name}`" in REFERENCE, name


@pytest.mark.parametrize("readme", READMES)
def test_every_endpoint_is_in_the_readme(readme):
    from serving.app import create_app

    paths = create_app().openapi()["paths"]
    assert paths
    for path in paths:
        assert path in READMES[readme], path


def test_every_config_file_is_documented():
    for path in (CHECKOUT / "configs").rglob("*.yaml"):
        relative = path.relative_to(CHECKOUT)
        assert f"`{relative}`" in REFERENCE or f"`{relative.parent}/*.yaml`" in REFERENCE, relative


@pytest.mark.parametrize("readme", READMES)
def test_no_placeholder_is_left(readme):
    assert "@@" not in READMES[readme]


@pytest.mark.parametrize(
    "name",
    [
        *READMES,
        "docs/reference.md",
        "docs/formats.md",
        "docs/exports.ru.md",
        "docs/operations.md",
        "docs/personal-data.md",
        "docs/retraining.md",
        "docs/scaling.md",
        "data/samples/README.md",
        "CHANGELOG.md",
        "docs/console.md",
    ],
)
def test_links_lead_somewhere(name):
    path = CHECKOUT / name
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target
