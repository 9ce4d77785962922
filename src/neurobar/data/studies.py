"""What a study asks for: which tables need which tasks, runs and splits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Settings = dict[str, Any]


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

    def task(self, name: str) -> Settings:
        """Return the settings of a task, which is fine-tuned, or of a baseline."""
        baselines = self.config["baselines"]
        return baselines[name] if name in baselines else self.config["finetune"] | self.config["tasks"][name]

    @property
    def tables(self) -> Settings:
        """Tables and controls by their names."""
        return self.config["tables"] | self.config["controls"]

    def tasks_of(self, tables: Iterable[str]) -> list[str]:
        """List the tasks and baselines that some tables show, each once, in their order."""
        return list(dict.fromkeys(row["task"] for name in tables for row in self.tables[name]["rows"]))

    @property
    def of_training(self) -> Settings:
        """What every training job is told; where and how it computes is no part of it, so that reruns nothing."""
        training = self.config["training"]
        return {"encoder": self.config["encoder"], "precision": training["precision"], "voxel_mm": training["voxel_mm"]}

    def told_run(self, name: str) -> str:
        """Return what a pre-training job is told, as JSON: editing one run's block reruns that run alone."""
        run = {key: value for key, value in self.run(name).items() if key != "split"}
        return json.dumps(self.of_training | {"pretrain": run})

    def told_task(self, name: str) -> str:
        """Return what a fine-tuning job is told, as JSON; its run and split are the business of its inputs."""
        task = {key: value for key, value in self.task(name).items() if key not in ("run", "split")}
        return json.dumps(self.of_training | {"finetune": task})

    def runs_of(self, tasks: Iterable[str]) -> list[str]:
        """List the runs that some tasks start from."""
        return sorted({self.task(name).get("run") for name in tasks} - {None})

    def folder_of(self, task: str) -> str:
        """Return the folder of a task's jobs, from `results/`."""
        return f"{'regress' if task in self.config['baselines'] else 'finetune'}/{task}"

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
        """List the name of the split of each of some tasks and baselines."""
        return [self.task(task)["split"] for task in tasks]

    def folds_of(self, tasks: Iterable[str]) -> list[str]:
        """List the file of the split of each of some tasks and baselines."""
        return [f"results/split/{split}/folds.tsv" for split in self.splits_of(tasks)]

    def audits_of(self, tasks: Iterable[str]) -> list[str]:
        """List the audits of some tasks and baselines."""
        return [f"results/evaluate/{task}/audit.json" for task in tasks]

    def seen_of(self, task: str) -> list[str]:
        """List what the jobs behind a task say they saw: its pre-training, its training and its explanation."""
        run, folders = self.task(task).get("run"), [self.folder_of(task)]
        folders += [f"pretrain/{run}"] if run else []
        folders += [f"explain/{task}"] if task in self.config["explain"]["tasks"] else []
        return self.of_jobs(folders, "seen.tsv")
