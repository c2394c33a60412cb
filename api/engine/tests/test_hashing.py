import pytest

from engine.hashing import percentage_for


@pytest.mark.parametrize(
    ("ids", "percentage"),
    [
        (("78986", "test_env_foobar"), 54.53090618123625),
        (("78986", "32103813"), 49.27985597119424),
        (("12345", "test_env_foobar"), 51.990398079615915),
        (("1", "1"), 84.97699539907981),
        (("1", "2"), 26.59531906381276),
        (("1", "8"), 38.88777755551111),
    ],
)
def test_ids_hash_to_the_percentage_that_every_sdk_computes(ids, percentage):
    assert percentage_for(ids) == percentage


def test_ids_that_would_be_at_100_are_hashed_again_repeated():
    assert percentage_for(("1", "8931")) == 45.779155831166236


def test_the_order_of_ids_matters():
    assert percentage_for(("1", "2")) != percentage_for(("2", "1"))


def test_text_that_utf_8_cannot_hold_is_hashed_all_the_same():
    assert 0 <= percentage_for(("1", "\ud800")) < 100
