"""The change table: what is changed in a study, and exactly which rules run again, with how many jobs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from changes import jobs as after
from changes.edits import (
    Edit,
    cell,
    content,
    everywhere,
    further_file,
    further_row,
    further_scan,
    line,
    removed,
    row_says,
    setting,
    sheet,
    statement,
    touched,
    without,
)
from changes.jobs import CLINIC, FOLDS, NOTHING, OWN, Jobs, audited, compared, finetuned, scans, scored, shown
from neurobar.simulate.list_simulated_scans import planned_scans

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())
ELSEWHERE = {"device": "cpu", "devices": 2, "threads": 2, "mem_mb": 3000, "cohort": "streamed", "microbatch": 2}
ELSEWHERE |= {"compile": True, "strategy": "ddp_find_unused_parameters_true"}
OTHER = {"scans": "other.tsv", "study": "other", "label": "dx"}


@dataclass(frozen=True)
class Row:
    """A row of the change table.

    Attributes
    ----------
    what : str
        What is changed, in words.
    jobs : dict of str to int
        How many jobs of each rule run again.
    edits : tuple of Edit
    study : str
        The study that is changed.
    """

    what: str
    jobs: Jobs
    edits: tuple[Edit, ...]
    study: str = "sheet"


def rows_of(study: str, rows: list[tuple]) -> list[Row]:
    """Return the rows of a study from what is changed, the jobs that follow, and the edits."""
    return [
        Row(what, {rule: count for rule, count in jobs.items() if count}, tuple(edits), study)
        for what, jobs, *edits in rows
    ]


def rows_of_scans() -> list[tuple]:
    """List settings from the cohort to its split."""
    judged = after.JUDGED_EXTERNAL | after.AFTER_COHORT
    group = sheet("own.tsv", lambda table: table.assign(group=["AD", "AD", "CN", "CN"]))
    seeded = setting("splits.permuted_labels.seed", 1)
    return [
        (
            "the name of the study",
            after.ALL_DRAWN | after.TABLES_WRITTEN | {"export_model": 1},
            setting("study", "ours"),
        ),
        ("the label that is predicted", after.AFTER_SPLIT, setting("cohort.label", "group"), group),
        ("the labels that are ignored", after.AFTER_CHOICE, setting("cohort.ignored", ["MCI"])),
        ("the name of an external cohort", shown("bar_recon_clinic"), setting("external.clinic.study", "yours")),
        ("an external cohort that nothing is applied to", NOTHING, setting("external.other", OTHER)),
        ("simulated scans where there is a sheet", NOTHING, setting("simulate.noise_share", 0.05)),
        ("another head", {"fetch_template": 1} | after.ALL_SCANS, setting("template.head", "head.nii.gz")),
        ("another atlas", after.AFTER_ATLAS, setting("atlas.image", "head.nii.gz")),
        ("a limit of the registration", after.ALL_SCANS, setting("preprocess.registration.smallest_correlation", 0.3)),
        ("the way of skull stripping", after.ALL_SCANS, setting("preprocess.skull_strip", "hd_bet")),
        ("the growth of masks", after.ALL_SCANS, setting("preprocess.mask_growth_mm", 2.0)),
        ("the knots of the bias", after.ALL_SCANS, setting("preprocess.n4_spline_mm", 150)),
        ("affine or deformable", after.ALL_SCANS, setting("preprocess.normalisation", "deformable")),
        ("a tool that is not used", NOTHING, setting("preprocess.hd_bet_device", "cuda")),
        ("a limit of the checks", judged, setting("preprocess.limits.overlap", [0.9, None])),
        ("a scan to keep", after.AFTER_COHORT, setting("preprocess.keep", ["b"])),
        ("a scan to leave out", after.AFTER_COHORT, setting("preprocess.exclude", ["b"])),
        ("an external scan to keep", after.CLINIC_JUDGED, setting("preprocess.keep", ["y"])),
        ("an external scan to leave out", after.CLINIC_JUDGED, setting("preprocess.exclude", ["y"])),
        ("percentiles", {"pack_external": 1} | after.AFTER_PACKING, setting("landmarks.percentiles", [1, 50, 99])),
        ("the number of folds", after.FURTHER_FOLD, setting("split.folds", FOLDS + 1)),
        ("the size of the test set", after.AFTER_SPLIT, setting("split.test_share", 0.3)),
        ("the split of a control", after.CONTROL_SPLIT, seeded),
    ]


def rows_of_training() -> list[tuple]:
    """List settings of what is trained, applied and fitted."""
    elsewhere = [setting(f"training.{key}", value) for key, value in ELSEWHERE.items()]
    further = setting("applied.cutmix_clinic", {"task": "cutmix", "cohort": "clinic"})
    applied = {"apply_classifier": FOLDS} | audited(1) | scored("bar_recon_clinic")
    return [
        ("a further seed", after.FURTHER_SEED, setting("seeds", [0, 1])),
        ("a network of another size", after.TRAINED, setting("encoder.width", 32)),
        ("the voxels that the network sees", after.TRAINED, setting("training.voxel_mm", 6)),
        ("the precision of the network", after.TRAINED, setting("training.precision", "bfloat16")),
        ("where and how training computes", NOTHING, *elsewhere),
        ("what all runs share", after.PRETRAINED, setting("pretrain.epochs", 17)),
        ("views of one run", after.CUTMIX | {"draw_views": 1}, setting("runs.cutmix.noise_regions", 0.3)),
        ("the loss of one run", after.CONTRASTIVE, setting("runs.contrastive.temperature", 0.2)),
        ("the loss of the run that restores", after.BAR, setting("runs.bar_recon.sigma", 0.5)),
        ("a run that no table needs", NOTHING, setting("runs.hard_labels.sigma", 0.5)),
        ("what all tasks share", after.FINETUNED, setting("finetune.rate", 1e-4)),
        ("one task", finetuned(1) | audited(1) | scored("scratch"), setting("tasks.scratch.epochs", 41)),
        ("the task that is explained", after.BAR_FINETUNED, setting("tasks.bar_recon.frozen", True)),
        ("a baseline", after.AGE_SEX, setting("baselines.age_sex.features", ["age"])),
        ("a further task applied", applied, further, further_row("clinic", "cutmix_clinic")),
    ]


def rows_of_results() -> list[tuple]:
    """List settings of scores, explanations and tables."""
    redrawn = {"summarise_regions": 1, "draw_explanation": 1, "export_model": 1}
    laid_out = {"write_table": 1, "draw_scores": 1}
    regions = row_says("mixing", "bar_recon", "method", "Regions")
    return [
        ("the threshold", after.ALL_SCORED | {"export_model": 1}, setting("evaluate.threshold", "selected")),
        ("the bootstrap", after.ALL_SCORED | redrawn, setting("evaluate.bootstrap.replicates", 1000)),
        ("the scores that are compared", after.ALL_COMPARED, setting("evaluate.compare", ["roc_auc"])),
        ("the donors of the explanation", after.EXPLAINED | audited(1), setting("explain.donors", 5)),
        ("a further task explained", after.FURTHER_EXPLAINED, setting("explain.tasks", ["bar_recon", "cutmix"])),
        ("the columns of the tables", after.TABLES_WRITTEN, setting("report.scores", ["accuracy"])),
        ("figures of the paper", after.TABLES_WRITTEN, setting("report.paper_figures", False)),
        ("the pictures in the report", {"draw_checks": 1}, setting("report.pictures", 100)),
        ("what the report calls scans", {"draw_checks": 1}, setting("report.anonymise", True)),
        ("the caption of a table", laid_out, setting("tables.mixing.caption", "Otherwise")),
        ("a note under a table", {"write_table": 1}, setting("tables.mixing.note", "Noted.")),
        ("the scores of a table", {"write_table": 1}, setting("tables.mixing.scores", ["accuracy"])),
        ("the reference of a table", compared("cutmix"), setting("tables.mixing.reference", "cutmix")),
        ("a figure of the paper", {"write_table": 1}, row_says("mixing", "cutmix", "paper", {"accuracy": [80, 1]})),
        ("the name of a method", laid_out, row_says("mixing", "cutmix", "method", "Boxes")),
        ("the name of the method explained", laid_out | {"draw_explanation": 1, "export_model": 1}, regions),
        ("a row of a task that is there", compared("cutmix"), further_row("mixing", "scratch")),
        ("a row of a new task and run", after.CUTMIX | {"draw_views": 1}, further_row("mixing", "recon")),
        ("a table less", NOTHING, without("tables", "clinic")),
        ("a note under a control", {"write_table": 1}, setting("controls.permuted.note", "Noted.")),
    ]


def rows_of_code() -> list[tuple]:
    """List a line of code in each package, and in each stage."""
    judged = after.JUDGED_EXTERNAL | after.AFTER_COHORT
    standardised = after.LANDMARKS | after.TRAINED | {"draw_checks": 1}
    jobs = {
        "fetch/fetch_template.py": {"fetch_template": 1} | after.ALL_SCANS,
        "fetch/fetch_atlas.py": after.AFTER_ATLAS,
        "preprocess/register_scan.py": after.ALL_SCANS,
        "preprocess/resample_scan.py": after.ALL_SCANS,
        "preprocess/check_scan.py": {"check_scan": OWN + CLINIC} | judged,
        "preprocess/judge_scans.py": judged,
        "preprocess/pack_volumes.py": {"pack_external": 1} | after.AFTER_PACKING,
        "data/volumes.py": after.EVERYTHING,
        "data/sheets.py": {"list_external": 1} | after.AFTER_SPLIT,
        "split/make_folds.py": after.AFTER_SPLIT,
        "split/fit_landmarks.py": standardised,
        "split/audit_folds.py": {"audit_folds": 2},
        "transforms/landmarks.py": standardised,
        "transforms/views.py": after.PRETRAINED,
        "transforms/mixings/boxes.py": after.CUTMIX | {"draw_views": 1},
        "transforms/attributions.py": after.EXPLAINED | audited(1),
        "losses/contrastive.py": after.PRETRAINED,
        "models/encoder.py": after.TRAINED,
        "models/classifier.py": after.FINETUNED,
        "training/loop.py": after.TRAINED,
        "pretrain/batches.py": after.PRETRAINED,
        "finetune/finetune_classifier.py": after.FINETUNED,
        "finetune/predict_scans.py": after.PREDICTED,
        "apply/apply_classifier.py": after.APPLIED,
        "apply/list_external.py": after.CLINIC_LISTED,
        "regress/measure_regions.py": {"measure_regions": 1} | after.REGIONAL,
        "regress/fit_regression.py": after.ALL_REGRESSED,
        "explain/explain_regions.py": after.EXPLAINED | audited(1),
        "explain/summarise_regions.py": {"summarise_regions": 1, "draw_explanation": 1},
        "metrics/classification.py": after.ALL_SCORED | {"export_model": 1},
        "evaluate/audit_training.py": audited(8),
        "evaluate/score_predictions.py": {"score_predictions": 8, "export_model": 1} | after.TABLES_WRITTEN,
        "evaluate/compare_tasks.py": after.ALL_COMPARED,
        "report/markup.py": after.TABLES_WRITTEN,
        "export/model_card.py": {"export_model": 1},
        "figures/style.py": after.ALL_DRAWN,
        "figures/pages.py": {"draw_checks": 1, "draw_cohort": 1} | after.TABLES_WRITTEN,
        "draw/cohort_flow.py": {"draw_cohort": 1},
        "draw/check_page.py": {"draw_checks": 1},
        "draw/hidden_views.py": {"draw_views": 1},
        "draw/histories.py": {"draw_training": 1},
        "draw/curves.py": {"draw_scores": 3},
        "draw/class_tokens.py": {"draw_tokens": 1},
        "draw/region_planes.py": {"draw_explanation": 1},
        "index/index_bids.py": NOTHING,
        "commands/check.py": NOTHING,
        "simulate/painting.py": NOTHING,
    }
    return [(f"code of {name}", jobs[name], statement(name)) for name in jobs]


def rows_of_words() -> list[tuple]:
    """List changes of code that are small, and those that are none."""
    modules, rules = "src/neurobar/**/*.py", "workflow/rules/*.smk"
    command = line("workflow/rules/report.smk", "python -m", "python -B -m")
    return [
        ("a number in a loss", after.PRETRAINED, line("losses/contrastive.py", "(2 * sigma**2)", "(3 * sigma**2)")),
        ("the version of the code", {"export_model": 1}, line("__init__.py", '"0.', '"9.')),
        ("the command of a rule", after.TABLES_WRITTEN, command),
        (
            "a module that nothing imports",
            NOTHING,
            further_file("src/neurobar/losses/further.py", 'def further():\n    """Add."""\n'),
        ),
        (
            "a comment in every module",
            NOTHING,
            everywhere(modules, r"^(import|from|def|class) ", r"# Otherwise.\n\g<0>"),
        ),
        ("every docstring", NOTHING, everywhere(modules, r'^( *""")(?=\w)', r"\1Otherwise. ")),
        ("blank lines in every module", NOTHING, everywhere(modules, r"^(?=(import|from|def|class) )", r"\n")),
        ("a comment in every rule file", NOTHING, everywhere(rules, r"\A|^rule", r"# Otherwise.\n\g<0>")),
        (
            "the sentence of every rule",
            NOTHING,
            everywhere("workflow/rules/[!c]*.smk", r'^    """', r"\g<0>Otherwise. "),
        ),
        ("a comment in the config", NOTHING, everywhere("config.yaml", r"^\w+:.*$", r"\g<0>  # otherwise")),
        ("a comment in the profile", NOTHING, everywhere("profiles/default/*.yaml", r"\A", "# Otherwise.\n")),
        ("a pin of an environment", NOTHING, line("envs/imaging.yaml", "pandas==", "pandas==9.")),
    ]


