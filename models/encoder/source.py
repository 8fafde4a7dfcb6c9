"""Which pretrained encoder: a name in, a folder that transformers' Auto classes load out.

Names: `packaged:e5-small-ru` (the default; no network), `registry:complaint-encoder@sha256:HASH` (adapted on regions;
`registry/encoder_names.py` makes that of `@champion`), a local folder (closed networks), or a Hugging Face id such as
`cointegrated/rubert-tiny2`.
"""

import shutil
from pathlib import Path

from data.errors import EncoderError
from models.encoder.packaged import packaged_file, read_container, write_encoder

PACKAGED = "packaged:e5-small-ru"
REGISTERED = "registry:"
"""Before the name of a registered encoder."""
CONTENT = "sha256:"
"""Before the hash of an encoder's content, in place of a version."""


def resolve_encoder(name: str, cache: Path) -> str:
    """The folder or the Hugging Face id to give to `from_pretrained`.

    The packaged encoder is decoded into `cache` once; registered ones lie there under their hash.

    Raises:
        EncoderError: an unknown packaged name, a registered encoder that is not there, or a folder without config.json.
    """
    if name.startswith(REGISTERED):
        folder = cache / name.rpartition(CONTENT)[2]
        if CONTENT not in name or not (folder / "config.json").exists():
            raise EncoderError(f"encoder {name!r} is not on this machine: look it up in the registry first")
        return str(folder)
    if name.startswith("packaged:"):
        if name != PACKAGED:
            raise EncoderError(f"encoder {name!r} is not packaged: the packaged one is {PACKAGED!r}")
        folder = cache / "e5-small-ru-1"
        if not (folder / "config.json").exists():
            unfinished = cache / "e5-small-ru-1.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            write_encoder(read_container(packaged_file()), unfinished)
            unfinished.rename(folder)
        return str(folder)
    path = Path(name)
    if path.is_dir():
        if not (path / "config.json").exists():
            raise EncoderError(f"encoder folder {name} has no config.json: is it a transformers model?")
        return str(path)
    if path.is_absolute() or name.startswith(".") or name.count("/") > 1:
        raise EncoderError(f"encoder folder {name} does not exist")
    return name
