"""Distillation of an encoder on transformers' Trainer: texts and a teacher in; a student's folder out.

No label is read: the teacher answers the texts and what augmentation makes of them, the student imitates
it. Some texts are held out to tell how close it came. Started again after a kill, the run finds the
teacher's answers that are done, goes on from the last finished epoch, and ends with the same student.
"""

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import log_softmax
from torch import nn

from data.atomic import atomic_folder
from data.errors import InputError
from models.classifier.labels import HEADS
from models.encoder.architecture import ComplaintNetwork
from training.arguments import Distillation
from training.encoder.augmentations import augmented
from training.encoder.cached_states import encode_with
from training.encoder.distillation_metrics import Fidelity
from training.encoder.student import Imitation, channel_weight, check_size, cut, kept_layers, narrow
from training.encoder.teacher import Answers, Teacher, answer, encode
from training.encoder.trainer import last_checkpoint, make_trainer, pad_collator, run_arguments, use_bf16
from training.tracker import TrackedRun

log = logging.getLogger(__name__)
LEAST_TEXTS = 50
MOST_MADE, ENOUGH_TEXTS = 2, 30_000
"""Texts that augmentation makes of one, and texts from which on it makes none."""
WEIGHING_ROWS = 200
"""Texts that show which channels of the teacher's layers a narrower student can do without."""
SCALE_ROWS = 500
"""Texts whose token states give the deviation of such states."""
FIDELITY = "fidelity.json"
"""In a student's folder, which is there whole or not at all: how close it came."""
Floats = npt.NDArray[np.floating]


def distill_encoder(
    texts: Sequence[str],
    teacher: Teacher,
    arguments: Distillation,
    work: Path,
    cache: Path,
    out: Path,
    say: Callable[[str], None] = log.info,
    run: TrackedRun | None = None,
) -> Fidelity:
    """Teach a student what the teacher says of `texts`, as the models read them; its folder is `out`.

    `work` holds the checkpoints, `cache` the teacher's answers.

    Raises:
        InputError: fewer than 50 different texts.
        EncoderError: such a student cannot be made of the teacher.
    """
    if (out / FIDELITY).exists():
        say(f"{out.name}: this student was taught before")
        return Fidelity(**json.loads((out / FIDELITY).read_text()))
    _set_up(arguments.seed)
    taught, held_out = _parts(texts, arguments)
    pad, bf16 = pad_collator(teacher.tokenizer), use_bf16(arguments.bf16)
    rows = [encode(part, teacher, arguments.max_tokens) for part in (taught, held_out)]
    student = _beginning(teacher, rows[0], arguments)
    say(f"teaching a student of {arguments.layers} layers on {len(taught)} texts, {len(held_out)} held out")
    answers = [answer(teacher, part, pad, cache, bf16, say) for part in rows]
    deviation = _state_deviation(answers[0], rows[0]["length"][:SCALE_ROWS])
    imitation = Imitation(student, teacher, answers[0].pooled, deviation, arguments)
    checkpoints = work / "checkpoints"
    _teach(_trainer(imitation, rows, [_Collator(pad, each) for each in answers], arguments, checkpoints, run), say)
    imitation = imitation.to("cpu").eval()
    fidelity = _fidelity(imitation, rows[1], pad, answers[1].pooled)
    _save(imitation.student, teacher.tokenizer, fidelity, out)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return fidelity


