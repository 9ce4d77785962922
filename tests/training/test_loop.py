import pytest
import torch
from torch import nn

from neurobar.training.devices import choose_device
from neurobar.training.loop import train

SETTINGS = {"epochs": 3, "rate": 0.1, "schedule": "constant", "warmup": 0.0}


def run(losses_of, model, **changes):
    return train(
        model,
        plan_epoch=lambda epoch: [torch.tensor([1.0]), torch.tensor([3.0])],
        losses_of=lambda _, batch, generator: losses_of(batch, generator),
        after_epoch=lambda epoch: {"after": epoch * 10.0},
        settings=SETTINGS | changes,
        seeds=(0,),
        device=choose_device(device="cpu", threads=1, precision="float32"),
    )


def test_history_holds_means_and_figures_of_each_epoch(capsys):
    model = nn.Linear(1, 1)
    history = run(lambda batch, _: {"loss": batch.sum() + 0 * model.weight.sum(), "part": batch.sum()}, model)
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert [row["loss"] for row in history] == [2, 2, 2]
    assert [row["part"] for row in history] == [2, 2, 2]
    assert [row["after"] for row in history] == [0, 10, 20]
    progress = capsys.readouterr().out.splitlines()
    assert len(progress) == 3
    assert "epoch 2/3  loss 2  part 2  rate 0.1  after 10" in progress[1]
    assert progress[1].endswith("s left")


def test_steps_equal_those_of_adam_by_hand():
    torch.manual_seed(0)
    model, peer = nn.Linear(1, 1), nn.Linear(1, 1)
    peer.load_state_dict(model.state_dict())
    run(lambda batch, _: {"loss": (model(batch.view(1, 1)) ** 2).sum()}, model)
    optimiser = torch.optim.Adam(peer.parameters(), lr=0.1)
    for _ in range(3):
        for value in (1.0, 3.0):
            optimiser.zero_grad()
            (peer(torch.tensor([[value]])) ** 2).sum().backward()
            optimiser.step()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), peer.parameters(), strict=True))


def test_every_epoch_has_a_generator_of_its_own():
    model, draws = nn.Linear(1, 1), []

    def losses_of(_batch, generator):
        draws.append(float(torch.rand(1, generator=generator)))
        return {"loss": model.weight.sum()}

    run(losses_of, model)
    run(losses_of, model)
    assert draws[:6] == draws[6:]
    assert len(set(draws[:6])) == 6


def test_a_loss_that_is_not_finite_ends_the_training():
    model = nn.Linear(1, 1)
    with pytest.raises(FloatingPointError, match="smaller rate"):
        run(lambda batch, _: {"loss": model.weight.sum() * float("nan")}, model)
