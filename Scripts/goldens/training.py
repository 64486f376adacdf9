"""The first training steps of the chapter's slim VGG-11 on Fashion-MNIST, as PyTorch takes them.

Writes Tests/VGGEngineTests/Goldens/training.safetensors. The training images, resized with Pillow's bilinear filter
and divided by 255, come in batches of 16 and as they are stored, without dropout; a run that says "random" has the
chapter's dropout, and its images in the order of epoch 0, both drawn as vgg draws them.

Nothing big is stored: the initial weights follow from a seed. Element e (row-major, PyTorch's order) of
tensor p (its place among all stored tensors of the network, running statistics included) has the random
word Philox4x32-10(key = 42; counter = e / 4, 0, p, 1)[e % 4], which gives u = (word >> 8) 2^-24.
Weights are Xavier-uniform, biases PyTorch's default, ± 1 / sqrt(fan in); the value is (2 u - 1) bound in
32 bits. Batch norm starts with weight 1, bias 0, mean 0, variance 1.

Metadata "runs" lists the runs and their settings. Tensors of a run, NAME being torchvision's:
  RUN/losses        [steps]: the mean loss of each batch, before its update
  RUN/initial/NAME  the first 16 elements (fewer if it has fewer)
  RUN/final/NAME    n = min(64, count) elements; number k has the flat index k * count / n, rounded down
  RUN/norm/NAME     [1], the 2-norm of the whole final tensor
  RUN/change/NAME   [1], the 2-norm of final minus initial: what training did to it

Computed in double precision from the 32-bit initial weights and images, stored in 32 bits.
"""

import argparse
import json
import math
import pathlib

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

import fashion_mnist
import random_numbers
from models import VGG11, seed_vgg, slim

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/VGGEngineTests/Goldens/training.safetensors"
BATCH = 16
SEED = 42

PLAIN = {"learningRate": 0.05, "momentum": 0.0, "nesterov": False, "weightDecay": 0.0}
NESTEROV = {"learningRate": 0.05, "momentum": 0.9, "nesterov": True, "weightDecay": 5e-4}
SMALL = PLAIN | {"learningRate": 0.01}
# PyTorch's own 32-bit results stay within 2e-6 (weights, relative) of these runs. More steps at 96, or a
# larger rate with batch norm, let single ReLUs flip within rounding, and the runs part.
RUNS = [
    {"name": "sgd-32", "size": 32, "steps": 10, "batchNorm": False, "optimizer": PLAIN},
    {"name": "nesterov-32", "size": 32, "steps": 10, "batchNorm": False, "optimizer": NESTEROV},
    {"name": "sgd-96", "size": 96, "steps": 4, "batchNorm": False, "optimizer": PLAIN},
    {"name": "batch-norm-32", "size": 32, "steps": 5, "batchNorm": True, "optimizer": SMALL},
    {"name": "random-32", "size": 32, "steps": 10, "batchNorm": False, "random": True, "optimizer": PLAIN},
]


def uniform(shape, number, bound):
    """Values in -bound..<bound for the network's tensor number `number`."""
    count = math.prod(shape)
    words = random_numbers.words(count, SEED, random_numbers.INITIALIZATION, number)
    u = (words >> np.uint64(8)).astype(np.float32) * np.float32(2.0 ** -24)
    values = (np.float32(2) * u - np.float32(1)) * np.float32(bound)
    return torch.from_numpy(values.reshape(shape))


def torchvision_names(model):
    """From the chapter's nested names ("0.0.weight") to torchvision's ("features.0.weight")."""
    features = [layer for block in model if isinstance(block, nn.Sequential) for layer in block]
    after_flatten = [layer for layer in model if not isinstance(layer, nn.Sequential)][1:]
    return nn.ModuleDict({"features": nn.Sequential(*features), "classifier": nn.Sequential(*after_flatten)})


def draw_dropout(model):
    """Gives the model dropout whose masks are vgg's; a layer's place counts from the network's first."""
    place = 0
    for index, layer in enumerate(model):
        if isinstance(layer, nn.Dropout):
            model[index] = random_numbers.Dropout(SEED, place)
        place += len(layer) if isinstance(layer, nn.Sequential) else 1


def initialise(model):
    """The initial tensors in the network's order, as 32-bit floats."""
    tensors = {}
    names = [name for name in model.state_dict() if not name.endswith("num_batches_tracked")]
    for number, name in enumerate(names):
        layer = model.get_submodule(name.rpartition(".")[0])
        tensor = model.state_dict()[name]
        if isinstance(layer, nn.BatchNorm2d):
            tensors[name] = tensor.float().clone()
        else:
            fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(layer.weight)
            bound = math.sqrt(6 / (fan_in + fan_out)) if name.endswith("weight") else 1 / math.sqrt(fan_in)
            tensors[name] = uniform(tuple(tensor.shape), number, bound)
    return tensors


def train(run, images, labels):
    model = seed_vgg(slim(VGG11, 4), run["size"], dropout=0, batch_norm=run["batchNorm"]).double()
    count = run["steps"] * BATCH
    order = np.arange(count)
    if run.get("random"):
        draw_dropout(model)
        order = np.array(random_numbers.order(count, SEED, epoch=0))
    named = torchvision_names(model)
    initial = initialise(named)
    named.load_state_dict(initial, strict=False)

    settings = run["optimizer"]
    optimizer = torch.optim.SGD(
        model.parameters(), lr=settings["learningRate"], momentum=settings["momentum"],
        nesterov=settings["nesterov"], weight_decay=settings["weightDecay"])
    losses = []
    for start in range(0, count, BATCH):
        batch = order[start:start + BATCH]
        pictures = [Image.fromarray(image).resize((run["size"], run["size"]), Image.Resampling.BILINEAR)
                    for image in images[batch]]
        x = torch.from_numpy(np.stack(pictures).astype(np.float32) / np.float32(255)).double()
        y = torch.from_numpy(labels[batch].astype(np.int64))
        loss = nn.functional.cross_entropy(model(x.unsqueeze(1)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    results = {"losses": torch.tensor(losses)}
    final = named.state_dict()
    for name, start in initial.items():
        end = final[name]
        count = end.numel()
        n = min(64, count)
        results[f"initial/{name}"] = start.reshape(-1)[:16].clone()
        results[f"final/{name}"] = end.reshape(-1)[[k * count // n for k in range(n)]]
        results[f"norm/{name}"] = end.norm().reshape(1)
        results[f"change/{name}"] = (end - start).norm().reshape(1)
    return {key: value.float() for key, value in results.items()}


def main():
    random_numbers.check()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=pathlib.Path)
    folder = fashion_mnist.folder(parser.parse_args().data_dir)
    images, labels = fashion_mnist.read(folder, "train")

    tensors = {}
    for run in RUNS:
        results = train(run, images, labels)
        tensors |= {f"{run['name']}/{key}": value for key, value in results.items()}
        print(run["name"], " ".join(f"{loss:.4f}" for loss in results["losses"].tolist()))
    settings = [run | {"batch": BATCH, "seed": SEED} for run in RUNS]
    save_file(tensors, OUTPUT, metadata={"runs": json.dumps(settings, separators=(",", ":"))})
    print(f"{OUTPUT.name}: {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
