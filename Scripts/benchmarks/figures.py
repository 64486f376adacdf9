"""What the figures of the benchmarks share: the same numbers make the same SVG, and its texts stay texts."""

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "swift-vgg", "svg.fonttype": "none"})

OTHERS = "0.7"


def plain(axes):
    """Axes without a frame."""
    axes.spines[["top", "right"]].set_visible(False)


def save(figure, output):
    figure.savefig(output, metadata={"Date": None})
