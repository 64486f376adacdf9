"""Writes Tests/VGGTrainingTests/Goldens/schedules.json: the learning rates of timm's schedules, stepped on updates, and
of torch's OneCycleLR; timm's plateau; and the decays of timm's moving averages of weights.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import torch
from timm.scheduler import create_scheduler_v2
from timm.utils import ModelEmaV3

GOLDENS = Path(__file__).resolve().parents[2] / "Tests/VGGTrainingTests/Goldens"
EPOCHS, UPDATES, RATE = 10, 7, 0.3


def optimizer(rate=RATE):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate, momentum=0.9)


def schedules():
    """The rates of all updates, and of some after the end."""
    for name, options in [
        ("constant", {}), ("constant", {"warmup_epochs": 2, "warmup_lr": 0.01}), ("cosine", {}),
        ("cosine", {"min_lr": 0.002, "warmup_epochs": 3}), ("step", {"decay_epochs": 3, "decay_rate": 0.2}),
        ("step", {"decay_epochs": 2.4, "decay_rate": 0.5, "warmup_epochs": 1, "warmup_lr": 1e-3}),
        ("multistep", {"decay_milestones": [3, 6, 8]}),
        ("multistep", {"decay_milestones": [2, 4], "decay_rate": 0.3, "warmup_epochs": 3}),
    ]:
        judge = optimizer()
        scheduler, _ = create_scheduler_v2(
            judge, name, EPOCHS, step_on_epochs=False, updates_per_epoch=UPDATES, **options)
        rates = [judge.param_groups[0]["lr"]]
        for update in range(1, (EPOCHS + 1) * UPDATES):
            scheduler.step_update(update)
            rates.append(judge.param_groups[0]["lr"])
        yield {"shape": name, **options, "epochs": EPOCHS, "rates": rates}


def one_cycles():
    for epochs, rise in [(EPOCHS, 0.3), (EPOCHS, 0.15), (1, 0.3), (1, 0.05)]:
        judge = optimizer()
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            judge, RATE, epochs=epochs, steps_per_epoch=UPDATES, pct_start=rise, cycle_momentum=False)
        rates = [judge.param_groups[0]["lr"]]
        for _ in range(1, epochs * UPDATES):
            judge.step()
            scheduler.step()
            rates.append(judge.param_groups[0]["lr"])
        yield {"shape": "onecycle", "rise": rise, "epochs": epochs, "rates": rates}


def plateaus(random):
    """The rate after each epoch's figure."""
    figures = (0.9 - 0.5 / np.arange(1, 41) ** 2 + random.normal(0, 2e-5, 40)).tolist()
    for options in [{"patience_epochs": 2}, {"patience_epochs": 0, "min_lr": 0.004},
                    {"patience_epochs": 3, "decay_rate": 0.5, "warmup_epochs": 4},
                    {"warmup_epochs": 2, "warmup_lr": 0.1, "patience_epochs": 1, "decay_rate": 0.7}]:
        judge = optimizer()
        scheduler, _ = create_scheduler_v2(judge, "plateau", len(figures), plateau_mode="max", **options)
        rates = [judge.param_groups[0]["lr"]]
        for epoch, figure in enumerate(figures):
            scheduler.step(epoch + 1, figure)
            rates.append(judge.param_groups[0]["lr"])
        yield {**options, "figures": figures, "rates": rates}


def head_plateaus(random):
    """The same of a second group that begins with a rate of its own, and meets the bounds elsewhere."""
    figures = random.normal(0.9, 0.01, 20).tolist()
    for options in [{"patience_epochs": 0, "min_lr": 0.004}, {"patience_epochs": 1, "min_lr": 0.02, "decay_rate": 0.3},
                    {"patience_epochs": 1, "warmup_epochs": 3, "warmup_lr": 0.01, "decay_rate": 0.5}]:
        rates = {0.3: [], 0.03: []}
        judge = torch.optim.SGD(
            [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates], lr=RATE)
        scheduler, _ = create_scheduler_v2(judge, "plateau", len(figures), plateau_mode="max", **options)
        for epoch in range(len(figures) + 1):
            for group, seen in zip(judge.param_groups, rates.values()):
                seen.append(group["lr"])
            if epoch < len(figures):
                scheduler.step(epoch + 1, figures[epoch])
        yield {**options, "figures": figures, "groups": list(rates), "rates": list(rates.values())}


def averages():
    """The decays after so many updates."""
    for decay, warmup in [(0.9998, False), (0.9, False), (0.999, True), (0.4, True)]:
        average = ModelEmaV3(torch.nn.Linear(3, 1), decay=decay, use_warmup=warmup)
        steps = [1, 2, 3, 10, 100, 5000, 31623, 200000]
        yield {"decay": decay, "warmup": warmup, "steps": steps, "decays": [average.get_decay(step) for step in steps]}


def main():
    random = np.random.default_rng(20260303)
    values = {"rate": RATE, "updatesPerEpoch": UPDATES, "schedules": [*schedules(), *one_cycles()],
              "plateaus": list(plateaus(random)),
              "headPlateaus": list(head_plateaus(random)), "averages": list(averages())}
    (GOLDENS / "schedules.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    main()
