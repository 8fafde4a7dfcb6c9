"""A first catalogue for a region that has labelled complaints but no file yet.

In: complaints with labels. Out: YAML that `checks.load_catalogue` reads: the combinations seen, for an editor to name,
route and give deadlines. It says that it is a draft, so that a classifier takes unseen agencies of a topic for
improbable, not for impossible; an editor who has checked the routes takes that line out.
"""

from collections import defaultdict

import pandas as pd
import yaml


def draft_catalogue(complaints: pd.DataFrame, region: str, deadline_hours: int = 720) -> str:
    """YAML of a catalogue of the combinations seen in labelled complaints, the commoner agency of a topic first.

    A topic that was never seen with an agency gets the commonest of its sector, or of all. Columns used: `sector,
    topic, agency, municipality`. Deadlines start at the 30 days of Federal Law 59-FZ, article 12, and wait for an
    editor.
    """
    agencies = _numbered(complaints["agency"], "agency")
    municipalities = _numbered(complaints["municipality"], "place")
    tree: dict[str, dict[str, list[str]]] = defaultdict(dict)
    commonest = complaints["agency"].value_counts().index[:1]
    for sector, of_sector in complaints.dropna(subset=["sector", "topic"]).groupby("sector"):
        stand_in = [*of_sector["agency"].value_counts().index, *commonest][:1]
        for topic, agency in of_sector.groupby("topic")["agency"]:
            seen = agency.value_counts().index
            tree[str(sector)][str(topic)] = [agencies[name] for name in (seen if len(seen) else stand_in)]
    content = {
        "region": region,
        "drafted": True,
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


def _numbered(names: "pd.Series[str]", kind: str) -> dict[str, str]:
    """Name → id, numbered in the order of the names."""
    return {name: f"{kind}-{n:03d}" for n, name in enumerate(sorted(names.dropna().unique()), start=1)}
