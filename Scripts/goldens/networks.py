"""Writes VGGs as people's scripts write them, and what PyTorch computes with them.

Usage: python Scripts/goldens/networks.py   (needs torch and safetensors)

Tests/VGGTrainingTests/Goldens/networks gets the weight files, and
  expected.json         {file: {"rows", "hidden", "classes", "size", "logits"}}; "features" and "layer" instead of the
                        logits of networks without a classifier; "conv_arch" where the names leave more than one answer,
                        and "refused", what the error without it must say
  images.safetensors    [32, 32, 3]; smaller networks see its upper left corner
"""

import collections
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parents[2] / "Tests/VGGTrainingTests/Goldens/networks"
VGG11 = [[1], [2], [4, 4], [8, 8], [8, 8]]
VGG16 = [[1, 1], [2, 2], [4, 4, 4], [8, 8, 8], [8, 8, 8]]
expected = {}
images = torch.rand(32, 32, 3, generator=torch.Generator().manual_seed(1))


def blocks(rows, batch_norm=False, bias=True, dropout_inside=False, dropout_before_pool=False):
    layers, channels = [], 3
    for row in rows:
        for index, width in enumerate(row):
            layers.append(nn.Conv2d(channels, width, 3, padding=1, bias=bias))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU())
            if dropout_before_pool if index == len(row) - 1 else dropout_inside:
                layers.append(nn.Dropout())
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def linear(inputs, hidden, classes=5, dropout_first=False):
    layers = [nn.Dropout()] if dropout_first else []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, classes)) if layers else nn.Linear(inputs, classes)


class Net(nn.Module):
    def __init__(self, features, classifier, pool=None):
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d(pool) if pool else nn.Identity()
        self.classifier = classifier
        generator = torch.Generator().manual_seed(2)
        for name, tensor in self.state_dict().items():
            if tensor.is_floating_point():
                nn.init.normal_(tensor, std=0.4, generator=generator)
                if name.endswith("running_var"):
                    tensor.abs_().add_(0.5)
        self.eval()

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def batch(size):
    return images[:size, :size].permute(2, 0, 1)[None]


def text(rows):
    return ",".join(f"{len(row)}x{row[0]}" if len(set(row)) == 1 else "+".join(map(str, row)) for row in rows)


def case(name, rows, model, tensors=None, size=32, hidden=(), **more):
    torch.save(model.state_dict() if tensors is None else tensors, FOLDER / f"{name}.pth")
    with torch.inference_mode():
        logits = model(batch(size))[0].tolist()
    expected[f"{name}.pth"] = {
        "rows": text(rows), "hidden": list(hidden), "classes": len(logits), "size": size, "logits": logits, **more}


def features_case(name, rows, model, tensors, index, layer, **more):
    torch.save(tensors, FOLDER / f"{name}.pth")
    with torch.inference_mode():
        maps = model.features[: index + 1](batch(32))[0]
    expected[f"{name}.pth"] = {
        "rows": text(rows), "hidden": [], "classes": 0, "size": 224, "layer": layer,
        "features": maps.flatten().tolist(), **more}


