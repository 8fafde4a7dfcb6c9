"""A tiny random encoder of a real architecture: three layers, hidden 16, always the same weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from models.encoder.architecture import ComplaintNetwork

HIDDEN = 16
LABELS = {"sector": 3, "topic": 5, "agency": 4}


def tiny_network(architecture: str = "Bert", intermediate: int = 32, **options: Any) -> ComplaintNetwork:
    """`architecture` is the beginning of transformers' class names; token 1 is padding."""
    import torch
    import transformers

    torch.manual_seed(0)
    sizes: dict[str, Any] = {"hidden_size": HIDDEN, "num_hidden_layers": 3, "num_attention_heads": 2}
    sizes |= {"intermediate_size": intermediate, "vocab_size": 50, "max_position_embeddings": 40, "pad_token_id": 1}
    if architecture == "DistilBert":
        sizes = {"dim": HIDDEN, "n_layers": 3, "n_heads": 2, "hidden_dim": 32, "vocab_size": 50, "pad_token_id": 1}
    config = getattr(transformers, f"{architecture}Config")(**sizes)
    pooler = {} if architecture in ("DistilBert", "Electra") else {"add_pooling_layer": False}
    encoder = getattr(transformers, f"{architecture}Model")(config, **pooler)
    return ComplaintNetwork(encoder, HIDDEN, LABELS, **{"dropout": 0.0, **options}).eval()


def write_tiny_encoder(folder: Path) -> Path:
    """A randomly initialised one-layer BERT with the packaged tokenizer: for what needs no knowledge."""
    from transformers import AutoTokenizer, BertConfig, BertModel, set_seed

    from models.encoder.packaged import packaged_file, read_container, write_encoder

    whole = folder.with_name("whole")
    write_encoder(replace(read_container(packaged_file()), layers=1), whole)
    tokenizer = AutoTokenizer.from_pretrained(whole)
    set_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=64, pad_token_id=1, max_position_embeddings=128,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
