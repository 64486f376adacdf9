"""Ten steps of a small VGG with batch norm by each of torch's optimisers, and timm's moving average of its weights.

Writes Tests/VGGEngineTests/Goldens/optimizers.safetensors, as golden_runs.py says. The settings of a run are those of
the optimiser, with a learning rate of its own for the last linear layer and none of the weight decay for biases and
norms where these are given, a factor of the rate of batch norm's biases, the norm that torch's clip_grad_norm_ clips
gradients to, how many parts of a batch an update adds them up of, and of the average. A run gives:
  RUN/final/NAME     the weights after the last step
  RUN/average/NAME   their average

Computed in double precision from the 32-bit initial weights and images, stored in 32 bits. Prints how far PyTorch's own
single precision is from that, in units of each tensor's largest number. Left out is the bias of the convolution before
batch norm and the running mean that it moves: its gradient is zero but for rounding, which Adam divides by itself.
"""

import pathlib

import torch
from timm.utils import ModelEmaV3
from torch import nn

import golden_runs

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/VGGEngineTests/Goldens/optimizers.safetensors"
STEPS, BATCH, SIZE = 10, 6, 8
UNDETERMINED = ("features.0.bias", "running_mean")
PLAIN = {"decay": 0.8, "warmup": False}
WARMUP = {"decay": 0.95, "warmup": True}
RUNS = [
    {"name": "momentum", "opt": "sgd", "learningRate": 0.05, "momentum": 0.9, "weightDecay": 0.01, "average": PLAIN},
    {"name": "dampening", "opt": "sgd", "learningRate": 0.2, "momentum": 0.9, "dampening": 0.5, "average": WARMUP},
    {"name": "nesterov", "opt": "sgd", "learningRate": 0.05, "momentum": 0.8, "nesterov": True, "average": PLAIN},
    {"name": "adam", "opt": "adam", "learningRate": 0.001, "average": PLAIN},
    {"name": "adam-l2", "opt": "adam", "learningRate": 0.002, "weightDecay": 0.1, "eps": 1e-5, "average": WARMUP},
    {"name": "adamw", "opt": "adamw", "learningRate": 0.003, "weightDecay": 0.01, "average": WARMUP},
    {"name": "adamw-groups", "opt": "adamw", "learningRate": 0.001, "headLearningRate": 0.005, "weightDecay": 0.2,
     "noNormDecay": True, "betas": [0.8, 0.95], "eps": 1e-4, "average": PLAIN},
    {"name": "clipped", "opt": "sgd", "learningRate": 0.1, "momentum": 0.9, "clipGrad": 0.8, "average": PLAIN},
    {"name": "in-parts", "opt": "adamw", "learningRate": 0.003, "parts": 2, "clipGrad": 0.9, "average": PLAIN},
    {"name": "shifts", "opt": "sgd", "learningRate": 0.02, "bnBiasLrScale": 16, "momentum": 0.9, "average": PLAIN},
]


def optimizer(run, model):
    head = list(model["classifier"][-1].parameters())
    shift = model["features"][1].bias
    groups = [{"params": [shift], "lr": run["learningRate"] * run.get("bnBiasLrScale", 1)}]
    if run.get("noNormDecay"):
        groups[0]["weight_decay"] = 0
    for is_head in [False, True]:
        for is_vector in [False, True]:
            group = {"params": [p for p in model.parameters() if p is not shift
                                and any(p is q for q in head) == is_head and (p.ndim == 1) == is_vector]}
            if is_head and "headLearningRate" in run:
                group["lr"] = run["headLearningRate"]
            if is_vector and run.get("noNormDecay"):
                group["weight_decay"] = 0
            groups.append(group)
    options = {"lr": run["learningRate"], "weight_decay": run.get("weightDecay", 0)}
    if run["opt"] == "sgd":
        return torch.optim.SGD(groups, momentum=run["momentum"], dampening=run.get("dampening", 0),
                               nesterov=run.get("nesterov", False), **options)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[run["opt"]]
    return kind(groups, betas=tuple(run.get("betas", [0.9, 0.999])), eps=run.get("eps", 1e-8), **options)


def train(run, initial, images, labels, precision):
    model = golden_runs.network([8], SIZE).to(precision)
    model.load_state_dict(initial, strict=False)
    model.train()
    update = optimizer(run, model)
    average = ModelEmaV3(model, decay=run["average"]["decay"], use_warmup=run["average"]["warmup"])
    losses = []
    for step, (x, y) in enumerate(zip(images, labels)):
        parts = run.get("parts", 1)
        update.zero_grad()
        losses.append(0)
        for part, answers in zip(x.to(precision).chunk(parts), y.chunk(parts)):
            maps = model["features"](part)
            loss = nn.functional.cross_entropy(model["classifier"](maps.flatten(1)), answers) / parts
            loss.backward()
            losses[-1] += loss.item()
        if "clipGrad" in run:
            nn.utils.clip_grad_norm_(model.parameters(), run["clipGrad"])
        update.step()
        average.update(model, step + 1)
    results = {"losses": torch.tensor(losses, dtype=torch.double)}
    for part, state in [("final", model.state_dict()), ("average", average.module.state_dict())]:
        results |= {f"{part}/{name}": tensor for name, tensor in state.items() if name in initial}
    return results


def main():
    torch.manual_seed(7)
    initial = {name: tensor.clone() for name, tensor in golden_runs.network([8], SIZE).state_dict().items()
               if not name.endswith("num_batches_tracked")}
    images = torch.randn(STEPS, BATCH, 3, SIZE, SIZE)
    labels = torch.randint(golden_runs.CLASSES, (STEPS, BATCH))
    results = []
    for run in RUNS:
        results.append(train(run, initial, images, labels, torch.double))
        single = train(run, initial, images, labels, torch.float)
        distance = max((((tensor - single[key]).abs().max() / tensor.abs().max()).item(), key)
                       for key, tensor in results[-1].items() if not key.endswith(UNDETERMINED))
        print(run["name"], "in single precision is off by", distance)
    golden_runs.save(OUTPUT, RUNS, initial, images, labels, results)


if __name__ == "__main__":
    main()
