# What rules ask for their inputs and params. No other file but common.smk has functions.


def scan_path(wildcards):
    """Return the raw T1 of a scan."""
    return EVERY[wildcards.scan]["path"]


# The report lists the inputs of every rule as they stand there, but of a function it says no more than that it is one.


def sheet_of_study(wildcards):
    """Return the sheet of scans."""
    return SHEET


def sheets_of_study(wildcards):
    """Return the sheet of scans, and those of external cohorts."""
    return [SHEET, *[cohort["scans"] for cohort in STUDY.external.values()]]


def of_scans(name):
    """Return the function that finds a file of every scan that is preprocessed."""
    return lambda wildcards: [f"results/preprocess/{scan}/{name}" for scan in PREPROCESSED]


def readable_scan(wildcards):
    """Return the raw T1 of a scan, or nothing where it may not be read: Snakemake would stop all, the job itself alone."""
    path = scan_path(wildcards)
    return path if os.access(path, os.R_OK) or not os.path.exists(path) else []


def say_failed_scans():
    """Print the sentence of each scan that failed, and how to go on without them."""
    scans = [scan for scan in EVERY if scan not in config["preprocess"]["exclude"]]
    if failed := rosters.describe_failures(scans, Path("results")):
        failed.append("Mend these scans, or name them in preprocess.exclude to go on without them.")
        print(*failed, sep="\n", file=sys.stderr)


def supplied_mask(wildcards):
    """Return the brain mask that the sheet gives for a scan, or nothing where another way of skull stripping is set."""
    if config["preprocess"]["skull_strip"] != "supplied" or "stripped" in prepared(wildcards):
        return []
    return EVERY[wildcards.scan]["mask"]


def prepared(wildcards):
    """Return what was done to a scan before it came here."""
    return EVERY[wildcards.scan]["prepared"]


def code_of_run(wildcards):
    """Hash the code of a pre-training job, with the one mixing that its run names."""
    mixing = STUDY.run(wildcards.run)["mixing"]
    mixings = [] if mixing == "none" else [f"neurobar.transforms.mixings.{mixing}"]
    return code_digest("neurobar.pretrain.pretrain_encoder", *mixings)


def codes_of_rules(wildcards):
    """Return what the code of each rule hashes to, as JSON; that of pre-training for each run, by its mixing."""
    codes = {rule.name: rule.params.get("code") for rule in workflow.rules}
    runs = [SimpleNamespace(run=run) for run in STUDY.runs_of(TASKS)]
    return json.dumps(
        {
            name: {each.run: code(each) for each in runs} if callable(code) else code
            for name, code in codes.items()
            if code
        }
    )


def of_split(name):
    """Return the function that finds a file of the split that a run, or a task or baseline, learns from."""

    def find(wildcards):
        settings = STUDY.run(wildcards.run) if "run" in wildcards.keys() else STUDY.task(wildcards.task)
        return f"results/split/{settings['split']}/{name}".format(**wildcards)

    return find


def of_external(name):
    """Return the function that finds a file of the external cohort that a task is applied to."""
    return lambda wildcards: f"results/apply/{config['applied'][wildcards.task]['cohort']}/{name}"


def of_source(name):
    """Return the function that finds a file of the job whose classifier is applied."""
    return lambda wildcards: f"results/finetune/{STUDY.source_of(wildcards.task)}/fold-{{fold}}/seed-{{seed}}/{name}"


def of_table(ask):
    """Return the function that asks a method of the study about the tasks of a table."""
    return lambda wildcards: ask(STUDY.tasks_of([wildcards.table]))


def features_of_baseline(wildcards):
    """Return what a baseline goes by, as JSON: never the label itself, and nothing that no scan of the sheet has."""
    features = [name for name in STUDY.task(wildcards.task)["features"] if name != config["cohort"]["label"]]
    return json.dumps({"features": [name for name in features if name == "regions" or SCANS[name].notna().any()]})


def encoder_of_task(wildcards):
    """Return the pre-trained encoder that a task starts from, or nothing where it starts afresh."""
    run = STUDY.task(wildcards.task)["run"]
    return [] if run is None else f"results/pretrain/{run}/fold-{{fold}}/seed-{{seed}}/encoder.safetensors"


def labels_of_figure(wildcards):
    """Return what the report says of a figure beside its picture."""
    labels = {name: wildcards[name] for name in ("table", "task") if name in wildcards.keys()}
    return labels | {"figure": wildcards.figure.replace("_", " ").capitalize()}
