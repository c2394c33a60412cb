"""What comes from a place that isn't trusted is whole and ours, or it is nothing."""

import uuid

import pytest

from documents.rows import RevisionName
from sdk.packing import pack, unpack

NAME = RevisionName(12, 345, uuid.UUID("8f9b4d5e-0d3c-4a0e-9f57-5d6b9c1f0b11"))
PACKED = pack(NAME, b"content " * 100)


def test_what_is_packed_comes_back_with_its_name():
    assert unpack(PACKED) == (NAME, b"content " * 100)


@pytest.mark.parametrize("length", [0, 3, 35, 36, 67, 68, len(PACKED) - 1])
def test_what_is_cut_off_is_nothing(length):
    assert unpack(PACKED[:length]) is None


def test_a_change_of_any_byte_is_noticed():
    for position in range(len(PACKED)):
        garbled = bytearray(PACKED)
        garbled[position] ^= 0x40
        assert unpack(bytes(garbled)) is None, position


@pytest.mark.parametrize("foreign", [None, 7, "text", b"", b"x" * 500, {"a": 1}])
def test_what_others_have_written_is_nothing(foreign):
    assert unpack(foreign) is None


def test_what_was_packed_with_another_secret_key_is_nothing(settings):
    settings.SECRET_KEY = "another"

    assert unpack(PACKED) is None
