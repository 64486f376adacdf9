"""Training runs of one small VGG with batch norm: the network, and the golden file that optimizers.py and finetuning.py write.

Metadata "runs" lists the runs and their settings. Tensors, NAME being torchvision's:
  initial/NAME   the weights that every run starts from
  images         [steps, batch, …]
  labels         [steps, batch], as 32-bit floats
  RUN/KEY        what a run gave; RUN/losses, [steps], is the mean loss of each batch, before its update
"""

import json

from safetensors.torch import save_file
from torch import nn

HIDDEN, CLASSES = 16, 5


def network(channels, size):
    """Blocks of one convolution that make these channels of three, and three linear layers."""
    features, inputs = [], 3
    for outputs in channels:
        features += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
        inputs = outputs
    classifier = nn.Sequential(
        nn.Linear(inputs * (size // 2 ** len(channels)) ** 2, HIDDEN), nn.ReLU(), nn.Dropout(0),
        nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Dropout(0), nn.Linear(HIDDEN, CLASSES))
    return nn.ModuleDict({"features": nn.Sequential(*features), "classifier": classifier})


def save(output, runs, initial, images, labels, results):
    """Writes the file; `results` are each run's tensors."""
    tensors = {"images": images, "labels": labels.float()}
    tensors |= {f"initial/{name}": tensor for name, tensor in initial.items()}
    for run, result in zip(runs, results, strict=True):
        print(run["name"], " ".join(f"{loss:.4f}" for loss in result["losses"].tolist()))
        tensors |= {f"{run['name']}/{key}": value.float() for key, value in result.items()}
    save_file({key: value.contiguous() for key, value in tensors.items()}, output,
              metadata={"runs": json.dumps(runs, separators=(",", ":"))})
    print(f"{output.name}: {output.stat().st_size} bytes")
