"""What the record's recipe costs beside a plain training: loading against training, and the average of the weights and AdamW
against SGD; called by `make bench-recipe`.

Each is measured by `vgg train --estimate`, in turns, so that what else the machine does falls on all alike; the medians count.
The machine should be quiet.
"""

import argparse
import json
import statistics
import subprocess

NETWORK = """--arch vgg11_bn --conv-arch 2x64,2x128,2x256,2x256 --pool 1 --hidden-features none --size 28 --mean 0.2860 --std 0.3530
    --crop-padding 2 --hflip 0.5 --reprob 0.5 --batch-size 128 --smoothing 0.1 --weight-decay 5e-4 --no-norm-decay""".split()
SGD = "--lr 0.1 --momentum 0.9 --nesterov".split()
OPTIONS = {
    "SGD": SGD,
    "SGD, average of the weights": [*SGD, "--model-ema", "--model-ema-decay", "0.999"],
    "AdamW": ["--opt", "adamw", "--lr", "0.001"],
}


def estimate(options, arguments):
    command = [options.vgg, "train", *NETWORK, *arguments, "--estimate", "--format", "json"]
    command += ["--precision", options.precision] + (["--data-dir", options.data_dir] if options.data_dir else [])
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--vgg", required=True, help="the program")
    parser.add_argument("--rounds", type=int, default=15, help="how often each is measured")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--data-dir", help="the folder of Fashion-MNIST")
    options = parser.parse_args()
    measured = {name: [] for name in OPTIONS}
    for _ in range(options.rounds):
        for name, arguments in OPTIONS.items():
            measured[name].append(estimate(options, arguments))
    step = {name: statistics.median(one["seconds_per_step"] for one in all) for name, all in measured.items()}
    print("| a step of 128 images | ms | beside SGD |\n|---|---|---|")
    for name, seconds in step.items():
        print(f"| {name} | {1000 * seconds:.1f} | {100 * (seconds / step['SGD'] - 1):+.1f} % |")
    recipe = measured["SGD, average of the weights"]
    trained = statistics.median(one["examples_per_sec"] for one in recipe)
    loaded = statistics.median(one["loaded_examples_per_sec"] for one in recipe)
    print(f"\ntraining {trained:.0f} images a second, loading alone {loaded:.0f}: {loaded / trained:.1f} times as many")
    goals = [("loading at least twice as fast as training", loaded >= 2 * trained)]
    goals += [(f"{name} at most 3 %", step[name] <= 1.03 * step["SGD"]) for name in list(OPTIONS)[1:]]
    for goal, is_met in goals:
        print(f"{'met' if is_met else 'MISSED'}: {goal}")


if __name__ == "__main__":
    main()
