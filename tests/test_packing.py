"""What is long in the scores, as text and back."""

import numpy as np
import pytest

from stages.scoring.packing import pack, unpack


@pytest.mark.parametrize("reviews", [1, 7, 8, 9, 1000])
def test_what_is_packed_is_unpacked(reviews: int) -> None:
    correct = np.random.default_rng(0).random(reviews) < 0.5
    assert (unpack(pack(correct), reviews) == correct).all()
    assert pack(np.array([True, False, True])) == "oA=="  # 1010 0000
