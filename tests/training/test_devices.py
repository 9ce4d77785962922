import pytest
import torch

from neurobar.training.devices import choose_device, seed_everything


def test_auto_takes_what_there_is():
    device = choose_device(device="auto", threads=1, precision="auto")
    assert device.place.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert torch.get_num_threads() == 1


def test_float32_is_kept_on_a_cpu_unless_asked_otherwise():
    assert not choose_device(device="cpu", threads=1, precision="auto").is_mixed
    assert choose_device(device="cpu", threads=1, precision="bfloat16").is_mixed


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="no CUDA device"):
        choose_device(device="cuda:3", threads=1, precision="auto")


def test_equal_numbers_give_equal_randomness_and_others_do_not():
    draws = []
    for numbers in [(0, 1, 2), (0, 1, 2), (0, 1, 3)]:
        generator = seed_everything(*numbers, device=torch.device("cpu"))
        draws.append((torch.rand(3), torch.rand(3, generator=generator)))
    assert torch.equal(draws[0][0], draws[1][0])
    assert torch.equal(draws[0][1], draws[1][1])
    assert not torch.equal(draws[0][0], draws[2][0])
    assert not torch.equal(draws[0][0], draws[0][1])
