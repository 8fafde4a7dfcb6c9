"""All that a run can be told: documented configs, `classifier.yaml`, `adapt.yaml`, `distill.yaml`, `dataset.yaml`."""

from typing import Annotated, Literal

from pydantic import Field

from data.config import Config
from models.encoder.source import PACKAGED


class ClassifierTraining(Config):
    """Arguments of `tsur train classifier`; the comments in the YAML say what each one does."""

    encoder: str = PACKAGED
    text_prefix: str = "query: "
    max_tokens: int = Field(default=192, ge=8, le=512)
    ngrams: bool = True
    courtesy_augmentation: bool = True
    precision: Literal["auto", "int8", "fp32"] = "auto"

    epochs: Literal["auto"] | Annotated[int, Field(ge=0, le=200)] = "auto"
    batch_size: int = Field(default=32, ge=1, le=1024)
    learning_rate: float = Field(default=1e-4, gt=0, lt=1)
    head_learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    layer_decay: float = Field(default=0.9, gt=0, le=1)
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    weight_decay: float = Field(default=0.01, ge=0, lt=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    label_smoothing: float = Field(default=0.05, ge=0, lt=1)
    class_weighting: Literal["none", "sqrt", "balanced"] = "sqrt"
    freeze_embeddings: bool = True
    frozen_layers: int = Field(default=4, ge=0, le=48)
    fine_tuning_tokens: int = Field(default=64, ge=8, le=512)
    bf16: Literal["auto", "true", "false"] | bool = "auto"

    min_label_rows: int = Field(default=5, ge=1)
    holdout: float = Field(default=0.0, ge=0, lt=0.5)
    promised_precision: float = Field(default=0.95, gt=0, lt=1)
    seed: int = Field(default=0, ge=0)


class EncoderAdaptation(Config):
    """Arguments of `tsur adapt`; the comments in the YAML say what each one does."""

    encoder: str = PACKAGED
    text_prefix: str = "query: "
    max_tokens: int = Field(default=96, ge=8, le=512)
    max_rows: int = Field(default=20_000, ge=0)
    sampling_exponent: float = Field(default=0.7, ge=0, le=1)
    held_out_share: float = Field(default=0.05, gt=0, lt=0.5)

    epochs: int = Field(default=1, ge=1, le=200)
    batch_size: int = Field(default=32, ge=1, le=1024)
    learning_rate: float = Field(default=1e-4, gt=0, lt=1)
    head_learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    layer_decay: float = Field(default=0.9, gt=0, le=1)
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    weight_decay: float = Field(default=0.01, ge=0, lt=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    label_smoothing: float = Field(default=0.05, ge=0, lt=1)
    freeze_embeddings: bool = True
    frozen_layers: int = Field(default=6, ge=0, le=48)
    bf16: Literal["auto", "true", "false"] | bool = "auto"
    seed: int = Field(default=0, ge=0)


class Distillation(Config):
    """Arguments of `tsur distill`; the comments in the YAML say what each one does."""

    teacher: Literal["champion"] | int = "champion"
    layers: int = Field(default=3, ge=1, le=48)
    intermediate_share: float = Field(default=0.5, gt=0, le=1)
    max_tokens: int = Field(default=128, ge=8, le=512)
    augmented: Literal["auto"] | Annotated[float, Field(ge=0, le=100)] = "auto"
    held_out_share: float = Field(default=0.05, gt=0, lt=0.5)

    epochs: int = Field(default=6, ge=1, le=200)
    batch_size: int = Field(default=16, ge=1, le=1024)
    learning_rate: float = Field(default=1.5e-3, gt=0, lt=1)
    warmup_share: float = Field(default=0.06, ge=0, lt=1)
    weight_decay: float = Field(default=0.01, ge=0, lt=1)
    freeze_embeddings: bool = True
    bf16: Literal["auto", "true", "false"] | bool = "auto"

    vector_weight: float = Field(default=1.0, ge=0)
    state_weight: float = Field(default=1.0, ge=0)
    logit_weight: float = Field(default=0.1, ge=0)
    temperature: float = Field(default=2.0, gt=0)
    seed: int = Field(default=0, ge=0)


class DatasetBuild(Config):
    """Arguments of `tsur dataset build`; the comments in the YAML say what each one does."""

    test_share: float = Field(default=0.15, gt=0, lt=0.5)
    drift_level: float = Field(default=0.01, gt=0, lt=1)
    wrong_labels: bool = True