def rows_of_sheets() -> list[tuple]:
    """List changes of the sheet of the study, and of that of an external cohort."""
    new, external = scans(1) | after.AFTER_COHORT, scans(1) | after.CLINIC_JUDGED
    drawn = {"draw_cohort": 1, "draw_tokens": 1}
    rows = [
        ("a scan of a new subject", new, further_scan("own.tsv", "sub-new")),
        ("a further session of a subject", new, further_scan("own.tsv", "sub-a")),
        ("a scan less", after.AFTER_COHORT, sheet("own.tsv", lambda table: table[:-1])),
        ("the label of a scan", after.AFTER_SPLIT, cell("own.tsv", "diagnosis", "AD")),
        ("the age of a scan", after.AFTER_SPLIT, cell("own.tsv", "age", "81")),
        ("the sex of a scan", after.AFTER_SPLIT, cell("own.tsv", "sex", "M")),
        ("the subject of a scan", after.AFTER_SPLIT, cell("own.tsv", "subject", "sub-b")),
        ("the site of a scan", drawn, cell("own.tsv", "site", "south")),
        ("what was done to a scan", new, cell("own.tsv", "prepared", "unbiased")),
        ("the file of a scan", new, cell("own.tsv", "path", "other.nii.gz")),
        ("a mask where none is asked for", NOTHING, cell("own.tsv", "mask", "x_mask.nii.gz")),
        ("an external scan", external, further_scan("clinic.tsv", "sub-new")),
        ("an external scan less", after.CLINIC_JUDGED, sheet("clinic.tsv", lambda table: table[:-1])),
        ("the label of an external scan", after.CLINIC_LISTED, cell("clinic.tsv", "dx", "AD")),
        ("the age of an external scan", after.CLINIC_LISTED, cell("clinic.tsv", "age", "81")),
        ("the site of an external scan", NOTHING, cell("clinic.tsv", "site", "south")),
        ("what was done to an external scan", external, cell("clinic.tsv", "prepared", "unbiased")),
    ]
    for name, called in (("own.tsv", "the sheet"), ("clinic.tsv", "an external sheet")):
        rows += [
            (f"the order of the rows of {called}", NOTHING, sheet(name, lambda table: table[::-1])),
            (f"a column of {called} that nothing reads", NOTHING, sheet(name, lambda table: table.assign(mood="good"))),
            (f"the time of {called}", NOTHING, touched(name)),
        ]
    return rows


