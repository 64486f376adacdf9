"""Test accuracies of vgg in both precisions beside PyTorch's; called by Scripts/accuracy.

The experiment is the chapter's at 96×96: slim VGG-11, Fashion-MNIST resized with Pillow's bilinear filter, SGD
with rate 0.05, batches of 128, Xavier initialisation, dropout. All programs do the same job with the same seed: PyTorch
starts from vgg's weights and draws vgg's orders of the images and vgg's dropout, so that only rounding differs.

A finished run leaves its figures in RUNS/NAME.json and is not done again. Runs of other machines may be put beside
them; the table names the kernels.
"""

import argparse
import itertools
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

import random_numbers
import torch_training
from compare import own_bench

SIZE = 96
OUTPUT = pathlib.Path(__file__).parents[2] / "docs/accuracy.md"
PROGRAMS = ["vgg fp32", "vgg bf16", "PyTorch fp32"]


def train_vgg(options, seed, folder, *arguments):
    data = ["--data-dir", options.data_dir] if options.data_dir else []
    # A run that was interrupted goes on.
    new = ["--size", SIZE, "--seed", seed, *data, *arguments, "--run-dir", folder]
    command = ["train", *(["--resume", folder] if (folder / "config.json").exists() else new)]
    subprocess.run([options.vgg, *map(str, command)], check=True, stdout=sys.stderr)


def run_vgg(options, precision, seed, folder):
    train_vgg(options, seed, folder, "--epochs", options.epochs, "--precision", precision)
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [{name: line[name] for name in ["train_loss", "test_acc"]} for line in lines if line["event"] == "epoch"]


def run_torch(options, seed):
    with tempfile.TemporaryDirectory() as folder:
        # What vgg starts from with this seed: its weights after a step too small to change them.
        run = pathlib.Path(folder) / "run"
        train_vgg(options, seed, run, "--precision", "fp32", "--lr", "1e-30", "--max-steps", 1, "--test-limit", 1)
        return torch_training.train(options.data_dir, SIZE, options.epochs, seed, run / "model.safetensors")


def finish(options, name, kernels, seed):
    """Makes a run, unless it is there already."""
    program, precision = name.split()
    stem = options.runs / f"{program}-{precision}-{kernels}-{options.epochs}-epochs-seed-{seed}"
    result = stem.with_suffix(".json")
    if result.exists():
        return
    print(f"{name}, seed {seed}", file=sys.stderr)
    epochs = run_vgg(options, precision, seed, stem) if program == "vgg" else run_torch(options, seed)
    part = stem.with_suffix(".part")
    part.write_text(json.dumps({"name": name, "kernels": kernels, "seed": seed, "epochs": epochs}))
    part.replace(result)


def table(options):
    """The rows whose runs are all there; differences are taken seed by seed."""
    seeds = range(options.seeds)
    runs = [json.loads(path.read_text()) for path in options.runs.glob(f"*-{options.epochs}-epochs-seed-*.json")]
    runs.sort(key=lambda run: (PROGRAMS.index(run["name"]), run["kernels"], run["seed"]))
    rows = {}
    for name, group in itertools.groupby(runs, key=lambda run: run["name"]):
        # Of runs with several kernels the last is taken: their seeds mean the same.
        of_seed = {run["seed"]: run for run in group}
        if all(seed in of_seed for seed in seeds):
            rows[name] = [of_seed[seed] for seed in seeds]
    lines = [
        "# Accuracy: vgg beside PyTorch", "",
        f"Test accuracy of the chapter's slim VGG-11 on Fashion-MNIST at {SIZE}×{SIZE} after {options.epochs} epochs "
        "(rate 0.05,",
        f"batches of 128), from {options.seeds} seeds. A seed means the same to every row: the same initial weights, "
        "orders of the",
        "images and dropout; what differs is how the programs and their kernels round.", "",
        "```", "# not run: it takes hours, and writes this file", f"$ make accuracy BENCH=\"--seeds {options.seeds}\"",
        "```", "",
        "| | kernels | " + " | ".join(f"seed {seed}" for seed in seeds) + " | mean | train loss | less PyTorch, points |",
        "|---|---|" + "---|" * (options.seeds + 3)]
    judge = [run["epochs"][-1]["test_acc"] for run in rows.get(PROGRAMS[-1], [])]
    for name, row in rows.items():
        accuracies = [run["epochs"][-1]["test_acc"] for run in row]
        # Runs of before the loss was kept have none.
        losses = [run["epochs"][-1].get("train_loss") for run in row]
        kernels = ", ".join(sorted({run["kernels"] for run in row}))
        cells = [name, kernels, *(f"{value:.4f}" for value in accuracies), f"**{statistics.mean(accuracies):.4f}**"]
        cells.append("-" if None in losses else f"{statistics.mean(losses):.4f}")
        if not judge or name == PROGRAMS[-1]:
            cells.append("-")
        else:
            differences = [100 * (accuracy - other) for accuracy, other in zip(accuracies, judge)]
            error = statistics.stdev(differences) / math.sqrt(len(seeds)) if len(seeds) > 1 else math.nan
            cells.append(f"{statistics.mean(differences):+.2f} ± {error:.2f}")
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "", "After the ± stands one standard error of the mean difference. vgg's runs can be repeated bit for bit where the",
        "kernels are the same.", f"PyTorch {torch_training.version()}.", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description="Compare the test accuracies of vgg and PyTorch.")
    parser.add_argument("--vgg", required=True, help="the program vgg")
    parser.add_argument("--runs", required=True, type=pathlib.Path, help="the folder of finished runs")
    parser.add_argument("--data-dir", type=pathlib.Path, help="Fashion-MNIST's four .gz files")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument(
        "--only", action="append", choices=PROGRAMS,
        help="this program only; may be repeated; prints the table, and writes nothing")
    options = parser.parse_args()
    random_numbers.check()
    options.runs.mkdir(parents=True, exist_ok=True)
    own = own_bench(options.vgg)
    for name in options.only or PROGRAMS:
        if name == "vgg bf16" and own["kernels"] == "portable":
            print("vgg bf16 is left out: in plain C it would take days", file=sys.stderr)
            continue
        kernels = own["kernels"] if name.startswith("vgg") else torch_training.kernels()
        for seed in range(options.seeds):
            finish(options, name, kernels, seed)
    text = table(options)
    print(text)
    if not options.only:
        OUTPUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
