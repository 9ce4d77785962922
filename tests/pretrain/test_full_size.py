"""The paper's model at the paper's size, a few steps of it."""

import math

import numpy as np
import pytest
import torch
import yaml

from neurobar.data.atlases import locate_aal2, read_atlas
from neurobar.fetch.fetch_atlas import resample_regions
from neurobar.models.autoencoder import EncoderWithDecoder
from neurobar.models.classifier import Classifier
from neurobar.pretrain.batches import plan_batches
from neurobar.pretrain.pretrain_encoder import losses_of_batch
from neurobar.training.devices import choose_device
from neurobar.training.loop import train
from neurobar.transforms.regions import RegionMap


@pytest.mark.slow
def test_the_full_model_takes_three_steps_of_pretraining_and_of_finetuning(root):
    study = yaml.safe_load((root / "studies" / "bar_adni.yaml").read_text())
    config = yaml.safe_load((root / "config.yaml").read_text())
    run = config["pretrain"] | study["pretrain"] | config["runs"]["bar_recon"] | {"epochs": 3}
    device = choose_device(device="cpu", threads=2, precision="float32")
    torch.manual_seed(0)
    regions = RegionMap.of(torch.from_numpy(resample_regions(read_atlas(*locate_aal2()))))
    model = EncoderWithDecoder(regions.shape, study["encoder"])
    assert sum(p.numel() for p in model.encoder.parameters()) == 74_194_176
    assert sum(p.numel() for p in model.decoder.parameters()) == 787_473
    volumes, labels = torch.rand(4, 1, *regions.shape).half(), torch.tensor([0.0, 1.0, 0.0, 1.0])
    steps = {"settings": run | {"warmup": 0.0}, "seeds": (0,), "device": device, "after_epoch": lambda epoch: {}}

    def plan_epoch(epoch):
        return plan_batches(np.arange(4), batch=4, beta=run["beta"], donor=run["donor"], seeds=(epoch,))

    def losses_of(called, batch, generator):
        anchor, donor, ratio = map(torch.from_numpy, batch)
        scans, pairs = (volumes[anchor], volumes[donor]), (labels[anchor], labels[donor])
        return losses_of_batch(
            called, scans, pairs, ratio, regions=regions, settings=run, device=device, generator=generator
        )

    history = train(model, plan_epoch=plan_epoch, losses_of=losses_of, **steps)
    assert history[-1]["reconstruction"] < history[0]["reconstruction"]

    classifier = Classifier(encoder=model.encoder, width=768, hidden=[128, 64])
    assert sum(p.numel() for p in classifier.head.parameters()) == 106_753

    before = classifier.encoder.patch_embedding.weight.detach().clone()

    def cross_entropy(called, rows, _):
        logits = called(volumes[rows].float())
        return {"loss": torch.nn.functional.binary_cross_entropy_with_logits(logits, labels[rows])}

    history = train(classifier, plan_epoch=lambda epoch: [torch.arange(4)], losses_of=cross_entropy, **steps)
    assert [math.isfinite(row["loss"]) for row in history] == [True] * 3
    assert not torch.equal(before, classifier.encoder.patch_embedding.weight)
