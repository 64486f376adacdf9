"""A model of the step time of many processes, on paper; called by Scripts/scaling.

Each process has as many images of its own whatever their number is. The backward pass ends layer by layer, the last layer
first, and a layer's gradients then wait for those before them and go out as vgg sends them: by recursive halving, 2 (1 - 1/n)
of their bytes each way, in pieces of 1 MB with 2 log2(n) messages each. A step ends with what ends last: the backward pass or the
last piece.
"""

import argparse
import json
import math
import subprocess

NETWORKS = {
    "slim VGG-11": ["--width-divisor", "4"],
    "VGG-16": ["--arch", "vgg16", "--in-channels", "3", "--classes", "1000"],
    "VGG-16 with batch norm, one linear layer": [
        "--arch", "vgg16_bn", "--in-channels", "3", "--classes", "1000", "--hidden-features", "none", "--pool", "1"],
}
RANKS = [2, 4, 8, 16, 64, 256, 1000]
PIECE = 1 << 20


def layers(vgg, arguments):
    """Multiply-accumulates and bytes of gradients of each layer."""
    output = subprocess.run([vgg, "summary", *arguments, "--format", "json"], check=True, stdout=subprocess.PIPE).stdout
    return [(layer["macs"], 4 * layer["params"]) for layer in json.loads(output)["layers"]]


def step(network, ranks, images, options, bandwidth):
    """Seconds of a step, and how many of them are spent waiting."""
    # As many multiply-accumulates for the gradient of the weights, and of the input.
    seconds = [2 * images * macs / (1e9 * options.rate) for macs, _ in network]
    time = sum(seconds)
    sent = time
    for (_, size), own in zip(reversed(network), reversed(seconds)):
        time += 2 * own
        if ranks == 1 or size == 0:
            continue
        messages = 2 * math.log2(ranks) * math.ceil(size / PIECE)
        traffic = 2 * (1 - 1 / ranks) * size / (bandwidth * 1e9 / 8) + messages * options.latency * 1e-6
        sent = max(sent, time) + traffic
    return max(time, sent), max(0, sent - time)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vgg", required=True)
    parser.add_argument("--images", type=int, default=32, help="of each process and step (default: 32)")
    parser.add_argument(
        "--rate", type=float, default=300, help="GFLOP/s of a process, counted as direct convolution (default: 300)")
    parser.add_argument("--latency", type=float, default=50, help="microseconds a message (default: 50)")
    parser.add_argument("--bandwidth", type=float, nargs="+", default=[1, 10, 25, 100], help="Gbit/s")
    options = parser.parse_args()
    print("| network | Gbit/s | alone | " + " | ".join(map(str, RANKS)) + " |")
    print("|---|---|---|" + "---|" * len(RANKS))
    for name, arguments in NETWORKS.items():
        network = layers(options.vgg, arguments)
        alone, _ = step(network, 1, options.images, options, 1)
        for bandwidth in options.bandwidth:
            cells = []
            for ranks in RANKS:
                time, _ = step(network, ranks, options.images, options, bandwidth)
                cells.append(f"{time:.2f} s, {alone / time:.0%}")
            print(f"| {name} | {bandwidth:g} | {alone:.2f} s | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
