"""One contender of the speed benchmark in a process of its own: commands as JSON lines in, figures out.

In: a kind, a folder and a file of texts. Out, for each command: seconds and core-seconds of a pass over the
texts, seconds of each text alone, or the peak memory. Contenders are asked in turn, so that a
busy minute of the machine hits all of them alike; between commands a process uses no core.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

Run = Callable[[Sequence[str], int], object]
ROWS = 2048
"""Rows of the matrices that set the ceiling."""


def engine(folder: Path) -> Run:
    """Our engine; every text is read anew."""
    from models.classifier.classifier import Classifier
    from models.encoder.onnx_runtime import Encoders

    classifier = Classifier.load(folder, Encoders(cached=0))
    return lambda texts, _: classifier.classify(texts)


def pipeline(folder: Path) -> Run:
    """Transformers' `pipeline` as its documentation shows it, with its own batching."""
    from transformers import logging
    from transformers import pipeline as make

    logging.set_verbosity_error()
    classify = make("text-classification", model=str(folder), device="cpu", truncation=True, max_length=192)
    return lambda texts, batch: classify(list(texts), batch_size=batch)


def svm(folder: Path) -> Run:
    """TF-IDF and a linear SVM a head, fitted on the texts beside their labels in `folder`."""
    import pandas as pd

    from models.classifier.labels import HEADS, learn_label_space
    from training.evaluate.tfidf_svm import LexicalClassifier

    rows = pd.read_json(folder / "rows.jsonl", lines=True)
    labels = learn_label_space({head: rows[head].tolist() for head in HEADS}, 5)
    targets = {head: np.array([labels.index(head, name) for name in rows[head]]) for head in HEADS}
    model = LexicalClassifier(labels).fit(rows["text"].tolist(), targets)
    return lambda texts, _: model.scores(texts)


def products(folder: Path) -> Run:
    """Matrix products alone, of the shapes and in the shares that the network needs, on every core."""
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    wish = json.loads((folder / "products.json").read_text())
    rng = np.random.default_rng(0)
    sessions = []
    for inner, outer in wish["shapes"]:
        values = rng.integers(-127, 127, size=(inner, outer))
        small = wish["kind"] == "int8"
        weights = numpy_helper.from_array(values.astype(np.int8 if small else np.float32), "w")
        kinds = (TensorProto.UINT8, TensorProto.INT32) if small else (TensorProto.FLOAT, TensorProto.FLOAT)
        graph = helper.make_graph(
            [helper.make_node("MatMulInteger" if small else "MatMul", ["x", "w"], ["y"])],
            "product",
            [helper.make_tensor_value_info("x", kinds[0], [ROWS, inner])],
            [helper.make_tensor_value_info("y", kinds[1], [ROWS, outer])],
            [weights],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        sessions.append((session, rng.integers(0, 255, (ROWS, inner)).astype(np.uint8 if small else np.float32)))
    cores = len(os.sched_getaffinity(0))
    pool = ThreadPoolExecutor(cores)

    def once(_: int) -> None:
        for session, given in sessions:
            session.run(None, {"x": given})

    return lambda _, times: list(pool.map(once, range(times * cores)))


KINDS: dict[str, Callable[[Path], Run]] = {"engine": engine, "pipeline": pipeline, "svm": svm, "products": products}


def answer(run: Run, texts: list[str], command: dict[str, Any]) -> Any:
    """What a command asks for."""
    batch = command.get("batch", 1)
    if command["do"] == "memory":
        status = Path("/proc/self/status").read_text()  # getrusage counts what the parent had at the fork
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    given = command.get("texts") or texts[: command.get("first")]
    if command["do"] == "pass":
        started, worked = time.perf_counter(), time.process_time()
        run(given, batch)
        return time.perf_counter() - started, time.process_time() - worked
    seconds = []
    for text in given:
        started = time.perf_counter()
        run([text], batch)
        seconds.append(time.perf_counter() - started)
    return seconds


def main() -> None:
    """Load, say so, answer until the input ends."""
    kind, folder, texts = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    answers = sys.stdout
    sys.stdout = sys.stderr  # libraries may talk
    given = json.loads(texts.read_text(encoding="utf-8"))
    run = KINDS[kind](folder)
    run(given[:4], 1)
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(run, given, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
