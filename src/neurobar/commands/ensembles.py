"""All models of an exported task, asked about one scan: how probable, and why."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from neurobar.commands.exported import Exported
from neurobar.data.atlases import read_regions
from neurobar.data.cohorts import Cohort
from neurobar.data.volumes import GRID_SPACING_MM
from neurobar.explain.explain_regions import read_names, replace_each_region
from neurobar.models.classifier import Classifier
from neurobar.preprocess.pack_volumes import pack
from neurobar.training.checkpoints import read_weights
from neurobar.training.classifiers import load_classifier, predict_logits, probabilities
from neurobar.training.devices import Device
from neurobar.training.scans import Scans, read_landmarks
from neurobar.transforms.attributions import integrate_gradients, mark_each_region, sum_by_region
from neurobar.transforms.grids import coarsen_atlas
from neurobar.transforms.regions import RegionMap

STEPS = 16  # of the path along which gradients are integrated
#: What is said of each region.
MEASURES = ("change", "integrated_gradient")


class Ensemble:
    """The models of all folds and seeds; each is read when it is its turn, so that one at a time is in memory.

    Parameters
    ----------
    exported : Exported
    device : Device

    Raises
    ------
    ValueError
        If the table of regions and the atlas do not belong together.
    """

    def __init__(self, exported: Exported, device: Device) -> None:
        self.exported, self.device = exported, device
        self.coarsen = round(exported.config["voxel_mm"] / GRID_SPACING_MM)
        atlas = torch.from_numpy(read_regions(exported.fetched / "atlas.nii.gz"))
        self.regions = RegionMap.of(coarsen_atlas(atlas, self.coarsen).to(device.place))
        self.names = read_names(str(exported.fetched / "regions.tsv"), self.regions)
        self.marked = mark_each_region(self.regions)

    def ask(self, volume: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Predict a scan with every model and explain each answer.

        Parameters
        ----------
        volume : pathlib.Path
            The brain on the grid, as `resample_scan` wrote it.

        Returns
        -------
        predictions : pandas.DataFrame
            One row for each model: fold, seed and probability (of class 1).
        regions : pandas.DataFrame
            From `rank_regions`.
        """
        cohort, answers, owed = self._pack(volume), [], []
        for fold, seed in self.exported.members:
            scans = self._standardise(cohort, fold)
            model = load_classifier(self.exported.classifier(fold, seed)).to(self.device.place).requires_grad_(False)
            probability = probabilities(predict_logits(model, scans, batch=1, device=self.device))
            answers.append({"fold": fold, "seed": seed, "probability": float(probability[0])})
            owed.append(self._explain(model, scans.take(np.array([0])), fold))
        return pd.DataFrame(answers), rank_regions(self.names, np.stack(owed, axis=1))

    def _pack(self, volume: Path) -> Cohort:
        """Bring a volume into the form that training read: a cohort of one."""
        with TemporaryDirectory() as folder:
            packed = Path(folder, "cohort.npy")
            percentiles = pack([volume], packed, self.exported.config["percentiles"])
            return Cohort(np.load(packed), percentiles, [volume.parent.name])

    def _standardise(self, cohort: Cohort, fold: int) -> Scans:
        landmarks, place = read_landmarks(self.exported.landmarks(fold)), self.device.place
        return Scans(cohort, np.array([0]), landmarks, coarsen=self.coarsen, place=place, how="held")

    def _explain(self, model: Classifier, scan: Tensor, fold: int) -> np.ndarray:
        """Return for each of `MEASURES` what the answer of one model owes to each region, float64 (2, K)."""
        healthy = read_weights(self.exported.healthy(fold))[0]["mean"].to(self.device.place)
        changes = replace_each_region(model, scan, healthy, self.marked)[0]
        gradients = integrate_gradients(model, scan.float(), healthy.float(), steps=STEPS)
        return np.stack([changes, sum_by_region(gradients, self.regions)[0].cpu().numpy()])


def rank_regions(names: list[str], owed: np.ndarray) -> pd.DataFrame:
    """Average over models what their answers owe to each region.

    Parameters
    ----------
    names : list of str
        Of region 1, 2, ...
    owed : float (2, M, K)
        For each of `MEASURES`, model and region.

    Returns
    -------
    pandas.DataFrame
        One row for each region, the largest mean change first, of whichever sign: rank, region (its number), name, and
        for each measure its mean over models and `_sd`, missing where there is one model. `change` is the probability
        less that with the region replaced by that of the mean healthy scan; `integrated_gradient` is of the logit.
    """
    table = pd.DataFrame({"region": np.arange(1, len(names) + 1), "name": names})
    for measure, values in zip(MEASURES, owed, strict=True):
        of_models = pd.DataFrame(values)  # (M, K)
        table[measure], table[f"{measure}_sd"] = of_models.mean(), of_models.std()
    ranked = table.sort_values("change", key=np.abs, ascending=False, kind="stable", ignore_index=True)
    ranked.insert(0, "rank", ranked.index + 1)
    return ranked
