"""Test accuracies of vgg in both precisions beside PyTorch's; called by Scripts/accuracy.

The experiment is the chapter's at 96×96: slim VGG-11, Fashion-MNIST resized with Pillow's bilinear filter, SGD
with rate 0.05, batches of 128, Xavier initialisation, dropout. When a run leaves the first plateau depends on the
weights it starts from, and differs more than the programs do: PyTorch therefore starts from vgg's. A finished
run leaves its accuracies in RUNS/NAME-SEED.json and is not done again.
"""

import argparse
import json
import math
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import torch_training

SIZE = 96
OUTPUT = pathlib.Path(__file__).parents[2] / "docs/accuracy.md"
PROGRAMS = {"vgg fp32": ("vgg", "fp32"), "vgg bf16": ("vgg", "bf16"), "PyTorch fp32": ("torch-from-vgg", "fp32")}


def run_vgg(options, precision, seed, folder):
    # A run that was interrupted goes on.
    new = ["--size", SIZE, "--epochs", options.epochs, "--seed", seed, "--precision", precision, "--run-dir", folder]
    arguments = ["--resume", folder] if (folder / "config.json").exists() else new
    subprocess.run([options.vgg, "train", *map(str, arguments)], check=True, stdout=sys.stderr)
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [line["test_acc"] for line in lines if line["event"] == "epoch"]


def initial_weights(options, seed, folder):
    """What vgg starts from with this seed: its weights after a step too small to change them."""
    subprocess.run(
        [options.vgg, "train", "--size", str(SIZE), "--seed", str(seed), "--precision", "fp32", "--lr", "1e-30",
         "--max-steps", "1", "--test-limit", "1", "--run-dir", str(folder)], check=True, stdout=sys.stderr)
    return folder / "model.safetensors"


def accuracies(options, name, seed):
    """The test accuracy after each epoch, of a run that is made if it is not there yet."""
    program, precision = PROGRAMS[name]
    stem = options.runs / f"{program}-{precision}-{options.epochs}-epochs-seed-{seed}"
    result = stem.with_suffix(".json")
    if not result.exists():
        print(f"{name}, seed {seed}", file=sys.stderr)
        if program == "vgg":
            found = run_vgg(options, precision, seed, stem)
        else:
            with tempfile.TemporaryDirectory() as folder:
                weights = initial_weights(options, seed, pathlib.Path(folder) / "run")
                found = torch_training.train(options.data_dir, SIZE, options.epochs, seed, weights)
        result.write_text(json.dumps(found))
    return json.loads(result.read_text())


def table(rows, options):
    seeds = range(options.seeds)
    lines = [
        "# Accuracy: vgg beside PyTorch", "",
        f"Test accuracy of the chapter's slim VGG-11 on Fashion-MNIST at {SIZE}×{SIZE} after {options.epochs} epochs (rate",
        f"0.05, batches of 128), from {options.seeds} seeds each. PyTorch starts from the weights that vgg starts from with the",
        "same seed; it draws other orders of the images and other dropout.",
        f"{platform.machine()}, PyTorch {torch_training.version()}.", "",
        "    Scripts/accuracy", "",
        "| | " + " | ".join(f"seed {seed}" for seed in seeds) + " | mean | deviation |",
        "|---|" + "---|" * (options.seeds + 2)]
    deviations = []
    for name, values in rows.items():
        deviations.append(statistics.stdev(values) if len(values) > 1 else math.nan)
        cells = [f"{value:.4f}" for value in values]
        cells += [f"**{statistics.mean(values):.4f}**", f"{deviations[-1]:.4f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    means = [statistics.mean(values) for values in rows.values()]
    # Of the difference of two means, as if every program had the same deviation.
    error = math.sqrt(2 * statistics.mean(d * d for d in deviations) / options.seeds)
    lines += [
        "", f"The means lie within {100 * (max(means) - min(means)):.2f} percentage points of each other; by the runs'",
        f"own deviation, the means of two groups of {options.seeds} such runs differ by {100 * error:.2f} points (one standard error).", ""]
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
    names = options.only or list(PROGRAMS)
    rows = {name: [accuracies(options, name, seed)[-1] for seed in range(options.seeds)] for name in names}
    text = table(rows, options)
    print(text)
    if not options.only:
        OUTPUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
