"""A tiny bundle that has learnt five sentences by heart: its heads are solved, not drawn."""

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from data.catalogue.checks import load_catalogue
from models.classifier.bundle import encoder_folder, read_bundle
from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS
from models.encoder.artifact import TOKENIZER
from tests.serving.bundles import CATALOGUE, write_classifier
from tests.serving.tiny_encoder import HIDDEN, onnx_words

RUBBISH = "не вывозят мусор у дома третью неделю"
PIT = "яма на дороге после зимы не заделана"
WATER = "нет горячей воды и отопления в квартире"
BUS = "автобус не приходит по расписанию утром"
THANKS = "спасибо за новый сквер у школы"
TAUGHT = {
    RUBBISH: ("Вывоз мусора", "Не вывозят мусор"),
    PIT: ("Дороги", "Ямы на дороге"),
    WATER: ("ЖКХ", "Нет воды или плохое давление"),
    BUS: ("Общественный транспорт", "Автобус не пришёл, нарушен график"),
    THANKS: ("Не жалоба", "Благодарность"),
}
LOGIT = 12.0


def write_taught(folder: Path) -> Path:
    """`write_classifier`, its heads replaced by the least-squares answer to `TAUGHT`."""
    write_classifier(folder)
    catalogue = load_catalogue(CATALOGUE)
    encoder = encoder_folder(read_bundle(folder))
    tokenizer = Tokenizer.from_file(str(encoder / TOKENIZER))
    words = onnx_words(encoder)
    pooled = np.stack([words[tokenizer.encode(f"query: {text}").ids].mean(axis=0) for text in TAUGHT])
    triples = catalogue.triples()
    weights, bias = {}, {}
    for head in HEADS:
        names = sorted({getattr(triple, head) for triple in triples})
        wanted = np.zeros((len(TAUGHT), len(names)))
        for row, (sector, topic) in enumerate(TAUGHT.values()):
            label = {"sector": sector, "topic": topic, "agency": catalogue.agencies_for(sector, topic)[0]}[head]
            wanted[row, names.index(label)] = LOGIT
        weights[head], bias[head] = np.linalg.pinv(pooled) @ wanted, np.zeros(len(names))
    LinearHeads(weights, bias, np.zeros(HIDDEN), np.ones(HIDDEN)).save(folder)
    return folder