def _set_up(seed: int) -> None:
    """Transformers says nothing but errors from now on, and draws by this seed."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.set_seed(seed)


def _beginning(teacher: Teacher, rows: Any, arguments: Distillation) -> Any:
    """The student before it is taught; nothing is dropped out: with so much to imitate none is overfitted."""
    encoder = teacher.network.encoder
    check_size(encoder, arguments)
    student = cut(encoder, arguments.layers)
    if arguments.intermediate_share < 1:
        weight = channel_weight(encoder, [torch.tensor([ids]) for ids in rows["input_ids"][:WEIGHING_ROWS]])
        of_student = [weight[layer] for layer in kept_layers(teacher.layers, arguments.layers)]
        narrow(student, of_student, arguments.intermediate_share)
    for module in student.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return student.requires_grad_(True)


def _parts(texts: Sequence[str], arguments: Distillation) -> tuple[list[str], list[str]]:
    """The different texts and what augmentation makes of them, and the texts held out."""
    different = list(dict.fromkeys(texts))
    if len(different) < LEAST_TEXTS:
        raise InputError(f"distillation needs at least {LEAST_TEXTS} different texts, there are {len(different)}")
    order = np.random.default_rng(arguments.seed).permutation(len(different))
    shuffled = [different[number] for number in order]
    count = max(1, round(arguments.held_out_share * len(different)))
    held_out, taught = shuffled[:count], shuffled[count:]
    return taught + augmented(taught, made_of(len(taught), arguments.augmented), arguments.seed), held_out


def made_of(count: int, share: float | Literal["auto"]) -> int:
    """How many texts augmentation makes of so many: two of each, while that is not more than a student needs."""
    if share == "auto":
        return max(0, min(MOST_MADE * count, ENOUGH_TEXTS - count))
    return round(share * count)


def _state_deviation(answers: Answers, lengths: Sequence[int]) -> Floats:
    states = [answers.states([row], length)[0].numpy() for row, length in enumerate(lengths)]
    deviation: Floats = np.concatenate(states).std(axis=0) + 1e-6
    return deviation


class _Collator:
    """A batch for the imitation: padded tokens and the teacher's states of them."""

    def __init__(self, pad: Any, answers: Answers) -> None:
        self._pad = pad
        self._answers = answers

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        batch = dict(self._pad([{k: v for k, v in f.items() if k not in ("length", "row")} for f in features]))
        batch["states"] = self._answers.states([f["row"] for f in features], batch["input_ids"].shape[1])
        return batch


def _trainer(
    imitation: Imitation,
    rows: Sequence[Any],
    collators: Sequence[_Collator],
    arguments: Distillation,
    folder: Path,
    tracked: TrackedRun | None,
) -> Any:
    trained = [p for p in imitation.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": arguments.weight_decay},
        {"params": [p for p in trained if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=arguments.learning_rate, betas=(0.9, 0.98), fused=True)
    run = run_arguments(
        arguments, folder, arguments.epochs,
        eval_strategy="epoch", prediction_loss_only=True, label_names=["states"],
    )  # fmt: skip
    return make_trainer(
        imitation, rows[0], collators[0], run,
        optimizer=optimizer, what="distilling", held_out=(rows[1], collators[1]), run=tracked,
    )  # fmt: skip


def _teach(trainer: Any, say: Callable[[str], None]) -> None:
    """Train, going on from the last finished epoch of a run that was killed."""
    checkpoint = last_checkpoint(Path(trainer.args.output_dir))
    if checkpoint:
        say(f"continuing from {checkpoint.name}")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)


def _fidelity(imitation: Imitation, rows: Any, pad: Any, theirs: Floats) -> Fidelity:
    network = ComplaintNetwork(imitation.student, theirs.shape[1], dict.fromkeys(HEADS, 1))
    mine = encode_with(network, rows, pad, None).vectors
    deviation = imitation.vector_deviation.numpy()
    errors, spread = (mine - theirs) / deviation, (theirs - theirs.mean(axis=0)) / deviation
    explained = 1.0 - float((errors**2).sum() / (spread**2).sum())
    with torch.no_grad():
        of_student, of_teacher = (imitation.logits(torch.from_numpy(vectors)) for vectors in (mine, theirs))
    divergence, agreement = {}, {}
    for head in of_student:
        student, teacher = (log_softmax(logits[head].numpy(), axis=1) for logits in (of_student, of_teacher))
        divergence[head] = float((np.exp(teacher) * (teacher - student)).sum(axis=1).mean())
        agreement[head] = float((student.argmax(axis=1) == teacher.argmax(axis=1)).mean())
    return Fidelity(len(rows), explained, divergence, agreement)


def _save(student: Any, tokenizer: Any, fidelity: Fidelity, out: Path) -> None:
    """Write the student's folder; a kill leaves either the whole of it or none."""
    with atomic_folder(out) as partial:
        student.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        (partial / FIDELITY).write_text(json.dumps(asdict(fidelity), indent=1), encoding="utf-8")
