"""What follows what, in jobs: written down from what each rule reads, and not taken from a plan.

The study of a sheet has 4 scans, and an external cohort has 3. There are 2 folds and 1 seed, so whatever is trained is
trained twice. See `studies.py` for its tables.
"""

from changes.studies import TABLES

Jobs = dict[str, int]

OWN, CLINIC, FOLDS = 4, 3, 2
NOTHING: Jobs = {}


def scans(count: int) -> Jobs:
    """Return the jobs of some scans: intermediate volumes are gone, so whatever reads one begins with the raw scan."""
    return dict.fromkeys(["register_scan", "strip_skull", "correct_bias", "resample_scan", "check_scan"], count)


def tables_with(tasks: tuple[str, ...]) -> int:
    """Count the tables that show any of some tasks."""
    return sum(bool({*tasks} & {*rows}) for rows in TABLES.values())


def shown(*tasks: str, controls: int = 0) -> Jobs:
    """Return the jobs that lay out the tables with some tasks, and controls, which have no figures."""
    count = tables_with(tasks)
    return {"write_table": count + controls} | ({"draw_scores": count} if count else {})


def compared(*tasks: str, controls: int = 0) -> Jobs:
    """Return the jobs of the tables with some tasks, and of controls."""
    return {"compare_tasks": tables_with(tasks) + controls} | shown(*tasks, controls=controls)


def scored(*tasks: str, controls: int = 0) -> Jobs:
    """Return the jobs that follow new predictions of some tasks of tables, and of the one task of each control."""
    return {"score_predictions": len(tasks) + controls} | compared(*tasks, controls=controls)


def audited(count: int) -> Jobs:
    """Return the audits of some tasks, each of which says what its jobs saw."""
    return {"audit_training": count}


def finetuned(count: int) -> Jobs:
    """Return the jobs of some tasks that are trained, and the figure of how they were."""
    return {"finetune_classifier": FOLDS * count, "predict_scans": FOLDS * count, "draw_training": 1}


# Of the task that is explained, drawn by its tokens, exported and applied.
EXPLAINED = {"explain_regions": FOLDS, "summarise_regions": 1, "draw_explanation": 1}
FURTHER_EXPLAINED = EXPLAINED | {"draw_tokens": 1, "audit_training": 1}
SHOWN = EXPLAINED | {"draw_tokens": 1, "export_model": 1, "apply_classifier": FOLDS}

PACKED = {"judge_scans": 1, "pack_volumes": 1}
JUDGED_EXTERNAL = {"judge_external": 1, "pack_external": 1, "list_external": 1}
# Two splits: that of the study and the control's.
LANDMARKS = {"fit_landmarks": 2 * FOLDS, "audit_folds": 2}
SPLIT = {"make_folds": 2} | LANDMARKS

CUTMIX = {"pretrain_encoder": FOLDS} | finetuned(1) | audited(1) | scored("cutmix")
CONTRASTIVE = {"pretrain_encoder": FOLDS} | finetuned(1) | audited(1) | scored("contrastive")
BAR_FINETUNED = finetuned(1) | SHOWN | audited(2) | scored("bar_recon", "bar_recon_clinic")
BAR = {"pretrain_encoder": FOLDS, "draw_views": 1} | BAR_FINETUNED
AGE_SEX = {"fit_regression": FOLDS} | audited(1) | scored("age_sex")
REGIONAL = {"fit_regression": 2 * FOLDS} | audited(2) | scored("regional_volumes", controls=1)
APPLIED = {"apply_classifier": FOLDS} | audited(1) | scored("bar_recon_clinic")

# Three tasks start from a run; the fourth starts afresh, in a table without the others.
STARTED = ("contrastive", "cutmix", "bar_recon", "bar_recon_clinic")
PRETRAINED = {"pretrain_encoder": 3 * FOLDS, "draw_views": 1} | finetuned(3) | SHOWN | audited(4) | scored(*STARTED)
NETWORKS = ("scratch", *STARTED)
FINETUNED = finetuned(4) | SHOWN | audited(5) | scored(*NETWORKS)
TRAINED = PRETRAINED | FINETUNED

