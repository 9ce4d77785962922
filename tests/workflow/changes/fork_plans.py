"""Plan again and again: each plan is a fork of one process that has imported what Snakemake and the workflow need.

Reads lines of JSON, each the words of one call of Snakemake and the file for what it says; answers how the call ended.
"""

import json
import os
import sys

# Nothing of neurobar: a plan imports the code as it is then.
import jsonschema  # noqa: F401
import pandas  # noqa: F401
from snakemake.cli import main

for line in sys.stdin:
    words, said = json.loads(line)
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    else:
        file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(file, stream)
        sys.argv = ["snakemake", *words]
        main(words)
