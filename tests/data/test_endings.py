import numpy as np
import pytest
import torch

from neurobar.data.endings import call_command, lacks_memory


def raising(error):
    def main():
        raise error

    return main


def test_what_ends_well_says_nothing(capsys):
    call_command(lambda: None)
    assert capsys.readouterr() == ("", "")


def allocate_too_much_with_numpy():
    np.ones((1 << 50,), np.uint8)


def allocate_too_much_with_torch():
    torch.ones(1 << 50)


@pytest.mark.parametrize("main", [allocate_too_much_with_numpy, allocate_too_much_with_torch])
def test_no_memory_is_said_in_one_sentence_that_names_the_settings(main):
    with pytest.raises(SystemExit, match=r"^There is not enough memory .*training\.mem_mb.*streamed.*microbatch\)\.$"):
        call_command(main)


def test_what_a_file_system_refuses_is_said_as_it_is():
    with pytest.raises(SystemExit, match=r"^table.tsv could not be written"):
        call_command(raising(OSError("table.tsv could not be written")))


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), KeyError("age")])
def test_a_fault_of_the_code_keeps_its_traceback(error):
    with pytest.raises(type(error)):
        call_command(raising(error))


def test_what_pytorch_says_of_a_gpu_is_known():
    assert lacks_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert not lacks_memory(ValueError("out of memory"))