MEASURED = {"measure_regions": 1, "fit_regression": 2 * FOLDS}
EVERYTHING_SCORED = audited(8) | scored(*NETWORKS, "regional_volumes", "age_sex", controls=1)
AFTER_SPLIT = (
    SPLIT
    | TRAINED
    | {"fit_regression": 3 * FOLDS, "draw_cohort": 1, "draw_checks": 1, "draw_views": 1}
    | EVERYTHING_SCORED
)
AFTER_COHORT = PACKED | {"measure_regions": 1} | AFTER_SPLIT
# Landmarks and volumes are of the array of scans; who is in which part is not, nor what goes by age and sex alone.
AFTER_PACKING = (
    {"pack_volumes": 1, "draw_checks": 1}
    | LANDMARKS
    | TRAINED
    | MEASURED
    | audited(7)
    | scored(*NETWORKS, "regional_volumes", controls=1)
)
# Who is ignored decides who is judged, in external cohorts as well.
AFTER_CHOICE = JUDGED_EXTERNAL | AFTER_COHORT
AFTER_ATLAS = {"fetch_atlas": 1} | PRETRAINED | MEASURED | audited(6) | scored(*STARTED, "regional_volumes", controls=1)
ALL_SCANS = scans(OWN + CLINIC) | JUDGED_EXTERNAL | AFTER_COHORT
EVERYTHING = {"fetch_template": 1, "fetch_atlas": 1} | ALL_SCANS
CLINIC_LISTED = {"list_external": 1} | APPLIED
CLINIC_JUDGED = JUDGED_EXTERNAL | APPLIED

TABLES_WRITTEN = {"write_table": len(TABLES) + 1}
ALL_COMPARED = {"compare_tasks": len(TABLES) + 1, "draw_scores": len(TABLES)} | TABLES_WRITTEN
ALL_SCORED = {"score_predictions": 8} | ALL_COMPARED
ALL_DRAWN = {
    "draw_cohort": 1,
    "draw_checks": 1,
    "draw_views": 1,
    "draw_training": 1,
    "draw_scores": len(TABLES),
    "draw_tokens": 1,
    "draw_explanation": 1,
}
PREDICTED = {"predict_scans": 4 * FOLDS, "apply_classifier": FOLDS, "export_model": 1} | audited(1) | scored(*NETWORKS)

EACH_FOLD = ("fit_landmarks", "pretrain_encoder", "finetune_classifier", "predict_scans", "apply_classifier")
EACH_FOLD += ("fit_regression", "explain_regions")
FURTHER_FOLD = AFTER_SPLIT | {rule: AFTER_SPLIT[rule] // FOLDS * (FOLDS + 1) for rule in EACH_FOLD}
# The encoders and classifiers that are there stay as they are; what sums up over seeds is done again.
FURTHER_SEED = {"pretrain_encoder": 3 * FOLDS, "fit_regression": 3 * FOLDS} | finetuned(4) | EXPLAINED | audited(8)
FURTHER_SEED |= {"apply_classifier": FOLDS, "export_model": 1} | ALL_SCORED
ALL_REGRESSED = {"fit_regression": 3 * FOLDS} | audited(3) | scored("regional_volumes", "age_sex", controls=1)
CONTROL_SPLIT = {"make_folds": 1, "fit_landmarks": FOLDS, "audit_folds": 1, "fit_regression": FOLDS}
CONTROL_SPLIT |= audited(1) | scored(controls=1)

# Of the simulated study: one task, which starts afresh and is explained.
AFTER_SIMULATED_COHORT = PACKED | {
    "make_folds": 1,
    "fit_landmarks": FOLDS,
    "audit_folds": 1,
    **finetuned(1),
    **EXPLAINED,
    "score_explanation": 1,
    "draw_tokens": 1,
    "audit_training": 1,
    "score_predictions": 1,
    "compare_tasks": 1,
    "write_table": 1,
    "draw_scores": 1,
    "draw_cohort": 1,
    "draw_checks": 1,
    "draw_views": 1,
}
