"""Fine-tuning beside training from scratch, on photos and for the same time; called by Scripts/fine-tuning.

A VGG-11 with batch norm, a quarter as wide, learns to tell five of Fashion-MNIST's classes apart at 64×64. Then a
folder holds a few PNG files of each of the other five classes. One run starts from the weights, with a new head; the
other starts from random weights and trains for at least as long.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

import fashion_mnist

OUTPUT = pathlib.Path(__file__).parents[2] / "docs/fine-tuning.md"
NAMES = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"]
FIRST, OTHERS = NAMES[:5], NAMES[5:]
NETWORK = "--arch vgg11_bn --width-divisor 4 --size 64 --in-channels 1 --momentum 0.9".split()


def write_photos(data, folder, names, shots, tests):
    """The first `shots` training photos of each class and `tests` test photos (None for all), as PNG files."""
    for part, target, limit in [("train", "train", shots), ("t10k", "val", tests)]:
        pixels, labels = fashion_mnist.read(data, part)
        for name in names:
            place = folder / target / name
            place.mkdir(parents=True)
            for index in np.flatnonzero(labels == NAMES.index(name))[:limit]:
                Image.fromarray(pixels[index]).save(place / f"{index:05}.png", compress_level=1)


def train(options, *arguments, folder):
    """Runs `vgg train`. Returns the test accuracy after each epoch, and the seconds the whole process took."""
    begin = time.perf_counter()
    subprocess.run([options.vgg, "train", *map(str, arguments), "--run-dir", folder], check=True, stdout=sys.stderr)
    seconds = time.perf_counter() - begin
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [line["test_acc"] for line in lines if line["event"] == "epoch"], seconds


def best(options, work, name, seed, *arguments, at_least=0):
    """The run with the best of the learning rates: (test accuracy, seconds, epochs, rate). Epochs are added until
    a run has taken `at_least` so many seconds."""
    runs = []
    for rate in options.rates:
        epochs, seconds, attempt = options.epochs, 0, 0
        while attempt == 0 or seconds < at_least:
            if attempt:
                epochs = int(epochs * 1.1 * at_least / seconds) + 1
            accuracies, seconds = train(
                options, "--data", f"folder:{work / 'others'}", "--seed", seed, "--batch-size", 20, "--lr", rate,
                "--epochs", epochs, *arguments, folder=work / f"{name}-{seed}-{rate}-{attempt}")
            attempt += 1
        runs.append((accuracies[-1], seconds, epochs, rate))
    return max(runs)


def compare(options, work, weights, seed):
    """Fine-tunes, then trains from scratch for at least as long."""
    tuned = best(
        options, work, "tuned", seed, "--init", weights, "--momentum", 0.9)
    return {"tuned": tuned, "scratch": best(options, work, "scratch", seed, *NETWORK, at_least=tuned[1])}


def table(options, first, rows):
    lines = [
        "# Fine-tuning beside training from scratch", "",
        "A VGG-11 with batch norm, a quarter as wide, at 64×64 and in grey, first learns five classes of Fashion-MNIST from",
        f"photos ({', '.join(FIRST)}; test accuracy {first[0][-1]:.3f} after {len(first[0])} epochs). The other five",
        f"({', '.join(OTHERS)}) are then given as a folder with {options.shots} PNG files a class to train on and",
        f"{options.tests} to test with. One run starts from those weights with a new head, the other from random weights, "
        "for at least",
        "as long. Seconds are those of the whole process: training, a test after every epoch, saving.",
        f"For both the best of the learning rates {', '.join(map(str, options.rates))} counts, by the test "
        "accuracy.", "",
        "```", "# not run: it takes some minutes, and writes this file", "$ Scripts/fine-tuning", "```", "",
        "| seed | fine-tuned | from scratch |", "|---|---|---|"]
    for seed, row in enumerate(rows):
        cells = [
            f"{accuracy:.3f} ({epochs} epochs, {seconds:.1f} s, rate {rate})"
            for accuracy, seconds, epochs, rate in (row["tuned"], row["scratch"])]
        lines.append(f"| {seed} | {cells[0]} | {cells[1]} |")
    means = [statistics.mean(row[kind][0] for row in rows) for kind in ("tuned", "scratch")]
    lines += [f"| mean | **{means[0]:.3f}** | **{means[1]:.3f}** |", ""]
    return means, "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description="Compare fine-tuning with training from scratch.")
    parser.add_argument("--vgg", default=".build/release/vgg", help="the program vgg")
    parser.add_argument("--data-dir", type=pathlib.Path, help="Fashion-MNIST's four .gz files")
    parser.add_argument("--shots", type=int, default=5, help="photos a class")
    parser.add_argument("--tests", type=int, default=100, help="photos a class to test with")
    parser.add_argument("--epochs", type=int, default=20, help="of fine-tuning")
    parser.add_argument("--rates", type=float, nargs="+", default=[0.02, 0.005, 0.002], help="learning rates to try")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work, data = pathlib.Path(folder), fashion_mnist.folder(options.data_dir)
        write_photos(data, work / "first", FIRST, None, None)
        write_photos(data, work / "others", OTHERS, options.shots, options.tests)
        first = train(
            options, "--data", f"folder:{work / 'first'}", *NETWORK, "--lr", 0.02, "--epochs", 2, folder=work / "run")
        rows = [compare(options, work, work / "run/model.safetensors", seed) for seed in range(options.seeds)]
    means, text = table(options, first, rows)
    OUTPUT.write_text(text, encoding="utf-8")
    print(text)
    if means[0] <= means[1]:
        sys.exit("fine-tuning was not better than training from scratch")


if __name__ == "__main__":
    main()
