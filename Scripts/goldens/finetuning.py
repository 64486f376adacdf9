"""Fine-tuning steps of a small VGG with batch norm, as PyTorch takes them.

Writes Tests/VGGEngineTests/Goldens/finetuning.safetensors, as golden_runs.py says; images are channels-last. The frozen
part does not require gradients and is in evaluation mode; the last linear layer has a learning rate of its own, by a
parameter group. A run gives RUN/final/NAME, the weights after the last step.

Computed in double precision from the 32-bit initial weights and images, stored in 32 bits.
"""

import pathlib

import torch
from torch import nn

import golden_runs

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/VGGEngineTests/Goldens/finetuning.safetensors"
STEPS, BATCH, SIZE = 3, 4, 12
SGD = {"momentum": 0.9, "nesterov": True, "weightDecay": 0.01}
RUNS = [
    {"name": "blocks", "freeze": "blocks:1", "learningRate": 0.02, "headLearningRate": 0.1} | SGD,
    {"name": "features", "freeze": "features", "learningRate": 0.02, "headLearningRate": 0.1} | SGD,
]


def network():
    return golden_runs.network([8, 16], SIZE).double()


def train(run, initial, images, labels):
    model = network()
    model.load_state_dict(initial, strict=False)
    model.train()
    frozen = model["features"][:4] if run["freeze"] == "blocks:1" else model["features"]
    frozen.requires_grad_(False).eval()
    head = list(model["classifier"][-1].parameters())
    body = [p for p in model.parameters() if p.requires_grad and not any(p is q for q in head)]
    optimizer = torch.optim.SGD(
        [{"params": body}, {"params": head, "lr": run["headLearningRate"]}], lr=run["learningRate"],
        momentum=run["momentum"], nesterov=run["nesterov"], weight_decay=run["weightDecay"])
    losses = []
    for x, y in zip(images, labels):
        maps = model["features"](x.permute(0, 3, 1, 2).double())
        loss = nn.functional.cross_entropy(model["classifier"](maps.flatten(1)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    final = {name: tensor for name, tensor in model.state_dict().items() if name in initial}
    return {"losses": torch.tensor(losses)} | {f"final/{name}": tensor for name, tensor in final.items()}


def main():
    torch.manual_seed(4)
    initial = {}
    for name, tensor in network().state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if name.endswith("running_mean"):
            tensor = 0.2 * torch.randn_like(tensor)
        elif name.endswith("running_var"):
            tensor = 0.5 + torch.rand_like(tensor)
        initial[name] = tensor.float()
    images = torch.randn(STEPS, BATCH, SIZE, SIZE, 3)
    labels = torch.randint(golden_runs.CLASSES, (STEPS, BATCH))
    golden_runs.save(OUTPUT, RUNS, initial, images, labels, [train(run, initial, images, labels) for run in RUNS])


if __name__ == "__main__":
    main()
