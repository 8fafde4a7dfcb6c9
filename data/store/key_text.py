"""The text of a key: `tsur_`, forty random letters and digits, six of a checksum.

In: nothing, or a text that somebody sent. Out: a new key; whether a text can be one. The checksum tells a
typing error, and a key that lies in a file by mistake, without asking the store. A key has 238 random bits, so plain
SHA-256 (`digests.py`) is enough to keep it by: there is nothing to guess, and nothing to slow down.
"""

import re
import secrets
import string
import zlib

PREFIX = "tsur_"
RANDOM_CHARACTERS = 40
CHECKSUM_CHARACTERS = 6
"""CRC-32 in base 62."""
ALPHABET = string.digits + string.ascii_letters
KEY = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{RANDOM_CHARACTERS}}})([0-9A-Za-z]{{{CHECKSUM_CHARACTERS}}})")


def new_key() -> str:
    """A key that nobody has."""
    random = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return PREFIX + random + _checksum(random)


def is_key(text: str) -> bool:
    """Whether this can be a key: its checksum is right."""
    parts = KEY.fullmatch(text)
    return parts is not None and _checksum(parts[1]) == parts[2]


def _checksum(random: str) -> str:
    number, letters = zlib.crc32(random.encode()), ""
    for _ in range(CHECKSUM_CHARACTERS):
        number, place = divmod(number, len(ALPHABET))
        letters = ALPHABET[place] + letters
    return letters
