"""Writes what training scripts leave behind, each a file of a few KB, and the answers of the networks in them.

Usage: python Scripts/goldens/checkpoints.py   (needs torch, safetensors and numpy)

Tests/VGGTrainingTests/Goldens/checkpoints gets the files and cases.json: for each file the size of its images and the
logits that PyTorch computes for `images`, or what the error must say. A further case is one line: `case(…)`, with the
network that must be found in the file, or with `refused`. Legacy files differ from run to run.
"""

import argparse
import collections
import copy
import dataclasses
import datetime
import decimal
import enum
import functools
import json
import pathlib
import shutil
import uuid
import warnings

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parents[2] / "Tests/VGGTrainingTests/Goldens/checkpoints"
SIZE = 8
cases = {}


class VGG(nn.Module):
    """torchvision's, with two blocks and layers as narrow as can be; for images [3, 8, 8]."""

    def __init__(self, rows=((1, 2), (1, 3)), channels=3, hidden=4, classes=2, batch_norm=False, extent=2):
        super().__init__()
        layers = []
        for convolutions, out in rows:
            for _ in range(convolutions):
                layers.append(nn.Conv2d(channels, out, 3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(out))
                layers.append(nn.ReLU())
                channels = out
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(channels * extent**2, hidden), nn.ReLU(), nn.Dropout(),
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, classes))

    def forward(self, images):
        return self.classifier(torch.flatten(self.features(images), 1))


def network(seed, kind=VGG, **options):
    """With numbers that matter everywhere."""
    model = kind(**options).eval()
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            tensor.normal_(0, 0.5, generator=generator)
            if name.endswith("running_var"):
                tensor.abs_().add_(0.5)
    return model


def images(size, channels=3):
    """Two, [2, channels, size, size], which the tests make in the same way."""
    numbers = torch.arange(2 * size * size * channels)
    return ((numbers * 37) % 101).float().div(101).sub(0.5).reshape(2, size, size, channels).permute(0, 3, 1, 2)


def case(name, value, model=None, *, size=SIZE, channels=3, key=None, took=None, refused=None, **options):
    """Writes `value` as the file `name`; None is for another case of the same file.

    model    the network that must be found in it
    key      what --weights-key says
    took     the key whose weights must be taken, and those of others that are as good
    refused  what the error must say, where there is no such network
    """
    file = f"{name}.pth" if "." not in name else name
    if file.endswith(".safetensors") and value:
        save_file({name: tensor.clone() for name, tensor in value.items()}, FOLDER / file)
    elif value:
        torch.save(value, FOLDER / file, **options)
    expected = {"file": file, "size": size, "channels": channels, "key": key, "refused": refused}
    if took:
        expected["took"], expected["others"] = took[0], list(took[1:])
    if model is not None:
        with torch.inference_mode():
            expected["logits"] = model(images(size, channels)).flatten().tolist()
    cases[name if key is None else f"{name}, {key}"] = {k: v for k, v in expected.items() if v is not None}


# What lies beside the weights


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Settings:
    rate: float
    model: object = None


Point = collections.namedtuple("Point", "x y")


class Attributes(dict):
    """As configurations of several libraries are: a kind of dictionary."""


class Slots:
    __slots__ = ("weights",)


