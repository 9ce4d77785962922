"""A classifier that was fine-tuned on the tiny cohort."""

import pytest

from neurobar.finetune import finetune_classifier


def run_finetuning(cohort, folder, settings, *extra):
    """Call the command and return the paths of its outputs."""
    folder.mkdir()
    outputs = {name: folder / name for name in ("classifier", "history", "seen")}
    words = [word for name, path in outputs.items() for word in (f"--{name}", str(path))]
    finetune_classifier.main([*cohort.arguments, *extra, "--settings", settings, *words])
    return outputs


@pytest.fixture(scope="session")
def finetune():
    """Return the command."""
    return run_finetuning


@pytest.fixture(scope="session")
def trained(tiny_cohort, tmp_path_factory):
    """Fine-tune long enough to learn the difference between the classes."""
    folder = tmp_path_factory.mktemp("trained") / "task"
    return run_finetuning(tiny_cohort, folder, tiny_cohort.settings_with(epochs=150, rate=5e-3))
