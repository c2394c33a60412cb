"""The engine test vectors that Flagsmith publishes, where a checkout of them is at hand.

They carry no licence, so they are not part of this repository: set `ENGINE_TEST_DATA` to a checkout
of github.com/Flagsmith/engine-test-data to run them.
"""

import json
import os
import re
from pathlib import Path

import pytest

from engine.compiler import compile_context
from engine.subjects import Identity

_FOLDER = os.environ.get("ENGINE_TEST_DATA", "")
_FILES = sorted(Path(_FOLDER, "test_cases").glob("*.json*")) if _FOLDER else []

_TEXT_OR_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*')


def without_comments(text):
    return _TEXT_OR_COMMENT.sub(lambda found: found[1] or "", text)


def test_comments_are_taken_out_of_a_vector_but_not_out_of_its_text():
    assert without_comments('{"a": "http://x\\"//"} // note') == '{"a": "http://x\\"//"} '


@pytest.mark.skipif(not _FILES, reason="ENGINE_TEST_DATA names no checkout of the published test vectors")
@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_a_published_vector_evaluates_to_its_result(path):
    vector = json.loads(without_comments(path.read_text()))
    context = vector["context"]
    compiled = compile_context(context)
    given = context.get("identity")

    if given:
        identity = Identity(given["identifier"], given.get("traits") or {}, given.get("key"))
        evaluation = compiled.evaluate(identity)
    else:
        evaluation = compiled.evaluate_segments_without_identity()

    assert evaluation.to_result() == vector["result"]
