# Each target works alone on a fresh clone: it makes the virtual environment first.

PYTHON ?= python3
CORES ?= all
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# One thread for each job keeps its results repeatable; jobs run side by side instead.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export OMP_NUM_THREADS ?= 1

.PHONY: setup run test test-fast check audit docs format clean

setup: $(VENV)/.dev  ## make the virtual environment with everything for development

run: $(VENV)/.run  ## run the default study up to its tables and its report
	neurobar run --cores $(CORES)
	@cat results/report/table_1.md
	@echo "The report, for any browser: results/report/report.html"

test: $(VENV)/.dev  ## run all tests
	pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-fast: $(VENV)/.dev  ## run the tests that take no more than a few seconds each
	pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m "not slow"

check: $(VENV)/.dev  ## check style, layers, rules and a dry run of every study
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	lint-imports
	snakemake --lint
	pytest --quiet tests/workflow/test_dry_runs.py

audit: $(VENV)/.dev  ## look for known faults of the pinned packages, where a network allows
	python .ci/audit.py

docs: $(VENV)/.dev  ## build the documentation into site/ and check its links
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

format: $(VENV)/.dev  ## put all code into its form
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

clean:  ## remove results and the virtual environment
	rm -rf results/*/ .snakemake site $(VENV)

$(VENV)/.run: constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("neurobar needs Python 3.11 to 3.13") if not (3, 11) <= sys.version_info < (3, 14) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	# First and alone, so that pip chooses the build for this machine before others ask for it.
	$(PIP) torch
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.run envs/slurm.txt
	$(PIP) --editable '.[dev]'
	$(PIP) --no-deps --requirement envs/slurm.txt
	touch $@
