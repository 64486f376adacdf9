"""Measures how time and memory of a training step grow with the batch, the picture, the width and the depth, beside
PyTorch's, prints a table in Markdown and draws it; called by Scripts/growth.

Each point is one process of vgg and one of each of PyTorch's modes, in turns; a point of PyTorch's is its fastest mode.
Every process loads its program, so that its memory has a floor: some 300 MB in PyTorch, 10 MB in vgg.
"""

import argparse
import datetime
import json
import pathlib

import figures
import matplotlib.pyplot as plt
from compare import Turn, own_bench, processor

FOUR_BLOCKS = "--conv-arch 1x16,1x32,2x64,2x128 --pool 1 --hidden-features none"


def vgg(depth, divisor):
    """Our options and the peers' name of a network."""
    return f"--arch vgg{depth} --width-divisor {divisor}", f"vgg{depth}/{divisor}"


def sweep(name, label, values, point):
    """`point` makes of a value the network (our options, the peers' name), the picture's side and the batch size."""
    return {"name": name, "label": label, "values": values, "point": point}


# Where one grows, the others are small enough for a sweep to take minutes.
SWEEPS = [
    sweep("batch", "images a batch (slim VGG-11, 64×64)", [2 ** power for power in range(10)],
          lambda value: (*vgg(11, 4), 64, value)),
    sweep("side", "pixels a side (four blocks, 16 images)", [28, 56, 112, 224, 448],
          lambda value: (FOUR_BLOCKS, "four-blocks", value, 16)),
    sweep("width", "width (VGG-11, 64×64, 16 images)", [1 / 8, 1 / 4, 1 / 2, 1],
          lambda value: (*vgg(11, round(1 / value)), 64, 16)),
    sweep("depth", "depth (¼ width, 64×64, 32 images)", [11, 13, 16, 19],
          lambda value: (*vgg(value, 4), 64, 32)),
]


def measured(turn, options):
    """Milliseconds of a step and megabytes; None if it fails, which is said."""
    turn.run(options)
    if turn.failure:
        print(f"note: {turn.label} failed at {' '.join(turn.arguments)}, batch {turn.batch_size}, "
              f"size {turn.size}: {turn.failure}", flush=True)
        return None
    return {"ms": 1e3 * turn.batch_size / turn.images_per_sec(), "mb": turn.memory_mb(), "mode": turn.label}


def measure(sweep, modes, options):
    points = []
    for value in sweep["values"]:
        network, peer, size, batch_size = sweep["point"](value)
        mine = measured(
            Turn("swift-vgg", f"--mode train --precision auto {network}", batch_size, options.steps, size, is_ours=True),
            options)
        theirs = [measured(
            Turn(f"{precision} {layout}", f"torch train {peer} --precision {precision} --layout {layout}", batch_size,
                 options.steps, size), options) for precision, layout in modes]
        best = min((point for point in theirs if point), key=lambda point: point["ms"], default=None)
        points.append({"value": value, "ours": mine, "pytorch": best})
        print(row(sweep, points[-1]), flush=True)
    return points


def row(sweep, point):
    def cell(program, key):
        return f"{point[program][key]:.4g}" if point[program] else "-"

    ours, other = point["ours"], point["pytorch"]
    ratio = f"{other['ms'] / ours['ms']:.2f}" if ours and other else "-"
    cells = [sweep["name"], f"{point['value']:g}", cell("ours", "ms"), cell("pytorch", "ms"),
             other["mode"] if other else "-", ratio, cell("ours", "mb"), cell("pytorch", "mb")]
    return f"| {' | '.join(cells)} |"


def knees(sweep, points):
    """Where we fall back beside PyTorch by a quarter or more from one point to the next."""
    whole = [point for point in points if point["ours"] and point["pytorch"]]
    for before, after in zip(whole, whole[1:]):
        ours, theirs = (after[program]["ms"] / before[program]["ms"] for program in ["ours", "pytorch"])
        if ours > 1.25 * theirs:
            yield (f"{sweep['name']} from {before['value']:g} to {after['value']:g}: a step takes {ours:.2f} times as "
                   f"long, PyTorch's {theirs:.2f} times")


def draw(results, output):
    """A panel a sweep: the time of a step above, memory below."""
    figure, rows = plt.subplots(2, len(results), figsize=(16, 7), sharex="col", layout="constrained", squeeze=False)
    for (top, bottom), (sweep, points) in zip(zip(*rows), results):
        for axes, key in [(top, "ms"), (bottom, "mb")]:
            for program, label, colour in [("ours", "swift-vgg", "C0"), ("pytorch", "PyTorch's fastest", figures.OTHERS)]:
                whole = [point for point in points if point[program]]
                axes.plot([point["value"] for point in whole], [point[program][key] for point in whole], "o-",
                          label=label, color=colour)
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            figures.plain(axes)
        bottom.set_xticks(sweep["values"], [f"{value:g}" for value in sweep["values"]])
        bottom.set_xticks([], minor=True)
        bottom.set_xlabel(sweep["label"])
    rows[0][0].set_ylabel("milliseconds a step")
    rows[1][0].set_ylabel("peak memory, MB")
    rows[0][0].legend()
    figure.suptitle("A training step as its batch, pictures, width and depth grow")
    figures.save(figure, output)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="sweeps: " + ", ".join(sweep["name"] for sweep in SWEEPS))
    parser.add_argument("--vgg", required=True, help="the program vgg")
    parser.add_argument("--python", required=True, help="a Python with PyTorch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3, help="timed steps of each process (default: 3)")
    parser.add_argument("--only", action="append", choices=[sweep["name"] for sweep in SWEEPS], metavar="SWEEP")
    parser.add_argument("--short", action="store_true", help="the first two points of each: shows only that it runs")
    parser.add_argument("--json", metavar="FILE", help="write the figures here (docs/growth.json)")
    parser.add_argument("--chart", metavar="FILE", help="draw them as SVG here (docs/growth.svg)")
    options = parser.parse_args()
    is_short, options.short = options.short, False

    has_bf16 = own_bench(options.vgg)["precision"] == "bf16"
    modes = [(precision, layout) for precision in ["fp32"] + ["bf16"] * has_bf16 for layout in ["nhwc", "nchw"]]
    print("| | | ours, ms | PyTorch, ms | its mode | ratio | ours, MB | PyTorch, MB |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    results = []
    for sweep in SWEEPS:
        if options.only and sweep["name"] not in options.only:
            continue
        chosen = sweep | {"values": sweep["values"][:2]} if is_short else sweep
        results.append((chosen, measure(chosen, modes, options)))
    print()
    for sweep, points in results:
        for knee in knees(sweep, points):
            print(f"note: {knee}")
    if not has_bf16:
        print("note: this processor does not multiply bf16: PyTorch's bf16 was left out")

    if options.json:
        report = {
            "date": datetime.date.today().isoformat(), "processor": processor(), "threads": options.threads,
            "short": is_short, "sweeps": {sweep["name"]: points for sweep, points in results}}
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if options.chart:
        draw(results, options.chart)


if __name__ == "__main__":
    main()
