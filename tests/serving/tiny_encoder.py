"""A tiny encoder in the real artifact's format, random word vectors and their mean; the same inside earlier bundles."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from data.catalogue.checks import load_catalogue
from models.classifier.bundle import FEATURES, GRAPH, ClassifierBundle, read_bundle
from models.classifier.heads import HEADS_FILE, NETWORK_FILE
from models.classifier.labels import HEADS
from models.encoder.artifact import ARCHITECTURE, CONFIG, GRAPHS, TOKENIZER, VECTORS, WEIGHTS, store_encoder

SENTENCES = [
    "не вывозят мусор у дома третью неделю",
    "яма на дороге после зимы не заделана",
    "нет горячей воды и отопления в квартире",
    "автобус не приходит по расписанию утром",
    "спасибо за новый сквер у школы",
]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
HIDDEN = 32
PAD = 1


def write_encoder(place: Path, seed: int = 0, masked: bool = False) -> str:
    """An encoder's artifact in `place`, its graphs as traced ones if `masked`; its hash."""
    folder = place / "unfinished"
    folder.mkdir(parents=True)
    vocabulary = write_tokenizer(folder / TOKENIZER)
    words = np.random.default_rng(seed).normal(size=(vocabulary, HIDDEN)).astype(np.float32)
    save_file({"words": words}, folder / WEIGHTS)
    (folder / ARCHITECTURE).write_text(json.dumps({"hidden_size": HIDDEN, "intermediate_size": 64}))
    (folder / CONFIG).write_text(yaml.safe_dump({"format": 1, "pad_token_id": PAD}))
    for name in GRAPHS.values():
        write_graph(folder / name, words, masked)
    return store_encoder(folder, place)


def write_tokenizer(path: Path) -> int:
    """A Unigram tokenizer of the sentences' words and letters; the size of its vocabulary."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

    words = sorted({f"▁{word}" for sentence in SENTENCES for word in sentence.split()})
    letters = sorted({letter for word in words for letter in word})
    pieces = [(name, 0.0) for name in SPECIAL] + [(word, -1.0) for word in words] + [(x, -3.0) for x in letters]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=SPECIAL.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(path))
    return int(tokenizer.get_vocab_size())


def write_graph(path: Path, words: np.ndarray, masked: bool, bundle: ClassifierBundle | None = None) -> None:
    """The mean of word vectors; with a bundle, its standardisation and heads too, as graphs of formats 3 and 4 had."""
    weights = {"words": words, "last": np.array([2]), "one": np.array([1])}
    nodes = [helper.make_node("Gather", ["words", "input_ids"], ["vectors"])]
    if masked:
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["real"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["real", "last"], ["mask"]),
            helper.make_node("Mul", ["vectors", "mask"], ["masked"]),
            helper.make_node("ReduceSum", ["masked", "one"], ["summed"], keepdims=0),
            helper.make_node("ReduceSum", ["mask", "one"], ["tokens"], keepdims=0),
            helper.make_node("Div", ["summed", "tokens"], [VECTORS]),
        ]
    else:
        nodes.append(helper.make_node("ReduceMean", ["vectors"], [VECTORS], axes=[1], keepdims=0))
    widths = {VECTORS: HIDDEN}
    if bundle is not None:
        weights |= {"mean": bundle.heads.mean, "deviation": bundle.heads.deviation}
        nodes += [
            helper.make_node("Sub", [VECTORS, "mean"], ["centred"]),
            helper.make_node("Div", ["centred", "deviation"], [FEATURES]),
        ]
        widths = bundle.labels.counts | {FEATURES: HIDDEN}
        for head in HEADS:
            weights |= {f"w_{head}": bundle.heads.weights[head], f"b_{head}": bundle.heads.bias[head]}
            nodes += [
                helper.make_node("MatMul", [FEATURES, f"w_{head}"], [f"{head}.product"]),
                helper.make_node("Add", [f"{head}.product", f"b_{head}"], [head]),
            ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "tokens"])
        for name in ("input_ids", "attention_mask")[: 1 + masked]
    ]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", n]) for name, n in widths.items()]
    constants = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def write_earlier(bundle: Path, folder: Path, bundle_format: int) -> Path:
    """The same classifier in format 3 or 4: the encoder inside, heads in its graph, files by their old names."""
    read = read_bundle(bundle)
    encoder = bundle.parent / "encoders" / str(read.config.encoder_hash)
    shutil.copytree(bundle, folder, ignore=shutil.ignore_patterns(HEADS_FILE))
    (folder / "topic_agency_pmi.json").rename(folder / "affinity.json")
    (folder / "out_of_vocabulary.json").rename(folder / "novelty.json")
    calibration = json.loads((folder / "calibration.json").read_text())
    calibration["affinity_weight"] = calibration.pop("pmi_weight")
    (folder / "calibration.json").write_text(json.dumps(calibration))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    del config["encoder_hash"]
    config |= {"format": bundle_format, "pad_token_id": PAD}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True))
    shutil.copyfile(encoder / TOKENIZER, folder / TOKENIZER)
    words = onnx_words(encoder)
    write_graph(folder / GRAPH, words, masked=bundle_format == 3, bundle=read)
    arrays = {"feature_mean": read.heads.mean, "feature_deviation": read.heads.deviation, "encoder.words": words}
    for head in HEADS:
        arrays |= {f"heads.{head}.weight": read.heads.weights[head].T, f"heads.{head}.bias": read.heads.bias[head]}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / NETWORK_FILE)
    assert load_catalogue(folder / "catalogue.yaml")
    return folder


def onnx_words(encoder: Path) -> np.ndarray:
    """The word vectors of a tiny encoder."""
    model = onnx.load(str(encoder / GRAPHS["fp32"]))
    return next(numpy_helper.to_array(tensor) for tensor in model.graph.initializer if tensor.name == "words")
