"""A small catalogue for the tests: two places, three agencies, three topics."""

from pathlib import Path
from typing import Any

import yaml

Content = dict[str, Any]

SMALL: Content = {
    "region": "Область",
    "municipalities": [
        {"id": "north", "name": "Север", "aliases": ["Северный"], "administration": "north-hall"},
        {"id": "south", "name": "Юг", "administration": "south-hall"},
    ],
    "agencies": [
        {"id": "north-hall", "name": "Администрация Севера", "level": "municipal", "municipalities": ["north"]},
        {"id": "south-hall", "name": "Администрация Юга", "level": "municipal"},
        {"id": "roads", "name": "Дорожный комитет"},
    ],
    "sectors": [
        {
            "name": "Дороги",
            "topics": [
                {"name": "Ямы", "deadline_hours": 240, "routes": [{"agency": "roads"}]},
                {
                    "name": "Знаки",
                    "deadline_hours": 72,
                    "routes": [{"agency": "administration"}, {"agency": "roads", "municipalities": ["south"]}],
                },
            ],
        },
        {"name": "Дворы", "topics": [{"name": "Ямы", "deadline_hours": 48, "routes": [{"agency": "administration"}]}]},
    ],
}


def written(folder: Path, content: Content) -> Path:
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
