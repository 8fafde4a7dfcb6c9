"""Every error of the tree is answered with a status of its own choice."""

import json

import pytest

from data.errors import TsurError
from serving.http.errors import STATUS, from_tsur_error


def tree(root: type[TsurError]) -> list[type[TsurError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in tree(child))]


def test_every_error_class_has_one_status_and_no_other_is_listed():
    assert set(STATUS) == set(tree(TsurError))
    assert all(400 <= status < 600 for status in STATUS.values())


@pytest.mark.parametrize("kind", tree(TsurError), ids=lambda kind: kind.__name__)
def test_an_error_is_answered_with_its_status_and_code(kind):
    answer = from_tsur_error(kind("so it is", where="here"))
    assert answer.status_code == STATUS[kind]
    expected = {"code": kind.code, "message": "so it is", "details": [{"where": "where", "problem": "here"}]}
    assert json.loads(answer.body)["error"] == expected
