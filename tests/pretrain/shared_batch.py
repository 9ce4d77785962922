"""Losses and gradients of one batch, on one device or shared by several: `python shared_batch.py DEVICES OUTPUT`."""

import json
import sys
from pathlib import Path

import torch
import yaml
from safetensors.torch import save_file

from neurobar.models.autoencoder import EncoderWithDecoder
from neurobar.pretrain.pretrain_encoder import losses_of_batch
from neurobar.training.devices import choose_device, seed_everything
from neurobar.transforms.regions import RegionMap

SHAPE = (16, 24, 32)
SCANS = 5  # which two devices cannot share evenly


def main(devices, output):
    config = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
    run = config["pretrain"] | config["runs"]["bar_recon"]
    run |= {"inner_cuts": {"count": 2, "size": 3}, "outer_cuts": {"count": 2, "size": 9}}
    device = choose_device(device="cpu", threads=1, precision="float32", devices=devices)
    generator = seed_everything(3, device=device.place, rank=device.rank)
    atlas = torch.zeros(SHAPE, dtype=torch.long)
    atlas[2:14, 2:22, 2:30] = torch.arange(1, 29) // 5 + 1
    torch.manual_seed(3)
    model = EncoderWithDecoder(SHAPE, {"patch": 8, "width": 12, "layers": 1, "heads": 2})
    scans = tuple(torch.rand(2, SCANS, 1, *SHAPE, generator=torch.Generator().manual_seed(4)).half())
    labels = (torch.tensor([0.0, 1, 0, 1, 1]), torch.tensor([1.0, 0, 0, 1, 0]))
    called = device.prepare(model)  # it averages gradients for as long as it is held
    losses = losses_of_batch(
        called,
        scans,
        labels,
        torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9]),
        regions=RegionMap.of(atlas),
        settings=run,
        device=device,
        generator=generator,
    )
    device.backward(losses["loss"])
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    figures = json.dumps({name: float(value.detach()) for name, value in losses.items()})
    save_file(gradients, f"{output}/rank-{device.rank}.safetensors", metadata={"losses": figures})


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
