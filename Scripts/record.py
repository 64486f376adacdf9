"""Writes what runs of `vgg train --recipe fashion-mnist` reached into docs/records: the table in fashion-mnist.md, and beside it
each run's figures and curves. Called by `make record`.

Usage: python3 Scripts/record.py --vgg PROGRAM RUN…     each RUN a finished run folder
"""

import argparse
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

FOLDER = pathlib.Path(__file__).parents[1] / "docs/records"
PAGE = FOLDER / "fashion-mnist.md"
VIEWS = ["", "mirror", "mirror,shift:1"]


def evaluated(vgg, run, views, data):
    command = [vgg, "eval", run, "--format", "json", *(["--tta", views] if views else []), *data]
    return json.loads(subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE).stdout)


def read(options, run):
    """What a run was and reached.
    Raises ValueError if it is not finished, or was chosen by the test."""
    configuration = json.loads((run / "config.json").read_text())
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    epochs = [line for line in lines if line["event"] == "epoch"]
    last = epochs[-1:]
    if not last or last[0]["epoch"] != configuration["epochs"]:
        raise ValueError(f"{run} is not finished: go on with vgg train --resume {run}")
    data = ["--data-dir", options.data_dir] if options.data_dir else []
    results = [evaluated(options.vgg, run, views, data) for views in VIEWS]
    if (chosen := results[0]["epoch"]["chosen_by"]) != "last":
        raise ValueError(f"{run} has the weights of an epoch that was chosen, by {chosen}")
    if results[0]["accuracy"] != last[0]["test_acc"]:
        raise ValueError(f"{run} tested itself at {last[0]['test_acc']}, and is now at {results[0]['accuracy']}")
    ends = [0, *(epoch["seconds"] for epoch in epochs)]
    median = statistics.median(end - start for start, end in zip(ends, ends[1:]))
    return {
        "seed": configuration["seed"], "epochs": configuration["epochs"], "precision": configuration["precision"],
        "hours": last[0]["seconds"] / 3600, "usual_hours": median * len(epochs) / 3600,
        "accuracies": [result["accuracy"] for result in results],
    }  # fmt: skip


def table(runs, kernels):
    lines = ["| seed | epochs | precision | hours | at the median epoch | test accuracy | `--tta mirror` | `--tta mirror,shift:1` |",
             "|" + "---|" * 8]
    for run in runs:
        figures = " | ".join(f"{accuracy:.4f}" for accuracy in run["accuracies"])
        hours = f"{run['hours']:.2f} | {run['usual_hours']:.2f}"
        lines.append(f"| {run['seed']} | {run['epochs']} | {run['precision']} | {hours} | {figures} |")
    if len(runs) > 1:
        means = " | ".join(f"**{statistics.mean(all):.4f}**" for all in zip(*(run["accuracies"] for run in runs)))
        lines.append(f"| mean | | | | | {means} |")
    many = "One seed says little about the next one. " if len(runs) == 1 else ""
    lines += ["", f"{many}Hours are by the clock of a machine that did other work beside it{kernels}. "
              + " ".join(f"![Loss and accuracy, seed {run['seed']}](fashion-mnist-seed{run['seed']}.svg)" for run in runs)]  # fmt: skip
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--vgg", required=True, help="the program")
    parser.add_argument("--data-dir", help="the folder of Fashion-MNIST")
    parser.add_argument("--kernels", help="the instruction set that the runs were made with, such as AVX2")
    parser.add_argument("runs", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    try:
        runs = [(path, read(options, path)) for path in options.runs]
    except ValueError as error:
        sys.exit(f"error: {error}")
    for path, run in runs:
        stem = f"fashion-mnist-seed{run['seed']}"
        shutil.copyfile(path / "metrics.jsonl", FOLDER / f"{stem}.jsonl")
        shutil.copyfile(path / "curves.svg", FOLDER / f"{stem}.svg")
    kernels = f", with {options.kernels}" if options.kernels else ""
    marks = re.compile(r"(<!-- runs: .*? -->\n).*?(<!-- end of runs -->)", re.DOTALL)
    page = marks.sub(lambda match: match[1] + table([run for _, run in runs], kernels) + "\n" + match[2], PAGE.read_text())
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
