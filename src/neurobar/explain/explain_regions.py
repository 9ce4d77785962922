"""Explain the prediction of each test scan by region, in two ways that check each other.

Each region is replaced by the same region of a few healthy training scans, which is the mixing of pre-training itself,
and the change of the predicted probability is averaged over these donors. Beside it stand the integrated gradients of
the logit from the mean healthy training scan to the scan, summed over the voxels of each region.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from neurobar.data.atlases import read_regions
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.training.classifiers import load_classifier
from neurobar.training.command import FoldOfCohort, cohort_parser, open_fold, run_command
from neurobar.transforms.attributions import integrate_gradients, mark_each_region, sum_by_region
from neurobar.transforms.grids import coarsen_atlas
from neurobar.transforms.regions import RegionMap
from neurobar.transforms.replacements import replace_voxels


def load_healthy(fold: FoldOfCohort, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Load what regions are replaced by and compared with.

    Parameters
    ----------
    fold : FoldOfCohort
        Remembers whose scans were used.
    count : int
        Donors that are drawn; all healthy training scans where there are fewer.
    seed : int

    Returns
    -------
    donors : float16 (J, 1, D, H, W)
        Drawn without replacement, the same for every test scan.
    mean : float32 (1, 1, D, H, W)
        Of all training scans of class 0.

    Raises
    ------
    ValueError
        If the fold has no training scan of class 0.
    """
    rows = fold.rows("train")
    healthy = rows.loc[rows["label"] == 0, "scan"].reset_index(drop=True)
    if healthy.empty:
        raise ValueError(f"Fold {fold.fold} has no training scan of class 0 that could give its regions.")
    scans, places = fold.scans_of(healthy, "train"), np.arange(len(healthy))
    drawn = np.sort(np.random.default_rng((seed, fold.fold)).choice(places, min(count, len(places)), replace=False))
    fold.seen["donor"] = healthy[drawn].tolist()
    mean = sum(scans.take(place).float() for place in np.split(places, len(places))) / len(places)
    return scans.take(drawn), mean


@torch.inference_mode()
def replace_each_region(model: nn.Module, scan: Tensor, donors: Tensor, marked: Tensor) -> np.ndarray:
    """Replace each region of a scan by that of each donor and ask the classifier again.

    Parameters
    ----------
    model : torch.nn.Module
        Maps ``(N, 1, D, H, W)`` to logits ``(N,)``, in evaluation mode.
    scan : float16 (1, 1, D, H, W)
    donors : float16 (J, 1, D, H, W)
    marked : bool (K + 1, 1, D, H, W)
        From `mark_each_region`.

    Returns
    -------
    float64 (J, K)
        Probability of the scan less its probability with the region replaced: positive where the region speaks for
        class 1. It is computed in float32, because one region may change less than bfloat16 can tell.
    """
    changes = []
    for donor in donors:
        mixed = replace_voxels(scan.expand_as(marked), donor.expand_as(marked), marked)
        probability = torch.sigmoid(model(mixed.float()).double())  # (K + 1,)
        changes.append(probability[0] - probability[1:])
    return torch.stack(changes).cpu().numpy()


def explain(
    fold: FoldOfCohort, model: nn.Module, regions: RegionMap, names: list[str], *, donors: int, steps: int, seed: int
) -> pd.DataFrame:
    """Explain the predictions of all test scans of a fold.

    Parameters
    ----------
    fold : FoldOfCohort
    model : torch.nn.Module
        On the device.
    regions : RegionMap
        On the device, on the grid that the model sees.
    names : list of str
        Name of region 1, 2, ...
    donors, steps : int
        Donors of each region, and points on the way of the integrated gradients.
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row for each scan and region: scan, subject, label, region, change (mean over donors), change_sd (over
        donors) and integrated_gradient (of the logit).
    """
    model.requires_grad_(False)
    given, healthy = load_healthy(fold, donors, seed)
    marked, tables = mark_each_region(regions), []
    scans = fold.scans("test")
    for row in fold.rows("test").itertuples():
        scan = scans.take(np.array([row.Index]))  # (1, 1, D, H, W)
        changes = pd.DataFrame(replace_each_region(model, scan, given, marked))  # (J, K)
        gradients = integrate_gradients(model, scan.float(), healthy, steps=steps)
        columns = {
            "region": names,
            "change": changes.mean(),
            "change_sd": changes.std(),  # missing where there is one donor
            "integrated_gradient": sum_by_region(gradients, regions)[0].cpu().numpy(),
        }
        tables.append(pd.DataFrame({"scan": row.scan, "subject": row.subject, "label": row.label, **columns}))
    return pd.concat(tables, ignore_index=True)


def read_names(path: str, regions: RegionMap) -> list[str]:
    """Read the names of the regions, and make sure that each has voxels.

    Parameters
    ----------
    path : str
        The table of `fetch_atlas`.
    regions : RegionMap

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If the table names another number of regions than the atlas holds on this grid.
    """
    names = pd.read_csv(path, sep="\t")["name"].tolist()
    if len(names) != regions.count:
        raise ValueError(f"{path} names {len(names)} regions, but the atlas has {regions.count} on this grid.")
    return names


def run_job(args: argparse.Namespace) -> None:
    """Explain and write the table and the scans that were seen."""
    fold = open_fold(args, alone=True)
    atlas = coarsen_atlas(torch.from_numpy(read_regions(args.atlas)), fold.coarsen)
    regions = RegionMap.of(atlas.to(fold.device.place))
    model = load_classifier(args.classifier).to(fold.device.place)
    names = read_names(args.regions, regions)
    table = explain(fold, model, regions, names, donors=args.donors, steps=args.steps, seed=args.seed)
    fold.write_seen(args.seen)
    with written_whole(args.explanation) as partial:
        table.to_csv(partial, sep="\t", index=False, float_format="%.6g", na_rep="n/a")


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = cohort_parser(__doc__)
    parser.add_argument("--atlas", required=True, help="regions on the grid, NIfTI")
    parser.add_argument("--regions", required=True, help="names of the regions, TSV")
    parser.add_argument("--classifier", required=True, help="weights, safetensors")
    parser.add_argument("--donors", type=int, required=True, help="healthy training scans that replace each region")
    parser.add_argument("--steps", type=int, required=True, help="points on the way of the integrated gradients")
    parser.add_argument("--explanation", required=True, help="what each scan owes to each region, TSV (output)")
    parser.add_argument("--seen", required=True, help="scans by role, TSV (output)")
    run_command(run_job, parser.parse_args(argv))


if __name__ == "__main__":
    call_command(main)