def anything(model):
    """Objects that checkpoints have beside the weights."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    sum(parameter.sum() for parameter in model.parameters()).backward()
    optimizer.step()
    cycle = [1]
    cycle.append(cycle)
    return {
        "args": argparse.Namespace(lr=0.1, layers=[1, 2], out=pathlib.Path("runs")), "best": np.float64(0.5),
        "count": np.int64(7), "array": np.arange(6).reshape(2, 3), "texts": np.array(["a", None], dtype=object),
        "path": pathlib.Path("/tmp/run"), "when": datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.timezone.utc),
        "took": datetime.timedelta(seconds=7), "set": {1, 2}, "frozen": frozenset({"a"}), "colour": Colour.RED,
        "bytes": b"\x00\xff", "array of bytes": bytearray(b"abc"), "large": 10**30, "negative": -(2**40),
        "complex": 1 + 2j, "decimal": decimal.Decimal("0.1"), "id": uuid.UUID(int=5), "range": range(3),
        "slice": slice(1, 2), "ellipsis": ..., "class": Settings, "function": network, "built-in": len,
        "settings": Settings(0.1), "point": Point(1, 2), "partial": functools.partial(nn.ReLU, inplace=True),
        "default": collections.defaultdict(list, a=[1]), "counter": collections.Counter("abca"),
        "deque": collections.deque([1, 2], maxlen=3), "attributes": Attributes(lr=0.1, inner=Attributes(a=1)),
        "criterion": nn.CrossEntropyLoss(weight=torch.ones(2)), "optimizer": optimizer,
        "optimizer_state": optimizer.state_dict(), "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 3),
        "dtype": torch.float16, "device": torch.device("cpu"), "size": torch.Size([2, 3]),
        "random": torch.get_rng_state(), "numpy_random": np.random.RandomState(0).get_state(),
        "sparse": torch.eye(2).to_sparse(), "complex tensor": torch.ones(2, dtype=torch.complex64),
        "quantized": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "meta": torch.ones(2, device="meta"),
        "float8": torch.ones(2).to(torch.float8_e4m3fn), "unsigned": torch.ones(2).to(torch.uint16), "cycle": cycle,
        "surrogate": "caf\udce9",
    }


def write_beside():
    model = network(1)
    weights = model.state_dict()
    case("tensor-beside", {"epoch": 3, "best_acc1": torch.tensor(70.1), "state_dict": weights}, model)
    everything = {**anything(copy.deepcopy(model)), "state_dict": weights}
    case("anything-beside", everything, model, took=["state_dict"])
    case("anything-beside-legacy", everything, model, _use_new_zipfile_serialization=False)
    del everything["surrogate"]  # Python cannot write it as text.
    for protocol in (1, 3, 4, 5):
        case(f"protocol-{protocol}", everything, model, pickle_protocol=protocol)
        case(f"protocol-{protocol}-legacy", everything, model, pickle_protocol=protocol,
             _use_new_zipfile_serialization=False)
    mixed = {**weights, "epoch": 3, "mask": torch.ones(2, dtype=torch.bool), "steps": torch.ones(2, dtype=torch.int32),
             "_extra_state": Settings(0.1), "config": Attributes(lr=0.1)}
    case("mixed", {name: mixed[name] for name in ("epoch", *weights, "config", "_extra_state")}, model)


# Where the weights are


def write_places():
    model = network(2)
    weights = model.state_dict()
    case("text-under-model", {"model": "vgg11", "weights": weights}, model)
    case("none-under-model", {"model": None, "state_dict": None, "model_state": weights}, model)
    case("deep", {"a": [{"b": ({"c": {7: {"d": weights}}},)}]}, model, took=["a.0.b.0.c.7.d"])
    case("list", [3, weights], model)
    case("tuple", (weights, 3), model)
    case("namespace", argparse.Namespace(epoch=3, net=weights), model, took=["net"])
    case("dataclass", {"state": Settings(0.1, weights)}, model)
    slots = Slots()
    slots.weights = weights
    case("slots", slots, model)
    case("kind-of-dictionary", Attributes(checkpoint=Attributes(weights)), model)
    case("set-of-tuples", {"x": {("a", 1)}, "state_dict": weights}, model)
    case("bytes-for-names", {b"state_dict": {name.encode(): tensor for name, tensor in weights.items()}}, model)
    case("named-parameters", list(model.named_parameters()), model)
    parts = {"classifier": model.classifier.state_dict(), "features": model.features.state_dict()}
    case("in-parts", {"epoch": 3, "net": parts, "optimizer": {"weight": torch.ones(1)}}, model)
    shared = {"weights": weights}
    shared["self"] = shared
    case("shared", {"first": shared, "second": [shared, shared], "third": weights}, model, took=["third"])
    small = VGG(rows=((1, 2),), extent=4)
    case("larger-of-two", {"discriminator": small.state_dict(), "generator": weights}, model)


# Whole modules


def write_modules():
    model, normed = network(3), network(4, batch_norm=True)
    case("whole-module", model, model)
    case("whole-module-legacy", normed, normed, _use_new_zipfile_serialization=False)
    case("whole-module-protocol-4", {"epoch": 3, "model": normed}, normed, pickle_protocol=4)
    case("data-parallel", nn.DataParallel(model), model)
    case("traced", torch.fx.symbolic_trace(model), model)
    both = {"model": model, "state_dict": model.state_dict(), "features": model.features}
    case("module-and-dictionary", both, model)


# How tensors are kept


class Subclass(torch.Tensor):
    pass


class SubclassOfParameter(nn.Parameter):
    pass


def laid_out(tensor):
    """The same numbers in another order of memory."""
    if tensor.dim() == 4:
        return tensor.to(memory_format=torch.channels_last)
    return tensor.t().contiguous().t() if tensor.dim() == 2 else torch.stack([tensor, tensor], 1)[:, 0]


def write_kept():
    model, normed = network(11), network(12, batch_norm=True)
    weights = model.state_dict()
    flat = torch.cat([tensor.flatten() for tensor in weights.values()])
    parts = flat.split([tensor.numel() for tensor in weights.values()])
    views = {name: part.view_as(tensor) for part, (name, tensor) in zip(parts, weights.items())}
    case("one-storage", views, model)
    case("one-storage-legacy", views, model, _use_new_zipfile_serialization=False)
    case("channels-last", {name: laid_out(tensor) for name, tensor in weights.items()}, model)
    parameters = {name: nn.Parameter(tensor) for name, tensor in weights.items()}
    for parameter in parameters.values():
        parameter.tag = "of somebody's"
    case("parameters-with-state", parameters, model)
    case("subclass", {name: tensor.as_subclass(Subclass) for name, tensor in weights.items()}, model)
    case("subclass-of-parameter", {name: SubclassOfParameter(tensor) for name, tensor in weights.items()}, model)
    complex_ones = torch.ones(2, dtype=torch.complex64)
    odd = {"empty": torch.empty(0), "scalar": torch.tensor(1.5), "none": torch.empty(0, 3, 3, 3)}
    beside = {"sparse": torch.eye(2).to_sparse(), "complex": complex_ones,
              "quantized": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}
    case("odd-tensors", {**odd, **weights, "truth": torch.ones(2, dtype=torch.bool), "complex": complex_ones}, model)
    case("odd-tensors-beside", {"odd": {**odd, **beside}, "net": {**weights, **odd}}, model)
    half = copy.deepcopy(normed)
    for module in half.modules():
        if isinstance(module, nn.Conv2d):
            module.to(torch.bfloat16)
        if isinstance(module, nn.Linear):
            module.half()
    case("half-precision", half.state_dict(), copy.deepcopy(half).float())


# What libraries write


def write_libraries():
    model, normed, average = network(13), network(14, batch_norm=True), network(15)
    weights, averaged = model.state_dict(), average.state_dict()
    case("compiled", torch.compile(model).state_dict(), model)
    lightning = {
        "epoch": 3, "global_step": 7, "pytorch-lightning_version": "2.5.0",
        "state_dict": {**{f"model.{name}": tensor for name, tensor in normed.state_dict().items()},
                       "criterion.weight": torch.ones(2), "train_acc.total": torch.tensor(3)},
        "loops": {"fit_loop": {"state_dict": {}}}, "callbacks": {"ModelCheckpoint": {"best": torch.tensor(0.5)}},
        "optimizer_states": [torch.optim.Adam(model.parameters()).state_dict()], "lr_schedulers": [{}],
        "hyper_parameters": Attributes(lr=0.1, net=Settings(0.1))}
    case("lightning", lightning, normed)
    shapes = [collections.OrderedDict((name, tensor.shape) for name, tensor in weights.items())]
    deepspeed = {"module": weights, "buffer_names": [], "optimizer": None, "param_shapes": shapes, "ds_config": {},
                 "sparse_tensor_module_names": set(), "dp_world_size": 1}
    case("deepspeed", deepspeed, model)
    case("averaged-model", torch.optim.swa_utils.AveragedModel(average).state_dict(), average)
    case("own-average", {"state_dict": weights, "ema_state_dict": averaged}, average,
         took=["ema_state_dict", "state_dict"])
    # Its hook swaps the two when it saves: the average is what is tested and used.
    mmengine = {"meta": {"epoch": 1}, "state_dict": {f"backbone.{name}": t for name, t in averaged.items()},
                "message_hub": {"log_scalars": {}},
                "ema_state_dict": {"steps": torch.tensor(3),
                                   **{f"module.backbone.{name}": t for name, t in weights.items()}}}
    case("mmengine", mmengine, average, took=["state_dict", "ema_state_dict"])


# Several


def write_several():
    model, average = network(5), network(6)
    weights, averaged = model.state_dict(), average.state_dict()
    several = {"model": weights, "model_ema": averaged, "epoch": 3}
    case("average", several, average, took=["model_ema", "model"])
    case("average", None, model, key="model", took=["model"])
    case("average", None, average, key="model_ema")
    case("average", None, key="ema", refused='has no weights under "ema", but under "model", "model_ema"')
    case("average", None, key="epoch", refused='has no weights under "epoch", but under "model", "model_ema"')
    timm = {"arch": "vgg11", "state_dict": weights, "state_dict_ema": averaged, "metric": 0.5}
    case("average-of-timm", timm, average, took=["state_dict_ema", "state_dict"])
    gradients = {name: tensor * 2 for name, tensor in weights.items()}
    case("gradients", {"optimizer": {"exp_avg": gradients}, "net": weights}, model, took=["net", "optimizer.exp_avg"])
    case("last-and-best", {"best": weights, "last": averaged}, model, took=["best", "last"])
    case("last-and-best", None, average, key="last")
    ensemble = {"nets": [weights, averaged]}
    case("ensemble", ensemble, model, took=["nets.0", "nets.1"])
    case("ensemble", None, average, key="nets.1", took=["nets.1"])
    swa = torch.optim.swa_utils.AveragedModel(average)
    case("swa", {"model": model, "swa_model": swa}, took=["swa_model", "model"])
    flat = {f"{prefix}.{name}": tensor for prefix, tensors in (("model", weights), ("ema.module", averaged))
            for name, tensor in tensors.items()}
    case("flat.safetensors", flat, average, took=["ema.module", "model"])
    case("flat.safetensors", None, model, key="model", took=["model"])
    case("flat.safetensors", None, key="net", refused='has no weights under "net", but under "ema.module", "model"')
    case("flat", {"state_dict": flat}, average, took=["state_dict.ema.module", "state_dict.model"])
    case("flat", None, model, key="state_dict.model", took=["state_dict.model"])


# What is not read


class Attack:
    def __reduce__(self):
        import os
        return os.system, ("echo the file was executed; touch executed",)


def write_refused():
    model = network(7)
    weights = model.state_dict()
    case("attack-beside", {"state_dict": weights, "hook": Attack()}, model)
    case("attack-inside", {**weights, "features.0.weight": Attack()},
         refused='tensor "features.0.weight" is made by "posix.system"')
    quantized = torch.quantize_per_tensor(weights["features.0.weight"], 0.1, 0, torch.qint8)
    case("quantized", {**weights, "features.0.weight": quantized},
         refused='tensor "features.0.weight" is made by "torch._utils._rebuild_qtensor"')
    dynamic = torch.ao.quantization.quantize_dynamic(copy.deepcopy(model), {nn.Linear})
    case("quantized-classifier", dynamic.state_dict(), refused='"classifier.0" is a quantized layer')
    case("arrays", {name: tensor.numpy() for name, tensor in weights.items()},
         refused='tensor "features.0.weight" is made by "numpy')
    case("complex", {**weights, "features.0.bias": weights["features.0.bias"].to(torch.complex64)},
         refused='tensor "features.0.bias": its numbers are in a torch.ComplexFloatStorage')
    case("nothing", {"epoch": 3}, refused='there are no convolutions and no other tensors, only "epoch"')


def main():
    warnings.simplefilter("ignore")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    write_beside()
    write_places()
    write_modules()
    write_kept()
    write_libraries()
    write_several()
    write_refused()
    (FOLDER / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
