"""Slips of the finger as people make them on a Russian keyboard, from a fixed seed."""

import random
import re

_ROWS = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_NEAR = {
    letter: "".join(row[max(0, place - 1) : place] + row[place + 1 : place + 2])
    for row in _ROWS
    for place, letter in enumerate(row)
}


def with_slips(text: str, seed: int, share: float = 0.2) -> str:
    """The text with one slip in every fifth word of five letters or more, and in one at the least."""
    chance = random.Random(f"{seed} {text}")
    words = re.split(r"(\W+)", text)
    long = [place for place, word in enumerate(words) if len(word) >= 5]
    for place in chance.sample(long, max(1, round(share * len(long)))) if long else []:
        words[place] = _slip(words[place], chance)
    return "".join(words)


def _slip(word: str, chance: random.Random) -> str:
    """One letter lost, doubled, swapped with its neighbour or hit beside; the first letter is never wrong."""
    place = chance.randrange(1, len(word) - 1)
    kind = chance.choice(("lost", "doubled", "swapped", "beside"))
    if kind == "lost":
        return word[:place] + word[place + 1 :]
    if kind == "doubled":
        return word[: place + 1] + word[place:]
    if kind == "swapped":
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return word[:place] + chance.choice(_NEAR.get(word[place], word[place])) + word[place + 1 :]
