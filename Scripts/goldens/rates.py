"""Writes Tests/VGGTrainingTests/Goldens/rates.json: what fastai's smoothing and its rules make of losses over learning rates.

Usage: python Scripts/goldens/rates.py   (needs numpy)

The functions are those of fastai 2.8 (`AvgSmoothLoss` in learner.py; `LRFinder`, `valley` and `steep` in callback/schedule.py),
with numpy's arrays in place of torch's tensors.
"""

import json
from pathlib import Path

import numpy as np

GOLDENS = Path(__file__).parents[2] / "Tests/VGGTrainingTests/Goldens"


def smoothed(losses, beta=0.98):
    value, count, result = 0.0, 0, []
    for loss in losses:
        count += 1
        value = loss + beta * (value - loss)
        result.append(value / (1 - beta**count))
    return result


def recorded(losses):
    """The smoothed losses up to the one that ends the test."""
    best = float("inf")
    for index, loss in enumerate(result := smoothed(losses)):
        best = min(best, loss)
        if loss > 4 * best:
            return result[: index + 1], True
    return result, False


def valley(lrs, losses):
    n = len(losses)
    max_start, max_end = 0, 0
    lds = [1] * n
    for i in range(1, n):
        for j in range(0, i):
            if (losses[i] < losses[j]) and (lds[i] < lds[j] + 1):
                lds[i] = lds[j] + 1
            if lds[max_end] < lds[i]:
                max_end = i
                max_start = max_end - lds[max_end]
    sections = (max_end - max_start) / 3
    return lrs[max_start + int(sections) + int(sections / 2)]


def steep(lrs, losses):
    grads = (losses[1:] - losses[:-1]) / (np.log(lrs[1:]) - np.log(lrs[:-1]))
    return lrs[grads.argmin()]


def curves(random):
    """A loss that stays, falls and rises, as one does over rates; with noise, and without an end."""
    for steps, noise, top in ((100, 0.0, 10.0), (100, 0.1, 10.0), (60, 0.05, 1.0), (200, 0.2, 100.0), (20, 0.02, 10.0)):
        lrs = np.array([1e-6 * (top / 1e-6) ** (step / steps) for step in range(steps)])
        fall = 2.0 / (1 + np.exp(-2.5 * (np.log10(lrs) + 2)))
        losses = 2.3 - fall + 0.02 * lrs**3 + noise * random.standard_normal(steps)
        yield steps, top, lrs, losses


def main():
    random = np.random.default_rng(0)
    cases = []
    for steps, top, lrs, losses in curves(random):
        shown, diverged = recorded(losses)
        part = slice(steps // 10, len(shown) - 5)
        rates, values = lrs[: len(shown)][part], np.array(shown)[part]
        cases.append({
            "steps": steps, "least": 1e-6, "greatest": top, "losses": losses[: len(shown)].tolist(), "smoothed": shown,
            "diverged": diverged, "valley": float(valley(rates, values)), "steepest": float(steep(rates, values)),
        })  # fmt: skip
    (GOLDENS / "rates.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
