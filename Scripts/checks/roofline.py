"""Bytes and operations of every pass of a training step, and what they cost at least on two GPUs; see Scripts/roofline.

A pass is a product of matrices, rows × columns × depth, made in single precision. Its operations are those of its tiles: a tile
has TILE rows and columns, and where a matrix has fewer, the rest of it is computed for nothing. Its bytes are each number
once, from and to the device's memory: inputs, outputs, weights, and of a pool a byte for each winner. In
mixed precision maps and the weights that are read have two bytes a number; products are made in single precision all the same.
"""

import argparse
import dataclasses
import json
import pathlib
import re
import subprocess

repository = pathlib.Path(__file__).resolve().parent.parent.parent


@dataclasses.dataclass
class GPU:
    name: str
    # 10¹² operations and bytes a second, from the maker's data sheet.
    peak: float
    bandwidth: float
    multiprocessors: int

    def seconds(self, work):
        return max(work.tiled / (self.peak * 1e12), work.bytes / (self.bandwidth * 1e12))

    def bound(self, work):
        return "memory" if work.bytes / self.bandwidth > work.tiled / self.peak else "arithmetic"


gpus = [
    # NVIDIA H100 Tensor Core GPU, data sheet: SXM5, FP32 without tensor cores.
    GPU("H100 SXM", 66.9, 3.35, 132),
    # NVIDIA GeForce RTX 4060 Laptop: 3072 cores at 2.37 GHz at most, 128 bits of GDDR6 at 16 Gbit/s.
    GPU("RTX 4060 Laptop", 14.6, 0.256, 24),
]


@dataclasses.dataclass
class Work:
    step: str
    name: str
    rows: int
    columns: int
    depth: int
    bytes: float
    tile: int

    def padded(self, count):
        return -(-count // self.tile) * self.tile

    @property
    def operations(self):
        return 2 * self.rows * self.columns * self.depth

    @property
    def tiled(self):
        return 2 * self.padded(self.rows) * self.padded(self.columns) * self.depth

    @property
    def tiles(self):
        return self.padded(self.rows) * self.padded(self.columns) // self.tile**2


def work(summary, tile, number):
    """The passes of each step with weights, in the order of the plan. number: bytes of a map's number."""
    batch = summary["batch_size"]
    layers = {layer["name"]: layer for layer in summary["layers"]}
    names = list(layers)
    passes = []
    for step in summary["plan"]:
        ends = step["name"].split("…")
        if ends[0] not in layers or layers[ends[0]]["kind"] not in ("Conv2d", "Linear"):
            continue
        first, last = layers[ends[0]], layers[ends[-1]]
        index = names.index(first["name"])
        before = layers[names[index - 1]]["output"] if index else summary["input"]
        out, outputs = first["output"][1], numbers(last["output"])
        if first["kind"] == "Conv2d":
            inputs, pixels = before[1], batch * first["output"][2] * first["output"][3]
            area = (first["params"] - out) // (out * inputs)
            sizes = [(out, pixels, inputs * area), (out, inputs * area, pixels)]
            sizes.append((inputs, numbers(before) // inputs, out * area))
        else:
            inputs = numbers(before) // batch
            sizes = [(out, batch, inputs), (out, inputs, batch), (inputs, batch, out)]
        winners = outputs if "MaxPool2d" in step["kind"] else 0
        x, y, weights = number * numbers(before), number * outputs + winners, number * first["params"]
        # The gradients of weights are written, and read again with the weights to update these; in mixed precision copies
        # are made then.
        update = (16 if number == 4 else 22) * first["params"]
        for name, size, count in zip(
            ("forward", "weights' gradient", "input's gradient"), sizes, (x + weights + y, x + y + update, x + weights + y)
        ):
            if name != "input's gradient" or index:
                passes.append(Work(step["name"], name, *size, count, tile))
    return passes


def numbers(shape):
    count = 1
    for size in shape:
        count *= size
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vgg", required=True)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("options", nargs="*", default=[])
    arguments = parser.parse_args()
    options = arguments.options or ["--width-divisor", "4"]
    command = [arguments.vgg, "summary", *options, "--batch-size", str(arguments.batch_size)]
    command += ["--plan", "--device", "cpu", "--precision", "fp32", "--format", "json"]
    summary = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    # A convolution of padding 1 and stride 1 leaves the size as it is, and its parameters say the channels.
    first = summary["layers"][0]
    channels = int(options[options.index("--in-channels") + 1]) if "--in-channels" in options else 1
    summary["input"] = [first["output"][0], channels, *first["output"][2:]]
    text = (repository / "Sources/VGGOpenCL/OpenCLContext.swift").read_text()
    tile = int(re.search(r"static let tile = (\d+)", text)[1])
    passes = work(summary, tile, 4 if arguments.precision == "fp32" else 2)

    print("| step | pass | GFLOP | of its tiles used | MB | FLOP/byte | tiles |", end="")
    print("".join(f" {gpu.name}: ms, bound by |" for gpu in gpus))
    print("|---|---|---|---|---|---|---|" + "---|" * len(gpus))
    for one in passes:
        cells = [
            one.step, one.name, f"{one.operations / 1e9:.1f}", f"{one.operations / one.tiled:.0%}",
            f"{one.bytes / 1e6:.0f}", f"{one.operations / one.bytes:.0f}", f"{one.tiles}",
        ]
        cells += [f"{1e3 * gpu.seconds(one):.2f}, {gpu.bound(one)}" for gpu in gpus]
        print("| " + " | ".join(cells) + " |")
    seconds = [sum(gpu.seconds(one) for one in passes) for gpu in gpus]
    total = [f"{sum(one.operations for one in passes) / 1e9:.0f}", "", f"{sum(one.bytes for one in passes) / 1e6:.0f}", "", ""]
    print("| **a step** | | " + " | ".join(total) + " | " + " | ".join(
        f"**{1e3 * time:.1f}**: {summary['batch_size'] / time:.0f} images/sec" for time in seconds) + " |")


main()
