"""Encodings: which letters a text file's bytes are.

In: a path, or the encoding that its source map states. Out: a `TextEncoding`. UTF-8, UTF-16 and UTF-32 are
told by their byte order mark or their bytes, Windows-1251 by its Russian. Some broken bytes, a text that
its source cut in the middle of a letter, spoil their own row and not the file.
"""

import codecs
import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, TextIO, cast

from data.errors import FileError

_BOMS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
BLOCK = 1 << 16
MOST_BROKEN = 0.1
"""Of the bytes beyond ASCII; Russian in another encoding has nearly all of them broken."""
FEW = 2
"""Broken bytes that any short file may have, if more letters are whole."""
_BROKEN = re.compile("[\udc80-\udcff]")
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class TextEncoding:
    """A codec, how it treats broken bytes, and whether there are some."""

    codec: str
    errors: str = "surrogateescape"
    broken: bool = False

    def is_broken(self, text: str) -> bool:
        """Does the text hold a byte that is no letter?"""
        if not self.broken:
            return False
        return "\ufffd" in text if self.errors == "replace" else _BROKEN.search(text) is not None


def repaired(text: str) -> str:
    """The text with a sign of doubt for every broken byte, so that it can be written."""
    return _BROKEN.sub("\ufffd", text)


def open_bytes(path: Path) -> BinaryIO:
    """The file's bytes, unpacked if it is gzipped."""
    file = path.open("rb")
    packed = file.read(2) == GZIP
    file.seek(0)
    if not packed:
        return file
    file.close()
    return cast(BinaryIO, gzip.open(path, "rb"))


def open_text(path: Path, encoding: TextEncoding, newline: str) -> TextIO:
    """The file's text; `newline` as in `open`."""
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
    if packed:
        return cast(TextIO, gzip.open(path, "rt", encoding=encoding.codec, errors=encoding.errors, newline=newline))
    return path.open(encoding=encoding.codec, errors=encoding.errors, newline=newline)


def text_encoding(path: Path, stated: str | None = None) -> TextEncoding:
    """The encoding stated, or the one that the bytes show.

    Raises:
        FileError: there is no such encoding, or the bytes are none of the known ones, or not the stated one.
    """
    with open_bytes(path) as file:
        head = file.read(4096)
    bom = next((codec for mark, codec in _BOMS if head.startswith(mark)), None)
    if stated is not None:
        return _as_stated(path, stated, bom)
    if bom is not None and bom != "utf-8-sig":
        return TextEncoding(bom, "replace", broken=True)
    if wide := _without_mark(head):
        return TextEncoding(wide, "replace", broken=True)
    letters, broken = _decoded(path, "utf-8")
    binary = head.count(b"\0") > max(FEW, len(head) // 100)
    if not binary and (broken <= MOST_BROKEN * letters or broken <= FEW < letters - broken):
        return TextEncoding("utf-8-sig", broken=broken > 0)
    if bom is None and _reads_as_russian(path, head):
        return TextEncoding("cp1251", broken=True)  # 0x98 is no letter there
    raise FileError(
        f"{path}: neither UTF-8, UTF-16 nor Windows-1251 (cp1251) text; save it in one of these, "
        "or name its encoding in the source's map, as in `encoding: koi8-r`"
    )


def _as_stated(path: Path, stated: str, bom: str | None) -> TextEncoding:
    try:
        name = codecs.lookup(stated).name
    except LookupError:
        raise FileError(f"{path}: there is no encoding {stated!r}; use utf-8 or cp1251") from None
    if bom is not None and name.split("-")[0] == bom.split("-")[0]:
        stated = bom
    errors = "replace" if name.startswith(("utf-16", "utf-32")) else "surrogateescape"
    letters, broken = _decoded(path, stated, errors)
    if broken > MOST_BROKEN * letters:
        raise FileError(f"{path}: cannot be read as {stated}: {broken} of its bytes are no letters there")
    return TextEncoding(stated, errors, broken > 0)


def _decoded(path: Path, codec: str, errors: str = "surrogateescape") -> tuple[int, int]:
    """Letters beyond ASCII, and among them those that are broken bytes."""
    decoder = codecs.getincrementaldecoder(codec)(errors)
    letters = broken = 0
    with open_bytes(path) as file:
        while block := file.read(BLOCK):
            text = decoder.decode(block)
            if not text.isascii():
                letters += len(text) - len(text.encode("ascii", "ignore"))
                broken += text.count("\ufffd") if errors == "replace" else len(_BROKEN.findall(text))
        tail = decoder.decode(b"", final=True)
    return letters + len(tail), broken + len(tail)


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of Russian and ASCII is 0 or 4."""
    if b"\0" not in head or len(head) < 8:
        return None
    for codec, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        high = head[first::2]
        if sum(byte in (0, 4) for byte in high) > 0.9 * len(high):
            return codec
    return None


def _reads_as_russian(path: Path, head: bytes) -> bool:
    file: IO[bytes]
    with open_bytes(path) as file:
        first = file.read(BLOCK)
        last = first
        while block := file.read(BLOCK):
            last = block
    return _is_russian(head) and _is_russian(first) and _is_russian(last)


def _is_russian(content: bytes) -> bool:
    """Does it read as Russian in cp1251? KOI8-R and cp866 give other letters, or other signs."""
    text = content.decode("cp1251", errors="replace")
    foreign = [char for char in text if ord(char) > 127]
    foreign = [char for char in foreign if char not in "№«»„“”‘’–—…°§\xa0"]
    letters = [char.lower() for char in foreign if re.match("[А-Яа-яЁё]", char)]
    if content.count(b"\0") > FEW or len(letters) < 0.8 * len(foreign):
        return False
    return len(letters) < 30 or sum(letter in "оеаинт" for letter in letters) > 0.33 * len(letters)
