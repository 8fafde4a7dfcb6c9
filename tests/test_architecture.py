"""docs/architecture.md and CONTRIBUTING.md name files that are there; the former every package."""

import re

import pytest

from data.settings import CHECKOUT

PAGE = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
BOTH = PAGE + (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGES = sorted(path.parent.name for path in CHECKOUT.glob("*/__init__.py") if path.parent.name != "benchmarks")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([a-z_]+/[a-z_/0-9]*(?:\.py)?)`", BOTH))))
def test_every_path_that_is_named_is_there(path: str):
    assert (CHECKOUT / path).exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_has_its_line(package: str):
    assert f"| `{package}/` |" in PAGE
