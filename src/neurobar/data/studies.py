"""What a study asks for: which tables need which tasks, runs and splits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Settings = dict[str, Any]
#: Settings of a run that it learns by; no view of a scan is made by them.
LEARNING = ("epochs", "batch", "rate", "schedule", "warmup", "beta", "donor")
LEARNING += ("temperature", "sigma", "view_2_label", "contrast_weight")
#: What is printed of a table and of its rows, and is in no figure.
PRINTED = ("note", "scores", "paper")


@dataclass(frozen=True)
class Study:
    """The named settings of a checked config, each laid over what is shared.

    Attributes
    ----------
    config : dict
        Of `check_settings`.
    """

    config: Settings

    def split(self, name: str) -> Settings:
        """Return the settings of a split."""
        return self.config["split"] | self.config["splits"][name]

    def run(self, name: str) -> Settings:
        """Return the settings of a pre-training run."""
        return self.config["pretrain"] | self.config["runs"][name]

    def source_of(self, name: str) -> str:
        """Return the task or baseline whose models stand behind a name: itself, or the task that is applied."""
        return self.config["applied"].get(name, {"task": name})["task"]

    def task(self, name: str) -> Settings:
        """Return the settings of a task, which is fine-tuned, of the task that a name applies, or of a baseline."""
        baselines, name = self.config["baselines"], self.source_of(name)
        return baselines[name] if name in baselines else self.config["finetune"] | self.config["tasks"][name]

    @property
    def external(self) -> Settings:
        """External cohorts by their names, each laid over what the study says of its own."""
        return {name: self.config["cohort"] | cohort for name, cohort in self.config["external"].items()}

    def cohort_of(self, task: str) -> Settings:
        """Return the cohort that a task, a baseline or an applied task is tested on, with its name for readers."""
        if task in self.config["applied"]:
            return self.external[self.config["applied"][task]["cohort"]]
        return self.config["cohort"] | {"study": self.config["study"]}

    @property
    def tables(self) -> Settings:
        """Tables and controls by their names."""
        return self.config["tables"] | self.config["controls"]

    def tasks_of(self, tables: Iterable[str]) -> list[str]:
        """List the tasks, baselines and applied tasks that some tables show, each once, in their order."""
        return list(dict.fromkeys(row["task"] for name in tables for row in self.tables[name]["rows"]))

    def name_of(self, task: str) -> str:
        """Return the method that a task has in the first table that shows it."""
        rows = (row for table in self.tables.values() for row in table["rows"])
        return next((row["method"] for row in rows if row["task"] == task), task)

    @property
    def of_training(self) -> Settings:
        """What every training job is told; where and how it computes is no part of it, so that reruns nothing."""
        training = self.config["training"]
        return {"encoder": self.config["encoder"], "precision": training["precision"], "voxel_mm": training["voxel_mm"]}

    def told_run(self, name: str) -> str:
        """Return what a pre-training job is told, as JSON: editing one run's block reruns that run alone."""
        run = {key: value for key, value in self.run(name).items() if key != "split"}
        return json.dumps(self.of_training | {"pretrain": run})

    def told_views(self, names: Iterable[str]) -> str:
        """Return what the views of some runs are made by, as JSON; what the runs learn by is no part of it."""
        runs = {name: self.run(name) for name in names}
        return write_json({name: _without(run, LEARNING) for name, run in runs.items()})

    def told_figures(self, name: str) -> str:
        """Return what the figures of a table show, as JSON; what is only printed in it is no part of it."""
        table = _without(self.tables[name], PRINTED)
        return write_json(table | {"rows": [_without(row, PRINTED) for row in table["rows"]]})

    def told_task(self, name: str) -> str:
        """Return what a fine-tuning job is told, as JSON; its run and split are the business of its inputs."""
        task = {key: value for key, value in self.task(name).items() if key not in ("run", "split")}
        return write_json(self.of_training | {"finetune": task})

    def told_external(self, name: str) -> str:
        """Return what the list of an external cohort depends on, as JSON: where its label is and what it means."""
        return json.dumps({key: self.external[name][key] for key in ("label", "negative", "positive", "ignored")})

    def told_cohorts(self, tasks: Iterable[str]) -> str:
        """Return for each task the name of its cohort and what is predicted there, as JSON."""
        words = ("study", "label", "negative", "positive")
        return write_json([{word: self.cohort_of(task)[word] for word in words} for task in tasks])

    def runs_of(self, tasks: Iterable[str]) -> list[str]:
        """List the runs that some tasks start from."""
        return sorted({self.task(name).get("run") for name in tasks} - {None})

    def folder_of(self, task: str) -> str:
        """Return the folder of a task's jobs, from `results/`."""
        if task in self.config["applied"]:
            return f"apply/{task}"
        return f"{'regress' if task in self.config['baselines'] else 'finetune'}/{task}"

    def packed_of(self, tasks: Iterable[str]) -> list[str]:
        """List the table of the packed cohort that each of some tasks is tested on."""
        applied = self.config["applied"]
        folders = (f"apply/{applied[task]['cohort']}" if task in applied else "preprocess" for task in tasks)
        return [f"results/{folder}/cohort.tsv" for folder in folders]

    def of_jobs(self, folders: Iterable[str], name: str) -> list[str]:
        """List a file of every job, over folds and seeds, of some folders."""
        folds, seeds = range(self.config["split"]["folds"]), self.config["seeds"]
        return [
            f"results/{folder}/fold-{fold}/seed-{seed}/{name}" for folder in folders for fold in folds for seed in seeds
        ]

    def predictions_of(self, tasks: Iterable[str]) -> list[str]:
        """List the predictions of some tasks and baselines."""
        return self.of_jobs(map(self.folder_of, tasks), "predictions.tsv")

    def summaries_of(self, tasks: Iterable[str]) -> list[str]:
        """List the summarised scores of some tasks and baselines."""
        return [f"results/evaluate/{task}/summary.tsv" for task in tasks]

    def splits_of(self, tasks: Iterable[str]) -> list[str]:
        """List the name of the split that each of some tasks and baselines was trained in."""
        return [self.task(task)["split"] for task in tasks]

    def trained_of(self, tasks: Iterable[str]) -> list[str]:
        """List the file of the split that each of some tasks and baselines was trained in."""
        return [f"results/split/{split}/folds.tsv" for split in self.splits_of(tasks)]

    def external_of(self, tasks: Iterable[str]) -> list[str]:
        """List the file with the scans of the external cohort of each task that is applied to one."""
        applied = [self.config["applied"][task] for task in tasks if task in self.config["applied"]]
        return [f"results/apply/{one['cohort']}/folds.tsv" for one in applied]

    def folds_of(self, tasks: Iterable[str]) -> list[str]:
        """List the file with the test scans of each of some tasks: of its split, or of its external cohort."""
        return [path for task in tasks for path in self.external_of([task]) or self.trained_of([task])]

    def audits_of(self, tasks: Iterable[str]) -> list[str]:
        """List the audits of some tasks and baselines."""
        return [f"results/evaluate/{task}/audit.json" for task in tasks]

    def seen_of(self, task: str) -> list[str]:
        """List what the jobs behind a task say they saw: its pre-training, training, explanation and application."""
        run = self.task(task).get("run")
        folders = [self.folder_of(name) for name in dict.fromkeys([task, self.source_of(task)])]
        folders += [f"pretrain/{run}"] if run else []
        folders += [f"explain/{task}"] if task in self.config["explain"]["tasks"] else []
        return self.of_jobs(folders, "seen.tsv")


def _without(settings: Settings, keys: Iterable[str]) -> Settings:
    return {key: value for key, value in settings.items() if key not in keys}


def write_json(value: Any) -> str:
    """Write what a job of the report is told as JSON in which no web page finds markup.

    Snakemake lays it into a script of its report, which `</script>` in a name would end.

    Parameters
    ----------
    value : object
        Anything JSON can hold.

    Returns
    -------
    str
        The same value to whoever reads it.
    """
    return json.dumps(value).replace("<", "\\u003c")


def name_tasks(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Name each task by its method, and by its framework as well where methods of one name differ by it.

    Parameters
    ----------
    rows : list of dict
        Rows of the config's table, with framework, method and task.

    Returns
    -------
    dict of str to str
    """
    methods = [row["method"] for row in rows]
    alone = {method for method in methods if methods.count(method) == 1}
    return {
        row["task"]: row["method"] if row["method"] in alone else f"{row['framework']}: {row['method']}" for row in rows
    }