def rows_of_files() -> list[tuple]:
    """List changes of raw files, and results that are gone."""
    trained = {"pretrain_encoder": 1} | finetuned(1) | audited(1) | scored("cutmix")
    repacked = scans(1) | {"pack_external": 1} | after.AFTER_COHORT
    encoder = removed("results/pretrain/cutmix/fold-1/seed-0/encoder.safetensors")
    volume = removed("results/preprocess/a/volume.nii.gz")
    return [
        ("the content of a scan", scans(1) | after.AFTER_COHORT, content("a.nii.gz")),
        ("the content of an external scan", scans(1) | after.CLINIC_JUDGED, content("x.nii.gz")),
        ("the content of the atlas", after.AFTER_ATLAS, content("atlas.nii.gz")),
        ("the list of the atlas", after.AFTER_ATLAS, content("atlas.txt")),
        ("an encoder is gone, and what reads it is not", NOTHING, encoder),
        ("an encoder is gone, and its task has changed", trained, encoder, setting("tasks.cutmix.epochs", 41)),
        ("a volume is gone, and what reads it is not", NOTHING, volume),
        ("a volume is gone, and percentiles have changed", repacked, volume, setting("landmarks.percentiles", [1, 99])),
        ("an audit is gone", audited(1) | {"write_table": 1}, removed("results/evaluate/cutmix/audit.json")),
        ("a table is gone", {"write_table": 1}, removed("results/report/mixing.md")),
        ("figures are gone", {"draw_cohort": 1}, removed("results/draw/cohort")),
        ("an exported model is gone", {"export_model": 1}, removed("results/export/bar_recon")),
        ("logs and benchmarks are gone", NOTHING, removed("results/logs"), removed("results/benchmarks")),
    ]


