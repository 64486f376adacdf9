"""Test accuracies of vgg in both precisions beside PyTorch's; called by Scripts/accuracy.

The experiment is the chapter's at 96×96: slim VGG-11, Fashion-MNIST resized with Pillow's bilinear filter, SGD
with rate 0.05, batches of 128, Xavier initialisation, dropout. All programs do the same job with the same seed: PyTorch
starts from vgg's weights and draws vgg's orders of the images and vgg's dropout, so that only rounding differs.

A finished run leaves its figures in RUNS/NAME.json and is not done again. Those of another machine may be
put beside them; what a program gives depends on its kernels, which the table names.
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

import torch_training
from compare import own_bench

SIZE = 96
OUTPUT = pathlib.Path(__file__).parents[2] / "docs/accuracy.md"
PROGRAMS = ["vgg fp32", "vgg bf16", "PyTorch fp32"]


def run_vgg(options, precision, seed, folder):
    # A run that was interrupted goes on.
    new = ["--size", SIZE, "--epochs", options.epochs, "--seed", seed, "--precision", precision, "--run-dir", folder]
    arguments = ["--resume", folder] if (folder / "config.json").exists() else new
    subprocess.run([options.vgg, "train", *map(str, arguments)], check=True, stdout=sys.stderr)
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [{name: line[name] for name in ["train_loss", "test_acc"]} for line in lines if line["event"] == "epoch"]


def initial_weights(options, seed, folder):
    """What vgg starts from with this seed: its weights after a step too small to change them."""
    subprocess.run(
        [options.vgg, "train", "--size", str(SIZE), "--seed", str(seed), "--precision", "fp32", "--lr", "1e-30",
         "--max-steps", "1", "--test-limit", "1", "--run-dir", str(folder)], check=True, stdout=sys.stderr)
    return folder / "model.safetensors"


def finish(options, name, kernels, seed):
    """Makes a run, unless it is there already."""
    program, precision = name.split()
    stem = options.runs / f"{program}-{precision}-{kernels}-{options.epochs}-epochs-seed-{seed}"
    result = stem.with_suffix(".json")
    if result.exists():
        return
    print(f"{name}, seed {seed}", file=sys.stderr)
    if program == "vgg":
        epochs = run_vgg(options, precision, seed, stem)
    else:
        with tempfile.TemporaryDirectory() as folder:
            weights = initial_weights(options, seed, pathlib.Path(folder) / "run")
            epochs = torch_training.train(options.data_dir, SIZE, options.epochs, seed, weights)
    result.write_text(json.dumps({"name": name, "kernels": kernels, "seed": seed, "epochs": epochs}))


def table(options):
    """Every row whose runs are all there."""
    seeds = range(options.seeds)
    runs = [json.loads(path.read_text()) for path in options.runs.glob(f"*-{options.epochs}-epochs-seed-*.json")]
    lines = [
        "# Accuracy: vgg beside PyTorch", "",
        f"Test accuracy of the chapter's slim VGG-11 on Fashion-MNIST at {SIZE}×{SIZE} after {options.epochs} epochs "
        "(rate 0.05,",
        f"batches of 128), from {options.seeds} seeds. A seed means the same to every row: the same initial weights, "
        "orders of the",
        "images and dropout; what differs is how the programs and their kernels round. Each row is a processor's own:",
        "runs can be repeated bit for bit where the kernels are the same.", "",
        "    make accuracy", "",
        "| | kernels | " + " | ".join(f"seed {seed}" for seed in seeds) + " | mean | deviation | train loss |",
        "|---|---|" + "---|" * (options.seeds + 3)]
    means, deviations = [], []
    runs.sort(key=lambda run: (PROGRAMS.index(run["name"]), run["kernels"], run["seed"]))
    for (name, kernels), group in itertools.groupby(runs, key=lambda run: (run["name"], run["kernels"])):
        last = {run["seed"]: run["epochs"][-1] for run in group}
        if not all(seed in last for seed in seeds):
            continue
        values = [last[seed]["test_acc"] for seed in seeds]
        means.append(statistics.mean(values))
        deviations.append(statistics.stdev(values) if len(values) > 1 else math.nan)
        losses = [last[seed].get("train_loss") for seed in seeds]
        loss = "-" if None in losses else f"{statistics.mean(losses):.4f}"
        cells = [name, kernels, *(f"{value:.4f}" for value in values), f"**{means[-1]:.4f}**", f"{deviations[-1]:.4f}"]
        lines.append("| " + " | ".join(cells + [loss]) + " |")
    # Of the difference of two means, as if every row had the same deviation.
    error = math.sqrt(2 * statistics.mean(d * d for d in deviations) / options.seeds)
    apart = 100 * (max(means) - min(means))
    lines += [
        "", f"The means lie within {apart:.2f} percentage points of each other; by the runs' own deviation, the means of",
        f"two groups of {options.seeds} such runs differ by {100 * error:.2f} points (one standard error). "
        f"PyTorch {torch_training.version()}.", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description="Compare the test accuracies of vgg and PyTorch.")
    parser.add_argument("--vgg", required=True, help="the program vgg")
    parser.add_argument("--runs", required=True, type=pathlib.Path, help="the folder of finished runs")
    parser.add_argument("--data-dir", type=pathlib.Path, help="Fashion-MNIST's four .gz files")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--only", action="append", choices=PROGRAMS, help="this program only; may be repeated")
    options = parser.parse_args()
    options.runs.mkdir(parents=True, exist_ok=True)
    own = own_bench(options.vgg)
    for name in options.only or PROGRAMS:
        if name == "vgg bf16" and own["precision"] != "bf16":
            print("vgg bf16 is left out: this processor has no bf16 arithmetic", file=sys.stderr)
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
