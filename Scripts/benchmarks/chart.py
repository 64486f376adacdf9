"""Draws the ratios of speed that compare.py found as bars beside the others' 1.

    chart.py benchmarks.json benchmarks.svg
"""

import json
import pathlib
import sys

import figures
import matplotlib.pyplot as plt


def main():
    source, output = map(pathlib.Path, sys.argv[1:])
    rows = json.loads(source.read_text(encoding="utf-8"))["rows"]
    rows = [row for row in rows if row["unit"] == "images/sec" and row.get("ratio") and row.get("best")][::-1]
    names = [f"{row['title']} ({row['best']})" for row in rows]
    places = range(len(rows))
    figure, axes = plt.subplots(figsize=(10, 1.5 + 0.45 * len(rows)), layout="constrained")
    ours = axes.barh([place + 0.2 for place in places], [row["ratio"] for row in rows], 0.4, label="swift-vgg")
    others = axes.barh(
        [place - 0.2 for place in places], [1] * len(rows), 0.4, color=figures.OTHERS, label="fastest other")
    for bars in (ours, others):
        axes.bar_label(bars, fmt="%.1f", padding=4)
    axes.set_yticks(list(places), names)
    axes.set_xlabel("images a second over the fastest other's, in one run")
    figure.suptitle("swift-vgg beside the fastest of PyTorch, ONNX Runtime and OpenVINO")
    figures.plain(axes)
    axes.legend(loc="lower right")
    figures.save(figure, output)


if __name__ == "__main__":
    main()
