"""Configs of an installation with several regions: what the tests of more than one region share."""

import shutil
from pathlib import Path

from data.settings import CHECKOUT

KAMCHATKA = "title: Камчатский край\ntimezone: Asia/Kamchatka\ncatalogue: null\n"


def add_region(configs: Path, name: str, text: str) -> Path:
    """Make a region in configs that are copied from the real ones on first use; returns its folder."""
    if not configs.exists():
        shutil.copytree(CHECKOUT / "configs", configs)
    folder = configs / "regions" / name
    folder.mkdir()
    (folder / "region.yaml").write_text(text, encoding="utf-8")
    return folder
