"""Names of registered encoders, made fast: which content a name means now, brought to this machine.

In: `registry:complaint-encoder@champion` or `…@3`, as configs name an encoder. Out:
`registry:complaint-encoder@sha256:HASH`, which means the same for ever: a run that is continued, or a bundle that is
read a year later, is not changed by a promotion. Names of other encoders stay as they are.
"""

from data.errors import BundleError, EncoderError
from models.encoder.artifact import is_address
from models.encoder.source import CONTENT, REGISTERED
from registry.client import Registry
from registry.encoders import ENCODER, HASH, fetch_encoder


def pinned(name: str, registry: Registry) -> str:
    """The name of the content that `name` means now; an encoder of the registry is brought into the home.

    Raises:
        EncoderError: it names no model of encoders, or no version.
        NoChampionError: nothing is registered under the alias.
        BundleError: there is no such version, or its files are gone.
        TrackingError: MLflow does not answer.
    """
    if not name.startswith(REGISTERED):
        return name
    model, _, which = name.removeprefix(REGISTERED).partition("@")
    if model != ENCODER or not which:
        raise EncoderError(f"encoder {name!r}: write {REGISTERED}{ENCODER}@champion, or its version, as in @3")
    address = which.removeprefix(CONTENT)
    if not which.startswith(CONTENT):
        number = int(which) if which.isdecimal() else registry.champion(ENCODER, which)
        address = str(registry.models.version(ENCODER, number).tags.get(HASH, ""))
    if not is_address(address):
        raise EncoderError(f"encoder {name!r} has no hash of its content: adapt it again with `tsur adapt`")
    try:
        fetch_encoder(registry.models.client(), address, registry.encoders)
    except BundleError as error:
        raise EncoderError(f"encoder {name!r} is gone ({error.message}); `tsur adapt` makes another") from None
    return f"{REGISTERED}{ENCODER}@{CONTENT}{address}"