def rows_of_simulation() -> list[tuple]:
    """List changes of the simulated study."""
    plans = ({"subjects": 4}, {"subjects": 5}, {"subjects": 4, "seed": 21})
    count, more, other = (len(planned_scans(CONFIG["simulate"] | plan)) for plan in plans)
    scored_again = {"measure_losses": 1, "score_explanation": 1}
    painted = {"simulate_scan": count, "measure_losses": 1} | scans(count) | after.AFTER_SIMULATED_COHORT
    new = painted | {"list_simulated_scans": 1}
    seeded = new | dict.fromkeys(("simulate_scan", *scans(1)), other)
    further = new | dict.fromkeys(("simulate_scan", *scans(1)), more - count)
    listed = statement("simulate/list_simulated_scans.py")
    return [
        ("the noise of simulated scans", new, setting("simulate.noise_share", 0.05)),
        ("the seed of simulated scans", seeded, setting("simulate.seed", 21)),
        ("a further simulated subject", further, setting("simulate.subjects", 5)),
        ("code that paints simulated scans", painted, statement("simulate/painting.py")),
        (
            "code that lists simulated scans",
            {"list_simulated_scans": 1} | scored_again | after.AFTER_SIMULATED_COHORT,
            listed,
        ),
        ("code that measures losses", scored_again, statement("simulate/measure_losses.py")),
        ("code of metrics/rankings.py", {"score_explanation": 1}, statement("metrics/rankings.py")),
    ]


def rows_of_masks() -> list[tuple]:
    """List changes of a study whose sheet gives masks, up to its preprocessed scans."""
    again, everyone = (scans(count) | after.PACKED for count in (1, OWN))
    return [
        ("another mask", again, cell("own.tsv", "mask", "x_mask.nii.gz")),
        ("the content of a mask", again, content("a_mask.nii.gz")),
        ("the growth of masks that is not used", NOTHING, setting("preprocess.mask_growth_mm", 2.0)),
        ("the template's mask in place of those", everyone, setting("preprocess.skull_strip", "atlas")),
        ("the content of the head", {"fetch_template": 1} | everyone, content("head.nii.gz")),
        ("a label where no more is asked for", NOTHING, cell("own.tsv", "diagnosis", "AD")),
    ]


def every_row() -> Iterator[Row]:
    """Yield all rows, one study after the other."""
    of_sheet = [
        rows_of_scans,
        rows_of_training,
        rows_of_results,
        rows_of_code,
        rows_of_words,
        rows_of_sheets,
        rows_of_files,
    ]
    for rows in of_sheet:
        yield from rows_of("sheet", rows())
    yield from rows_of("simulated", rows_of_simulation())
    yield from rows_of("supplied", rows_of_masks())


ROWS = list(every_row())
