"""An operator who knows the right labels and presses as few keys as the desk's own rules allow.

In: the desk's page in a real browser, and the labels of the complaint that it shows. Out: what he pressed. He reads
what the page shows, takes a proposal by its key where there is the right one, and else types the shortest beginning of
a word by which the page's own search finds it first.
"""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from data.catalogue.model import Triple

OPTIONS = """
(group) => [...document.querySelectorAll("fieldset")[group].querySelectorAll(".option")].map((each) => ({
  name: each.querySelector(".what").firstChild.textContent.trim(),
  sector: (each.querySelector("small") || { textContent: "" }).textContent.trim(),
  key: (each.querySelector("kbd") || { textContent: "" }).textContent,
  picked: each.classList.contains("picked"),
}))
"""
SHORTEST = """
async ({ place, kind, sector, name }) => {
  const rules = await import("/console/assets/pages/desk-rules.js");
  const catalogue = await (await fetch(`/v1/catalogue?municipality=${encodeURIComponent(place)}`)).json();
  const [topics, agencies] = [rules.topicsOf(catalogue), catalogue.agencies.map((each) => each.name)];
  const right = (hit) => hit && hit.kind === kind
    && (kind === "topic" ? hit.topic === name && hit.sector === sector : hit.agency === name);
  const words = name.split(/[^\\p{L}\\p{N}]+/u).filter(Boolean);
  for (let length = 1; length <= name.length; length += 1) {
    const begun = words.filter((word) => word.length >= length).map((word) => word.slice(0, length));
    const tried = [name.slice(0, length), ...begun];
    const found = tried.find((text) => right(rules.search(text, topics, agencies)[0]));
    if (found) return found;
  }
  return name;
}
"""
TOPIC, AGENCY = 0, 1


@dataclass(frozen=True)
class Effort:
    """What one complaint took.

    Attributes:
        keys: keystrokes, those of a search and of the confirmation among them.
        choices: what was picked, and the confirmation.
        proposed: all that had to be picked was among the proposals.
    """

    keys: int
    choices: int
    proposed: bool


class Operator:
    """At one desk. Counts what he presses.

    Args:
        page: the desk, a complaint on it.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._keys = self._choices = 0

    def answer(self, right: Triple, place: str) -> Effort:
        """Give the complaint on the screen these labels and send them."""
        self._keys = self._choices = 0
        searches = [
            self._pick(TOPIC, place, "topic", right.topic, right.sector),
            self._pick(AGENCY, place, "agency", right.agency, ""),
        ]
        self._press("Enter")
        self._choices += 1
        return Effort(self._keys, self._choices, not any(searches))

    def _pick(self, group: int, place: str, kind: str, name: str, sector: str) -> bool:
        """Pick a label unless it is picked; whether it had to be searched for."""
        options: list[dict[str, Any]] = self._page.evaluate(OPTIONS, group)
        option = next((o for o in options if (o["name"], o["sector"]) == (name, sector)), None)
        if option is not None and option["picked"]:
            return False
        self._choices += 1
        if option is not None and option["key"]:
            self._press(option["key"])
            return False
        query = self._page.evaluate(SHORTEST, {"place": place, "kind": kind, "sector": sector, "name": name})
        self._press("Slash")
        for letter in query:
            self._press(letter)
        self._press("Enter")
        return True

    def _press(self, key: str) -> None:
        self._keys += 1
        if len(key) == 1 and not key.isascii():
            self._page.keyboard.insert_text(key)
        else:
            self._page.keyboard.press("Space" if key == " " else key)
