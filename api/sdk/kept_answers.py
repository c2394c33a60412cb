"""Flags of identities that are asked for again and again, kept as they were joined.

What an identity is served depends on the snapshot, its identifier and its traits, and most requests bring
what the last one of the same identity brought. What comes for the first time is only noted: a crowd that
never comes again takes no memory and drives nobody out.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple, TypeAlias

from django.conf import settings

# Which protocol, snapshot and kind of key, which identifier, and its traits in JSON.
Question: TypeAlias = tuple[str, int, bool, str, bytes]

# How many questions are remembered as asked once. Each takes about 100 bytes.
_MOST_NOTED = 20_000


class Answer(NamedTuple):
    """A body; with a tag where the protocol has one."""

    body: bytes
    tag: str = ""


class KeptAnswers:
    """Answers by what they answer, the longest unused leaving first. For use by several threads.

    Args:
        most_bytes: what they and their questions may take together.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._answers: OrderedDict[Question, Answer] = OrderedDict()
        self._noted: set[int] = set()
        self._size_bytes = 0

    def answer(self, question: Question, make: Callable[[], Answer]) -> Answer:
        """Return what answers `question`, which `make` makes where it isn't kept."""
        with self._lock:
            answer = self._answers.get(question)
            if answer is not None:
                self._answers.move_to_end(question)
                return answer
        answer = make()
        with self._lock:
            if self._has_been_asked(question):
                self._keep(question, answer)
        return answer

    def _has_been_asked(self, question: Question) -> bool:
        noted = hash(question)
        if noted in self._noted:
            self._noted.discard(noted)
            return True
        if len(self._noted) >= _MOST_NOTED:
            self._noted.clear()
        self._noted.add(noted)
        return False

    def _keep(self, question: Question, answer: Answer) -> None:
        if question in self._answers:
            return
        self._answers[question] = answer
        self._size_bytes += _size_bytes(question, answer)
        while self._size_bytes > self._most_bytes:
            self._size_bytes -= _size_bytes(*self._answers.popitem(last=False))


def _size_bytes(question: Question, answer: Answer) -> int:
    """Return about how much memory an answer takes with its question, whose traits may be as long."""
    *_, identifier, traits = question
    return len(answer.body) + len(identifier) + len(traits)


kept_answers = KeptAnswers(settings.KEPT_ANSWERS_BYTES)
