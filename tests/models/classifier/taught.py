"""A tiny bundle that has learnt five sentences by heart: its heads are solved, not drawn."""

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from tokenizers import Tokenizer

from data.catalogue.checks import load_catalogue
from models.classifier.labels import HEADS
from tests.serving.bundles import CATALOGUE, write_classifier

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
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = onnx.load(str(folder / "model.onnx"))
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    words = numpy_helper.to_array(weights["words"])
    pooled = np.stack([words[tokenizer.encode(f"query: {text}").ids].mean(axis=0) for text in TAUGHT])
    triples = catalogue.triples()
    for head in HEADS:
        names = sorted({getattr(triple, head) for triple in triples})
        wanted = np.zeros((len(TAUGHT), len(names)))
        for row, (sector, topic) in enumerate(TAUGHT.values()):
            label = {"sector": sector, "topic": topic, "agency": catalogue.agencies_for(sector, topic)[0]}[head]
            wanted[row, names.index(label)] = LOGIT
        solved = (np.linalg.pinv(pooled) @ wanted).astype(np.float32)
        weights[f"w_{head}"].CopyFrom(numpy_helper.from_array(solved, f"w_{head}"))
    onnx.save(model, str(folder / "model.onnx"))
    return folder
