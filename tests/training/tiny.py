"""A tiny random encoder of a real architecture: three layers, hidden 16, always the same weights."""

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
