"""Pretrained encoders through transformers' Auto classes, by name or out of an artifact.

In: an encoder's name, or a classifier's bundle. Out: the torch encoder without a pooler, which nothing reads, or the
whole network, and the fast tokenizer.
"""

from pathlib import Path
from typing import Any

from data.errors import BundleError, EncoderError
from models.classifier.bundle import FORMAT, ClassifierBundle, encoder_folder
from models.classifier.heads import NETWORK_FILE
from models.encoder.architecture import ComplaintNetwork
from models.encoder.artifact import CONFIG as ARTIFACT_CONFIG
from models.encoder.artifact import TOKENIZER, WEIGHTS, read_encoder_config
from models.encoder.source import resolve_encoder

OWN = "encoder."
"""Before the names of the encoder's weights in bundles of formats 3 and 4."""


def load_pretrained(name: str, cache: Path) -> tuple[Any, Any]:
    """The encoder and its fast tokenizer; `cache` is where the packaged encoder is decoded.

    Raises:
        EncoderError: neither packaged, nor a folder, nor reachable on the hub.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    where = resolve_encoder(name, cache)
    try:
        is_artifact = (Path(where) / ARTIFACT_CONFIG).exists()
        tokenizer = _tokenizer_of(Path(where)) if is_artifact else AutoTokenizer.from_pretrained(where, use_fast=True)
        config = AutoConfig.from_pretrained(where)
        # Dropout on attention weights costs about a seventh of the time on a CPU.
        if hasattr(config, "attention_probs_dropout_prob"):
            config.attention_probs_dropout_prob = 0.0
        encoder = _without_pooler(AutoModel.from_pretrained, where, config=config)
    except (OSError, ValueError) as error:
        sentence = " ".join(str(error).split())[:160]
        raise EncoderError(
            f"encoder {name!r} cannot be loaded ({sentence}); without a network use "
            "packaged:e5-small-ru or a folder with the downloaded model"
        ) from None
    if not tokenizer.is_fast:
        raise EncoderError(f"encoder {name!r} has no fast tokenizer (tokenizer.json), which serving needs")
    return encoder, tokenizer


def network_of(bundle: ClassifierBundle) -> tuple[ComplaintNetwork, Any]:
    """The torch network of a classifier's bundle, in any format, and its fast tokenizer.

    Raises:
        BundleError: its encoder is missing or broken.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    try:
        if bundle.config.format == FORMAT:
            folder = encoder_folder(bundle)
            architecture, weights = folder, load_file(folder / WEIGHTS)
            tokenizer = _tokenizer_of(folder)
        else:
            folder = bundle.folder
            architecture, network_weights = folder / "encoder", load_file(folder / NETWORK_FILE)
            own = [name for name in network_weights if name.startswith(OWN)]
            weights = {name.removeprefix(OWN): network_weights[name] for name in own}
            tokenizer = _fast_tokenizer(folder, bundle.config.pad_token_id)
        encoder = _without_pooler(AutoModel.from_config, AutoConfig.from_pretrained(architecture))
        encoder.load_state_dict(weights)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        sentence = " ".join(str(error).split())[:160]
        raise BundleError(f"classifier bundle {bundle.folder.name}: its network cannot be read: {sentence}") from None
    network = ComplaintNetwork(encoder, encoder.config.hidden_size, bundle.labels.counts)
    network.set_heads(bundle.heads)
    return network.eval(), tokenizer


def token_limit(wanted: int, config: Any) -> int:
    """How many tokens are read: as many as asked for and as the encoder has positions (RoBERTa's begin later)."""
    positions = int(getattr(config, "max_position_embeddings", wanted))
    before = config.pad_token_id + 1 if "roberta" in str(getattr(config, "model_type", "")) else 0
    return min(wanted, positions - before)


def _tokenizer_of(artifact: Path) -> Any:
    """The tokenizer of an encoder's artifact."""
    return _fast_tokenizer(artifact, read_encoder_config(artifact).pad_token_id)


def _fast_tokenizer(folder: Path, pad: int | None) -> Any:
    """The tokenizer of a `tokenizer.json`, which does not say what it pads with."""
    from transformers import PreTrainedTokenizerFast

    tokenizer: Any = PreTrainedTokenizerFast(tokenizer_file=str(folder / TOKENIZER))
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(pad)
    return tokenizer


def _without_pooler(make: Any, *arguments: Any, **keywords: Any) -> Any:
    """The encoder without BERT's pooler; other architectures have none to leave out."""
    try:
        return make(*arguments, **keywords, add_pooling_layer=False)
    except TypeError:
        return make(*arguments, **keywords)
