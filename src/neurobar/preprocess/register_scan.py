"""Register a raw T1 head to the template: pose, affine transform, deformation."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from neurobar.data.endings import call_command
from neurobar.data.volumes import read_head, read_volume, write_volume
from neurobar.preprocess.arguments import add_prepared
from neurobar.preprocess.attempts import confirm, register
from neurobar.preprocess.registration import digest_scan, write_registration
from neurobar.preprocess.templates import Scan, Template

#: Spacing of everything before the deformation: nothing there gains from finer, so a 1 mm head costs as a 2 mm head.
WORK_MM = 2.0


def main(argv: list[str] | None = None) -> None:
    """Write the registration of one scan and its deformation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scan", type=Path, required=True, help="raw T1 head")
    parser.add_argument("--head", type=Path, required=True, help="whole-head template")
    parser.add_argument("--depth", type=Path, required=True, help="depth inside the template brain [mm]")
    add_prepared(parser)
    parser.add_argument("--settings", type=json.loads, required=True, help="section preprocess.registration, JSON")
    parser.add_argument("--registration", type=Path, required=True, help="JSON (output)")
    parser.add_argument("--deformation", type=Path, required=True, help="NIfTI (output)")
    args = parser.parse_args(argv)
    try:
        # Of what is there before the reading: a file that changes meanwhile is found out by the steps that follow.
        digest = digest_scan(args.scan)
        image = read_head(args.scan)
    except ValueError as error:
        sys.exit(str(error))
    head, template_affine = read_volume(args.head)
    template = Template(head, read_volume(args.depth)[0], template_affine)
    scan = Scan.covering(np.asarray(image.dataobj), image.affine, WORK_MM)
    if "stripped" in args.prepared:
        template = template.stripped()
    # A scan that lies in template space already needs no search; that it does is judged all the same.
    find = confirm if "registered" in args.prepared else register
    found = find(scan, template, args.settings)
    write_registration(args.registration, found.registration, digest)
    write_volume(args.deformation, found.displacement, found.grid)


if __name__ == "__main__":
    call_command(main)
