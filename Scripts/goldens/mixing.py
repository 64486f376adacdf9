"""Writes Tests/VGGDataTests/Goldens/mixing.json: what timm's Mixup makes of small batches.

"drawn" has what timm does when its random numbers are those of vgg; "given" what it does with given shares and
rectangles, of which the results are exact.
"""

import json
from pathlib import Path

import numpy as np
import random_numbers
import torch
from timm.data import mixup

GOLDENS = Path(__file__).resolve().parents[2] / "Tests/VGGDataTests/Goldens"
CLASSES = 5


class NumPy:
    """NumPy for timm, with another source of random numbers."""

    def __init__(self, source):
        self.random = source

    def __getattr__(self, name):
        return getattr(np, name)


class Drawn(random_numbers.Random):
    """With NumPy's integers, which stop before the end."""

    def __init__(self, *arguments, sides):
        super().__init__(*arguments)
        self.sides = sides

    def randint(self, low, high, size=None):
        return super().randint(low, high - 1)

    def beta(self, alpha, other):
        # Where the sides of a rectangle are drawn, timm draws a share too, and does not use it.
        return 0.5 if self.sides else super().beta(alpha, other)


class Given:
    """Shares and centres one after the other; a share's fraction of cutmix is None."""

    def __init__(self, cuts, shares, centers):
        self.cuts, self.shares, self.centers = np.array(cuts), np.array(shares), iter(centers)
        self.asked = 0

    def rand(self, count):
        # First whether it is cutmix, then whether anything is mixed.
        self.asked += 1
        return np.where(self.cuts, 0.0, 1.0) if self.asked == 1 else np.zeros(count)

    def beta(self, alpha, other, size):
        return self.shares

    def randint(self, low, high, size=None):
        return next(self.centers)


def batch(count, channels, height, width):
    """Images that differ everywhere, and exactly representable."""
    numbers = torch.arange(count * channels * height * width).reshape(count, channels, height, width)
    return ((numbers * 37) % 101 - 50) / 8


def drawn():
    for mixed, cut, sides, probability, switch in [(0.2, 0, None, 1, 0.5), (0, 1, None, 1, 0.5), (1, 1, None, 0.7, 0.4),
                                                   (0, 0, (0.2, 0.8), 1, 0.5), (3, 0.4, None, 1, 0.5)]:
        for seed, epoch, place in [(0, 0, 0), (1 << 33, 74, 468), (7, 1, 2), (8, 1, 2)]:
            source = Drawn(seed, random_numbers.MIXING, epoch, place, 0, sides=sides)
            mixup.np = NumPy(source)
            shape = (4, 2, 5, 6)
            images, labels = batch(*shape), torch.tensor([3, 0, 0, 1])
            mixing = mixup.Mixup(mixed, cut, sides, probability, switch, label_smoothing=0.1, num_classes=CLASSES)
            images, targets = mixing(images, labels)
            yield {"mixup": mixed, "cutmix": cut, "sides": sides, "probability": probability, "switch": switch,
                   "draw": [seed, epoch, place], "shape": shape, "labels": labels.tolist(),
                   "images": images.reshape(-1).tolist(), "targets": targets.reshape(-1).tolist()}


def given():
    shares = [0.25, 0.7, 0.5625, 1, 0.1, 0.9]
    cuts = [False, True, True, False, True, False]
    centers = [2, 8, 0, 0, 5, 4]
    for mode, count in [("elem", 6), ("pair", 3)]:
        source = Given(cuts[:count], shares[:count], centers)
        mixup.np = NumPy(source)
        shape = (6, 1, 7, 10)
        images, labels = batch(*shape), torch.tensor([3, 0, 4, 3, 1, 1])
        boxes = iter(zip(centers[::2], centers[1::2]))
        given = [{"share": float(np.float32(share)), "center": list(next(boxes)) if cut else None}
                 for share, cut in zip(shares[:count], cuts)]
        mixing = mixup.Mixup(1, 1, mode=mode, label_smoothing=0.1, num_classes=CLASSES)
        images, targets = mixing(images, labels)
        yield {"mode": mode, "given": given, "shape": shape, "labels": labels.tolist(),
               "images": images.reshape(-1).tolist(), "targets": targets.reshape(-1).tolist()}


def main():
    values = {"drawn": list(drawn()), "given": list(given())}
    (GOLDENS / "mixing.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
