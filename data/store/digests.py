"""What stands in the store for a text that must not: its SHA-256."""

import hashlib


def digest(text: str) -> str:
    """SHA-256, hexadecimal: whoever has the text finds it again, nobody else learns it."""
    return hashlib.sha256(text.encode()).hexdigest()
