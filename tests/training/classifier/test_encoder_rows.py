"""What an encoder knows of labels: which rows may be held out of a classifier on it, and which jobs are refused."""

from collections.abc import Callable

import pytest

from data.errors import InputError
from training.arguments import ClassifierTraining
from training.classifier.encoder_rows import encoder_rows, judged_by_unknown
from training.classifier.job import Job, prepare

ROWS = 200


@pytest.fixture
def job(sample) -> Callable[..., Job]:
    """A job on some rows of the sample, by keys of the recipe."""
    return lambda rows=ROWS, **keys: prepare(sample.head(rows), None, ClassifierTraining(**keys))


def known(job: Job, rows: slice) -> set[str]:
    """Keys of the rows at these positions."""
    return set(encoder_rows(set(), job.frame.iloc[rows])["complaints"])


def test_only_rows_that_the_encoder_does_not_know_are_judged(job):
    told: list[str] = []
    judged = judged_by_unknown(job(), known(job(), slice(0, 120)), told.append).judged
    assert judged.tolist() == list(range(120, ROWS))
    assert told == [
        "the encoder was taught the labels of 120 complaints; choices, calibration and figures go by the other 80"
    ]


def test_an_encoder_that_knows_none_of_the_complaints_changes_nothing(job, sample):
    others = set(encoder_rows(set(), sample.iloc[ROWS:])["complaints"])
    asked = job()
    assert judged_by_unknown(asked, others, print) is asked
    assert judged_by_unknown(asked, set(), print) is asked


def test_too_few_rows_that_it_does_not_know_are_refused_with_what_to_do(job):
    with pytest.raises(InputError, match=r"all of these complaints but 49, and 50 .* held_out_share=0\.2"):
        judged_by_unknown(job(), known(job(), slice(49, ROWS)), print)


def test_rows_kept_back_to_measure_by_must_be_unknown_to_it(job):
    asked = job(holdout=0.2)
    of_test = known(asked, asked.splits.test[:3])
    with pytest.raises(InputError, match=rf"3 of the {len(asked.splits.test)} complaints kept back .* their labels"):
        judged_by_unknown(asked, of_test, print)


def test_what_was_known_before_is_known_after(job):
    before = known(job(), slice(0, 10))
    assert set(encoder_rows(before, job().frame.iloc[5:20])["complaints"]) == known(job(), slice(0, 20))
