"""Shapes, parameters and multiply-accumulates of torchvision's VGGs and of the chapter's networks.

Writes Tests/VGGModelTests/Goldens/models.json: one model a line. Nothing is computed, only shapes
(PyTorch's "meta" device).
"""

import json
import math
import pathlib

import torch
import torchvision
from torch import nn

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/VGGModelTests/Goldens/models.json"
VGG11 = [(1, 64), (1, 128), (2, 256), (2, 512), (2, 512)]


def vgg_block(num_convs, in_channels, out_channels, batch_norm=False):
    layers = []
    for _ in range(num_convs):
        layers.append(nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(out_channels))
        layers.append(nn.ReLU())
        in_channels = out_channels
    layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


def classifier(features, classes, dropout):
    return [
        nn.Flatten(),
        nn.Linear(features, 4096), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(4096, classes),
    ]


def seed_vgg(conv_arch, size, in_channels=1, classes=10, dropout=0.5, batch_norm=False):
    """The chapter's `vgg`, with its 7 × 7 replaced by what `size` leaves."""
    blocks = []
    for num_convs, out_channels in conv_arch:
        blocks.append(vgg_block(num_convs, in_channels, out_channels, batch_norm))
        in_channels = out_channels
    left = size // 2 ** len(conv_arch)
    return nn.Sequential(*blocks, *classifier(in_channels * left * left, classes, dropout))


def slim(conv_arch, divisor):
    return [(num_convs, channels // divisor) for num_convs, channels in conv_arch]


def seed_alexnet(size, in_channels=1, classes=10, dropout=0.5):
    """AlexNet as the chapter's book has it (d2l, section "Deep Convolutional Neural Networks")."""
    features = [
        nn.Conv2d(in_channels, 96, kernel_size=11, stride=4, padding=1), nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(96, 256, kernel_size=5, padding=2), nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(256, 384, kernel_size=3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, kernel_size=3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
    ]
    flat = nn.Sequential(*features)(torch.empty(1, in_channels, size, size)).numel()
    return nn.Sequential(*features, *classifier(flat, classes, dropout))


def multiply_accumulates(module, output):
    if isinstance(module, nn.Conv2d):
        return output[0].numel() * module.in_channels * math.prod(module.kernel_size)
    return module.weight.numel() if isinstance(module, nn.Linear) else 0


def describe(name, model, size, **specification):
    """One golden: what `ModelSpecification` must be told, and what PyTorch then has."""
    chosen = {"arch": "vgg11", "widthDivisor": 1, "inChannels": 1, "classes": 10, "dropout": 0.5,
              "adaptivePool": False} | specification
    layers = []

    def record(layer_name):
        return lambda module, _, output: layers.append({
            "name": layer_name, "class": type(module).__name__, "output": list(output.shape[1:]),
            "parameters": sum(p.numel() for p in module.parameters()),
            "macs": multiply_accumulates(module, output),
        })

    for layer_name, module in model.named_modules():
        if not list(module.children()):
            module.register_forward_hook(record(layer_name))
    model.eval()(torch.empty(1, chosen["inChannels"], size, size))
    return {
        "name": name, "size": size, "specification": chosen, "layers": layers,
        "blocks": [type(child).__name__ for child in model.children()],
        "parameters": sum(p.numel() for p in model.parameters()),
        "macs": sum(layer["macs"] for layer in layers),
        # The batch counter is no weight: PyTorch needs it only for its cumulative average.
        "tensors": [{"name": key, "shape": list(tensor.shape)} for key, tensor in model.state_dict().items()
                    if not key.endswith("num_batches_tracked")],
    }


def torchvision_model(arch, size):
    golden = describe(f"torchvision/{arch}/{size}", torchvision.models.get_model(arch), size,
                      arch=arch, inChannels=3, classes=1000, adaptivePool=True)
    published = torchvision.models.get_model_weights(arch).DEFAULT.meta
    assert golden["parameters"] == published["num_params"]
    assert size != 224 or round(golden["macs"] / 1e9, 3) == published["_ops"], (golden["macs"], published)
    return golden


def main():
    with torch.device("meta"):
        models = [torchvision_model(f"vgg{depth}{suffix}", 224)
                  for depth in (11, 13, 16, 19) for suffix in ("", "_bn")]
        models.append(torchvision_model("vgg16", 96))
        for size in (224, 96):
            models.append(describe(f"seed/vgg11/{size}", seed_vgg(VGG11, size), size))
            models.append(describe(f"seed/vgg11-slim/{size}", seed_vgg(slim(VGG11, 4), size), size,
                                   widthDivisor=4))
            models.append(describe(f"seed/alexnet/{size}", seed_alexnet(size), size, arch="alexnet"))
        models.append(describe(
            "seed/own-rows/50", seed_vgg([(1, 8), (3, 10)], 50, 2, 7, 0.25, batch_norm=True), 50,
            arch="vgg11_bn", convArch="1x8,3x10", inChannels=2, classes=7, dropout=0.25))
    OUTPUT.write_text("[\n" + ",\n".join(json.dumps(model, separators=(",", ":")) for model in models) + "\n]\n")


if __name__ == "__main__":
    main()
