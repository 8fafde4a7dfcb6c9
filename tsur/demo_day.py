"""The demo's working day: complaints of the sample as they would have come over the last weeks, up to an hour ago.

In: a client of the running service. Out: decided complaints in its store, some of them for an operator, and among the
newest ones a topic that the catalogue does not know. Sent again on the same day, nothing is stored twice.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from data.errors import TsurError
from data.regions.region import Region
from tsur.samples import SAMPLE_REGION, sample_complaints

PAST, RECENT = 240, 80
"""Complaints of the past weeks, without which nothing can be called new, and of the last days."""
PAST_DAYS, RECENT_DAYS = 60, 14
TOGETHER = 64
NEW_TOPIC = (
    "Сосед по двору держит ульи прямо под окнами, дети искусаны пчёлами",
    "Пчёлы из ульев у дома не дают выйти на балкон, ребёнка ужалили",
    "Кто разрешил ставить ульи во дворе многоэтажки? Пчёлы летят в окна",
    "Пасека между домами, пчёлы кусают прохожих, уберите ульи",
    "Во дворе поставили четыре улья, пчёл столько, что на площадку не выйти",
    "Рой пчёл висит у подъезда, хозяин ульев не реагирует",
    "Ульи в палисаднике, у меня аллергия на пчёл, что делать",
    "Третий раз пишу про ульи на газоне: пчёлы искусали бабушку",
    "На крыше гаража стоят ульи, пчёлы летают по всей улице",
    "Пасечник держит пчёл в черте города, ульи прямо у детского сада",
    "Пчёлы из соседских ульев роятся на детской площадке каждый день",
    "Уберите ульи от школы, дети боятся пчёл и обходят двор",
)
"""Of the last days: made up for the demo, and of no topic of the sample's catalogue."""


def send_day(client: httpx.Client, region: Region) -> int:
    """Let the service classify the day; how many complaints it is. Another region than the sample's has none.

    Raises:
        TsurError: the service refused them.
    """
    if region.id != SAMPLE_REGION:
        return 0
    items = list(_items(datetime.now(UTC)))
    for start in range(0, len(items), TOGETHER):
        answer = client.post("/v1/classify", json={"items": items[start : start + TOGETHER]})
        if answer.status_code != 200:
            raise TsurError(f"/v1/classify answered {answer.status_code}: {answer.text[:300]}")
    return len(items)


def _items(now: datetime) -> Iterator[dict[str, Any]]:
    """The complaints, each with its time; the time of day is fixed, so that a second demo of the day sends the same."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    sample = sample_complaints().sample(PAST + RECENT, random_state=0).reset_index(drop=True)
    for n, row in enumerate(sample.to_dict("records")):
        past = n < PAST
        days = RECENT_DAYS + n % PAST_DAYS if past else (n - PAST) % RECENT_DAYS
        yield _item(f"{today:%Y%m%d}-{n}", row["text"], row["source"], row["municipality"], today, days, n)
    for n, text in enumerate(NEW_TOPIC):
        yield _item(f"{today:%Y%m%d}-new-{n}", text, "incident", "Верхнереченск", today, n % 7, n)


def _item(name: str, text: str, source: str, place: object, today: datetime, days: int, minute: int) -> dict[str, Any]:
    moment = today - timedelta(days=days, minutes=1 + 7 * minute % 600)
    item = {"id": f"day-{name}", "text": text, "source": source, "created_at": moment.isoformat()}
    return item | ({"municipality": place} if isinstance(place, str) else {})
