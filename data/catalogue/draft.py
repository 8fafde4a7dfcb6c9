"""A first catalogue for a region that has labelled complaints but no file yet.

In: complaints with labels. Out: YAML that `checks.load_catalogue` reads: exactly the combinations seen, for an
editor to name, route and give deadlines.
"""

from collections import defaultdict

import pandas as pd
import yaml


def draft_catalogue(complaints: pd.DataFrame, region: str, deadline_hours: int = 720) -> str:
    """YAML of a catalogue that holds exactly the combinations seen in labelled complaints.

    Columns used: `sector, topic, agency, municipality`. Deadlines start at the 30 days of
    Federal Law 59-FZ, article 12, and wait for an editor.
    """
    labelled = complaints.dropna(subset=["sector", "topic", "agency"])
    agencies = {name: f"agency-{n:03d}" for n, name in enumerate(sorted(labelled["agency"].unique()), start=1)}
    named = sorted(complaints["municipality"].dropna().unique())
    municipalities = {name: f"place-{n:03d}" for n, name in enumerate(named, start=1)}
    tree: dict[str, dict[str, list[str]]] = defaultdict(dict)
    grouped = labelled.groupby(["sector", "topic"])["agency"]
    for (sector, topic), seen in grouped:
        tree[str(sector)][str(topic)] = [agencies[name] for name in seen.value_counts().index]
    content = {
        "region": region,
        "municipalities": [{"id": code, "name": name} for name, code in municipalities.items()],
        "agencies": [{"id": code, "name": name} for name, code in agencies.items()],
        "sectors": [
            {
                "name": sector,
                "topics": [
                    {
                        "name": topic,
                        "deadline_hours": deadline_hours,
                        "routes": [{"agency": code} for code in codes],
                    }
                    for topic, codes in topics.items()
                ],
            }
            for sector, topics in tree.items()
        ],
    }
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)
