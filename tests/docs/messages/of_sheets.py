"""Sheets of scans that are refused, those of a second cohort, and BIDS data sets of which none can be written."""

from neurobar.data.rosters import read_external
from neurobar.data.sheets import check_masks, read_scans
from neurobar.index.index_bids import index_bids

COHORT = {"label": "diagnosis", "negative": "CN", "positive": "AD", "ignored": []}
COLUMNS = ["scan", "subject", "path", "diagnosis", "age", "prepared", "mask"]
FIRST = dict(zip(COLUMNS, ["a", "s1", "a.nii.gz", "CN", "70", "", ""], strict=True))
SECOND = dict(zip(COLUMNS, ["b", "s2", "b.nii.gz", "AD", "71", "", ""], strict=True))


def write(folder, rows, columns=COLUMNS):
    """Write a sheet and the images that good rows name."""
    folder.mkdir(exist_ok=True)
    for name in ("a.nii.gz", "b.nii.gz", "{scan}.nii.gz"):
        (folder / name).touch()
    lines = [columns, *[[row[column] for column in columns] for row in rows]]
    (folder / "scans.tsv").write_text("\n".join("\t".join(line) for line in lines) + "\n")
    return folder / "scans.tsv"


def of(**changes):
    """Return the case that reads a sheet with changes to its second row."""
    return lambda bench: read_scans(write(bench.folder, [FIRST, SECOND | changes]), COHORT)


def of_text(text):
    """Return the case that reads a file with some text in it."""

    def read(bench):
        (bench.folder / "scans.tsv").write_bytes(text)
        read_scans(bench.folder / "scans.tsv", COHORT)

    return read


def without_a_column(bench):
    read_scans(write(bench.folder, [FIRST, SECOND], COLUMNS[:3]), COHORT)


def without_masks(bench):
    check_masks("scans.tsv", read_scans(write(bench.folder, [FIRST, SECOND]), COHORT))


def beside(folder="second", **changes):
    """Return the case that holds a second cohort, in a folder of its own, against the first."""

    def check(bench):
        sheet = write(bench.folder / "first", [FIRST, SECOND])
        first = read_scans(sheet, COHORT)
        rows = [row | {"scan": f"o{row['scan']}", "subject": f"o{row['subject']}"} for row in (FIRST, SECOND)]
        second = write(bench.folder / folder, [rows[0] | changes, rows[1]])
        read_external({"oasis": COHORT | {"scans": second}}, str(sheet), first)

    return check


def of_bids(*images, participants=None, description=True):
    """Return the case that indexes a data set."""

    def index(bench):
        if description:
            (bench.folder / "dataset_description.json").write_text('{"Name": "heads", "BIDSVersion": "1.9.0"}')
        for name in images:
            image = bench.folder / name.split("_")[0] / "anat" / name
            image.parent.mkdir(parents=True, exist_ok=True)
            image.touch()
        if participants:
            (bench.folder / "participants.tsv").write_text(participants)
        index_bids(bench.folder, bench.folder / "scans.tsv")

    return index


HEAD = "sub-a_T1w.nii.gz"
CASES = {
    "The sheet of scans … does not exist; see cohort.scans in the config.": lambda bench: read_scans(
        bench.folder / "nowhere.tsv", COHORT
    ),
    "… is not a table: ….": of_text(b'a\tb\n"1\t2\n3'),
    "… lists no scan.": of_text(b"scan\tsubject\tpath\tdiagnosis\n"),
    "… has no column …; it needs ….": without_a_column,
    "…, row …: … … is neither … nor …; correct it, or name it in cohort.ignored to leave such scans out.": of(
        diagnosis="FTD"
    ),
    "… has no scan with … ….": of(diagnosis="CN"),
    "…, row …: … … is not a name of letters, digits and _ . + - that begins with a letter or digit.": of(scan="../b"),
    "…, row …: … … stands already in row ….": of(scan="a"),
    "…, row …: the path is empty.": of(path=""),
    "…, row …: there is no file ….": of(path="gone.nii.gz"),
    "…, row …: Snakemake takes … in the path …, or in a folder above it, for a placeholder; rename it or link to it.": (
        of(path="{scan}.nii.gz")
    ),
    "…, row …: prepared says …; known are stripped, registered, unbiased (+ between them).": of(prepared="striped"),
    "…: scan … has no file in the column mask, but preprocess.skull_strip is supplied.": without_masks,
    "…, row …: age … is not a number of years from 0 to 130.": of(age="old"),
    "Config: external.…: the subject … is in … too, and nobody may be in training and in a test; leave those scans out "
    "of one sheet, or rename the subject if it is somebody else.": beside(subject="s1"),
    "Config: external.…: the image … is in … too, under the name of another subject.": beside(folder="first"),
    "Config: external.…: the scan … is in … too; each scan of a study needs a name of its own.": beside(scan="a"),
    "… is no BIDS data set: it has no dataset_description.json.": of_bids(HEAD, description=False),
    "… holds no T1w image (.nii or .nii.gz).": of_bids("sub-a_T2w.nii.gz"),
    "… holds more than one T1w image of ….": of_bids(HEAD, "sub-a_T1w.nii"),
    "… is no table: ….": of_bids(HEAD, participants="participant_id\tage\nsub-a\t60\t7\t8\n\t\t\t\t\t\n"),
    "… has no column ….": of_bids(HEAD, participants="name\tage\nsub-a\t60\n"),
    "… lists … more than once.": of_bids(HEAD, participants="participant_id\tage\nsub-a\t60\na\t61\n"),
}
