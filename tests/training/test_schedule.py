import itertools

import pytest

from neurobar.training.schedule import rate_at


def test_rate_rises_then_falls_to_zero():
    rates = [rate_at(step, steps=10, rate=1.0, schedule="cosine", warmup=0.2) for step in range(11)]
    assert rates[:3] == [0.5, 1.0, 1.0]
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[2:]))
    assert rates[10] == pytest.approx(0)


def test_constant_rate_stays():
    assert {rate_at(step, steps=5, rate=0.3, schedule="constant", warmup=0.0) for step in range(5)} == {0.3}


def test_an_unknown_schedule_is_refused():
    with pytest.raises(ValueError, match="constant or cosine"):
        rate_at(1, steps=2, rate=1.0, schedule="step", warmup=0.0)