def renamed(model, convolutions, norms=(), linears=()):
    """The tensors of `model`, its layers of each kind called so, in the order in which a script makes them."""
    kinds = {nn.Conv2d: iter(convolutions), nn.BatchNorm2d: iter(norms), nn.Linear: iter(linears)}
    result = collections.OrderedDict()
    for layer in model.modules():
        if type(layer) in kinds:
            name = next(kinds[type(layer)])
            result.update((f"{name}.{key}", tensor) for key, tensor in layer.state_dict().items())
    return result


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    save_file({"images": images}, FOLDER / "images.safetensors")

    # Classifiers
    case("one-linear", VGG11, Net(blocks(VGG11), linear(8, ()), pool=1))
    case("two-linear-no-bias", [[4, 4], [8]], Net(blocks([[4, 4], [8]], True, bias=False), linear(8 * 16, (6,))),
         size=16, hidden=[6])
    case("four-linear", [[4], [6], [8]], Net(blocks([[4], [6], [8]]), linear(8 * 9, (6, 7, 8), dropout_first=True)),
         size=24, hidden=[6, 7, 8])
    unequal = [[4, 8], [8, 12], [12, 12], [12]]
    case("unequal", unequal, Net(blocks(unequal), linear(12, (), 5), pool=1), size=16,
         conv_arch="4+8,8+12,2x12,1x12", refused="its names fit 4+8,8+12,2x12,1x12, and also ")
    model = Net(blocks(VGG11), linear(8, (6, 7)))
    tensors = model.state_dict()
    for index in (0, 3, 6):
        tensors[f"classifier.{index}.weight"] = tensors[f"classifier.{index}.weight"][:, :, None, None]
    tensors = {name.replace("classifier.0", "pre_logits.fc1").replace("classifier.3", "pre_logits.fc2")
               .replace("classifier.6", "head.fc"): tensor for name, tensor in tensors.items()}
    case("timm", VGG11, model, tensors, hidden=[6, 7])

    # Names
    model = Net(blocks(VGG16), linear(8, (6, 7)))
    places = [(block + 1, index + 1) for block, row in enumerate(VGG16) for index in range(len(row))]
    case("caffe", VGG16, model, renamed(model, ["conv%d_%d" % p for p in places], linears=["fc6", "fc7", "fc8"]),
         hidden=[6, 7])
    case("keras", VGG16, model, renamed(
        model, ["block%d_conv%d" % p for p in places], linears=["fc1", "fc2", "predictions"]), hidden=[6, 7])
    model = Net(blocks(VGG16, batch_norm=True), linear(8, (6, 7)))
    count = range(1, len(places) + 1)
    case("layers", VGG16, model, renamed(
        model, [f"layer{n}.0" for n in count], [f"layer{n}.1" for n in count], ["fc.1", "fc1.1", "fc2.0"]),
        hidden=[6, 7])
    model = Net(blocks(VGG11), linear(8, (6, 7)))
    tensors = {"n_averaged": torch.tensor(3), "criterion.weight": torch.ones(5)}
    tensors |= {"module._orig_mod.model." + name.replace("features.", "features.module."): tensor
                for name, tensor in model.state_dict().items()}
    tensors |= {"aux_head.weight": torch.ones(5, 8), "mean": torch.zeros(3)}
    case("wrapped", VGG11, model, tensors, hidden=[6, 7],
         passed_over="n_averaged, criterion.weight, aux_head.weight, mean")

    # Features alone
    model = Net(blocks(VGG16), linear(8, ()))
    only = {name.removeprefix("features."): tensor for name, tensor in model.state_dict().items() if "features" in name}
    features_case("bare", VGG16, model, only, 22, "relu4_3")
    # A perceptual loss's slices, which end after the ReLUs and not at the pools.
    names = [f"net.slice{1 + sum(int(n) > end for end in (1, 6, 11, 20))}.{n}"
             for n in dict.fromkeys(name.split(".")[0] for name in only)]
    sliced = {"shift": torch.zeros(3)} | renamed(model.features, names)
    sliced |= {f"lin{n}.weight": torch.ones(1, 8, 1, 1) for n in range(5)}
    features_case("slices", VGG16, model, sliced, 13, "relu3_2",
                  passed_over="shift, lin0.weight, lin1.weight, lin2.weight, lin3.weight …")
    detector = {f"vgg.{name}": tensor for name, tensor in only.items()}
    detector |= {"vgg.31.weight": torch.ones(16, 8, 3, 3), "vgg.33.weight": torch.ones(16, 16, 1, 1),
                 "L2Norm.weight": torch.ones(8), "loc.0.weight": torch.ones(16, 8, 3, 3)}
    features_case("detector", VGG16, model, detector, 29, "relu5_3",
                  passed_over="vgg.31.weight, vgg.33.weight, L2Norm.weight, loc.0.weight")

    # Dropout between convolutions
    case("dropout-everywhere", VGG11, Net(
        blocks(VGG11, dropout_inside=True, dropout_before_pool=True), linear(8, ())))
    case("dropout-inside", VGG11, Net(blocks(VGG11, dropout_inside=True), linear(8, ())), conv_arch=text(VGG11),
         refused="its names fit 1x1,1x2,1x4,1x4,1x8,1x8,1x8,1x8, and also 1x1,1x2,2x4,2x8,2x8")
    own = [[2, 2], [4, 4], [6, 6, 6]]
    case("dropout-after-pools", own, Net(
        nn.Sequential(*[layer for old in blocks(own) for layer in ([old, nn.Dropout()] if isinstance(old, nn.MaxPool2d)
                                                                   else [old])]), linear(6 * 16, ())),
         conv_arch=text(own), refused="features.2 and features.6 are not as far apart as in a VGG")

    (FOLDER / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
    print(len(expected), "files")


if __name__ == "__main__":
    main()
