"""Pretrained encoders through transformers' Auto classes, by name or out of an artifact.

In: an encoder's name, or the folder of an encoder's artifact. Out: the torch encoder without a pooler, which nothing
reads, and its fast tokenizer.
"""

from pathlib import Path
from typing import Any

from data.errors import EncoderError
from models.encoder.artifact import read_encoder_config
from models.encoder.source import resolve_encoder


def load_pretrained(name: str, cache: Path) -> tuple[Any, Any]:
    """The encoder and its fast tokenizer; `cache` is where the packaged encoder is decoded.

    Raises:
        EncoderError: neither packaged, nor a folder, nor reachable on the hub.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    where = resolve_encoder(name, cache)
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, use_fast=True)
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


def load_artifact(folder: Path, weights: dict[str, Any] | None = None) -> tuple[Any, Any]:
    """The encoder and the tokenizer of an artifact, or the encoder of its architecture with other weights.

    Raises:
        BundleError: its `encoder.yaml` is broken.
        OSError, ValueError, RuntimeError, SafetensorError: as transformers and torch say it.
    """
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    from models.encoder.artifact import TOKENIZER, WEIGHTS

    encoder = _without_pooler(AutoModel.from_config, AutoConfig.from_pretrained(folder))
    encoder.load_state_dict(load_file(folder / WEIGHTS) if weights is None else weights)
    return encoder, fast_tokenizer(folder / TOKENIZER, read_encoder_config(folder).pad_token_id)


def fast_tokenizer(path: Path, pad_token_id: int) -> Any:
    """Transformers' tokenizer out of a tokenizer.json."""
    from transformers import PreTrainedTokenizerFast

    tokenizer: Any = PreTrainedTokenizerFast(tokenizer_file=str(path))
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(pad_token_id)
    return tokenizer


def token_limit(wanted: int, config: Any) -> int:
    """How many tokens are read: as many as asked for and as the encoder has positions (RoBERTa's begin later)."""
    positions = int(getattr(config, "max_position_embeddings", wanted))
    before = config.pad_token_id + 1 if "roberta" in str(getattr(config, "model_type", "")) else 0
    return min(wanted, positions - before)


def _without_pooler(make: Any, *arguments: Any, **keywords: Any) -> Any:
    """The encoder without BERT's pooler; other architectures have none to leave out."""
    try:
        return make(*arguments, **keywords, add_pooling_layer=False)
    except TypeError:
        return make(*arguments, **keywords)
