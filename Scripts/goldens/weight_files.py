"""Writes small weight files with PyTorch, safetensors and onnx: what the readers and writers are judged by.

Usage: python Scripts/goldens/weight_files.py   (needs torch, safetensors and onnx)

Tests/VGGFormatsTests/Goldens gets
  types.*             every number type and every kind of view, in all containers
  names-*.safetensors one network under the names of each library
  *.onnx              networks as onnx.helper writes them
  refused-*.pth       what a reader must refuse
and Tests/VGGTrainingTests/Goldens networks with the logits PyTorch computes.

Legacy files differ from run to run: PyTorch calls a storage by its address in memory.
"""

import collections
import io
import pickle
import struct
import zipfile
from pathlib import Path

import onnx
import torch
from onnx import helper
from safetensors.torch import save_file
from torch import nn

TESTS = Path(__file__).parents[2] / "Tests"
FORMATS = TESTS / "VGGFormatsTests/Goldens"
TRAINING = TESTS / "VGGTrainingTests/Goldens"

# Exact in every type: the float a reader makes of them does not depend on rounding.
VALUES = [0.0, -0.0, 1.0, -2.5, 0.15625, 96.0, float("inf"), float("-inf")]
TYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def save_legacy(value, file, **options):
    torch.save(value, file, _use_new_zipfile_serialization=False, **options)


# Number types and views


def typed_tensors():
    tensors = collections.OrderedDict()
    for name, dtype in TYPES.items():
        tensors[name] = torch.tensor(VALUES, dtype=dtype)
        grid = torch.arange(24, dtype=dtype).reshape(2, 3, 4)
        tensors[f"{name}.transposed"] = grid.transpose(0, 2)
        tensors[f"{name}.part"] = grid[1:, 1:, 1:3]
        tensors[f"{name}.shared"] = grid.reshape(24)[5:]
    tensors["i64"] = torch.tensor([3, -7, 2**24])
    tensors["scalar"] = torch.tensor(7.0)
    tensors["empty"] = torch.zeros(0, 3)
    tensors["repeated"] = torch.tensor([1.5, -3.0]).expand(3, 2)
    tensors["parameter"] = nn.Parameter(torch.tensor([1.0, 2.0]))
    return tensors


def write_types():
    tensors = typed_tensors()
    save_file({name: tensor.detach().to(torch.float32).clone().contiguous() for name, tensor in tensors.items()},
              FORMATS / "types-expected.safetensors")
    torch.save(tensors, FORMATS / "types-zip.pth")
    torch.save(tensors, FORMATS / "types-protocol4.pth", pickle_protocol=4)
    save_legacy(tensors, FORMATS / "types-legacy.pth")
    save_legacy(tensors, FORMATS / "types-legacy-protocol4.pth", pickle_protocol=4)


class Python2017:
    """The opcodes Python 2 and PyTorch 0.1 wrote: byte strings, OrderedDict from a list, _rebuild_tensor."""

    def __init__(self, tensors):
        self.storages = []
        pairs = b"".join(b"]" + b"(" + self.text(name) + self.tensor(tensor) + b"e" for name, tensor in tensors.items())
        self.pickle = b"\x80\x02ccollections\nOrderedDict\n](" + pairs + b"e\x85R."

    def text(self, text):
        return b"U" + bytes([len(text)]) + text.encode()

    def tensor(self, tensor):
        key = f"1402{len(self.storages):08}"
        self.storages.append((key, tensor))
        persistent = (b"(" + self.text("storage") + b"ctorch\nFloatStorage\n" + self.text(key) + self.text("cpu")
                      + pickle_integer(tensor.numel()) + b"NtQ")
        shape = b"(" + b"".join(map(pickle_integer, tensor.shape)) + b"t"
        strides = b"(" + b"".join(map(pickle_integer, tensor.stride())) + b"t"
        return b"ctorch._utils\n_rebuild_tensor\n(" + persistent + pickle_integer(0) + shape + strides + b"tR"

    def write(self, path):
        with open(path, "wb") as file:
            for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
                pickle.dump(value, file, protocol=2)
            file.write(self.pickle)
            pickle.dump([key for key, _ in self.storages], file, protocol=2)
            for _, tensor in self.storages:
                file.write(struct.pack("<q", tensor.numel()) + tensor.numpy().tobytes())


def pickle_integer(value):
    return b"J" + struct.pack("<i", value)


def write_2017():
    tensors = collections.OrderedDict(a=torch.arange(6.0).reshape(2, 3), b=torch.tensor([-1.5]))
    path = FORMATS / "legacy-2017.pth"
    Python2017(tensors).write(path)
    loaded = torch.load(path)
    assert list(loaded) == list(tensors) and all(torch.equal(loaded[name], tensors[name]) for name in tensors)


# What must be refused


def write_refused():
    weights = {"w": torch.ones(2)}
    torch.save({"w": torch.ones(2, dtype=torch.complex64)}, FORMATS / "refused-type.pth")
    torch.save({"epoch": 3, "best": [1, 2]}, FORMATS / "refused-no-tensors.pth")
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    with zipfile.ZipFile(buffer) as source, \
            zipfile.ZipFile(FORMATS / "refused-deflated.pth", "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(zipfile.ZipInfo(entry.filename), source.read(entry), zipfile.ZIP_DEFLATED)


# Networks


class TorchvisionVGG(nn.Module):
    """torchvision's VGG with other rows, and hidden layers of `hidden`."""

    def __init__(self, rows, channels, classes, hidden, extent, batch_norm=False, pool=False):
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
        self.avgpool = nn.AdaptiveAvgPool2d(7) if pool else nn.Identity()
        self.classifier = nn.Sequential(
            nn.Linear(channels * extent**2, hidden), nn.ReLU(), nn.Dropout(),
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, classes))

    def forward(self, images):
        return self.classifier(torch.flatten(self.avgpool(self.features(images)), 1))


def tiny(batch_norm=False):
    """For images [3, 12, 12]."""
    return initialized(TorchvisionVGG([(1, 4), (2, 8)], 3, 5, 16, 3, batch_norm))


def pooled():
    """For images of any size."""
    return initialized(TorchvisionVGG([(1, 2), (1, 4)], 3, 3, 8, 7, pool=True))


def initialized(model):
    generator = torch.Generator().manual_seed(1)
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            torch.nn.init.normal_(tensor, std=0.3, generator=generator)
            if name.endswith("running_var"):
                tensor.abs_().add_(0.5)
    return model.eval()


def renamed(tensors, names):
    return {next((new + name.removeprefix(old) for old, new in names.items() if name.startswith(old)), name): tensor
            for name, tensor in tensors.items()}


def timm_names(tensors, extent):
    result = renamed(tensors, {"classifier.0": "pre_logits.fc1", "classifier.3": "pre_logits.fc2",
                               "classifier.6": "head.fc"})
    for layer, size in (("fc1", extent), ("fc2", 1)):
        weight = result[f"pre_logits.{layer}.weight"]
        result[f"pre_logits.{layer}.weight"] = weight.reshape(weight.shape[0], -1, size, size)
    return result


def d2l_names(tensors):
    """Of `tiny(batch_norm=True)`, nested as the chapter does it."""
    return renamed(tensors, {
        "features.0.": "0.0.", "features.1.": "0.1.", "features.4.": "1.0.", "features.5.": "1.1.",
        "features.7.": "1.3.", "features.8.": "1.4.", "classifier.0.": "3.", "classifier.3.": "6.",
        "classifier.6.": "9."})


def write_names():
    tensors = tiny(batch_norm=True).state_dict()
    nested = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
                      nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Flatten(), nn.Linear(72, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 16), nn.ReLU(), nn.Dropout(),
        nn.Linear(16, 5))
    d2l = d2l_names(tensors)
    nested.load_state_dict(d2l, strict=True)
    without_counters = {name: t for name, t in tensors.items() if not name.endswith("num_batches_tracked")}
    save_file(without_counters, FORMATS / "names-torchvision.safetensors")
    save_file(renamed(without_counters, {"classifier.0": "classifier.1", "classifier.3": "classifier.4"}),
              FORMATS / "names-torchvision2017.safetensors")
    save_file(timm_names(tensors, 3), FORMATS / "names-timm.safetensors")
    save_file(d2l, FORMATS / "names-d2l.safetensors")
    torch.save({"epoch": 3, "state_dict": {f"module.{name}": t for name, t in tensors.items()},
                "optimizer": {"lr": 0.1, "betas": (0.9, 0.999), "buffer": torch.ones(3)}},
               FORMATS / "names-wrapped.pth")


def write_logits():
    for name, model, size in (("tiny", tiny(), 12), ("pooled", pooled(), 20)):
        images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(2))
        with torch.no_grad():
            logits = model(images)
        save_file({"images": images.permute(0, 2, 3, 1).contiguous(), "logits": logits},
                  TRAINING / f"{name}-logits.safetensors")
        tensors = model.state_dict()
        torch.save(tensors, TRAINING / f"{name}.pth")
        if name == "tiny":
            save_legacy(timm_names(tensors, 3), TRAINING / "tiny-timm-legacy.pth")
            save_file(tensors, TRAINING / "tiny.safetensors")


# ONNX


def average_matrix(size, out):
    """Rows of `AdaptiveAvgPool2d`'s windows, one way."""
    return torch.nn.functional.adaptive_avg_pool1d(torch.eye(size), out).T.contiguous()


def onnx_model(model, size, pool_nodes, pool_tensors):
    """`model` as this package writes it: a chain of nodes named after torchvision's layers."""
    nodes, tensors, current = [], [], "input"

    def node(op, name, inputs=(), output=None, **attributes):
        nonlocal current
        nodes.append(helper.make_node(op, [current, *inputs], [output or name], name, **attributes))
        current = output or name

    state = model.state_dict()

    def tensor(name, value):
        tensors.append(helper.make_tensor(name, onnx.TensorProto.FLOAT, value.shape,
                                          value.contiguous().numpy().astype("<f4").tobytes(), raw=True))
        return name

    def read(prefix, *names):
        return [tensor(f"{prefix}.{name}", state[f"{prefix}.{name}"]) for name in names]

    for index, layer in enumerate(model.features):
        name = f"features.{index}"
        if isinstance(layer, nn.Conv2d):
            node("Conv", name, read(name, "weight", "bias"), kernel_shape=[3, 3], pads=[1] * 4, strides=[1, 1])
        elif isinstance(layer, nn.BatchNorm2d):
            node("BatchNormalization", name, read(name, "weight", "bias", "running_mean", "running_var"),
                 epsilon=layer.eps)
        elif isinstance(layer, nn.ReLU):
            node("Relu", name)
        else:
            node("MaxPool", name, kernel_shape=[2, 2], strides=[2, 2])
    for name, value in pool_tensors.items():
        tensor(name, value)
    for pool_node in pool_nodes(current):
        nodes.append(pool_node)
        current = pool_node.output[0]
    node("Flatten", "flatten", axis=1)
    for index, layer in enumerate(model.classifier):
        name = f"classifier.{index}"
        if isinstance(layer, nn.Linear):
            output = "logits" if index == 6 else None
            node("Gemm", name, read(name, "weight", "bias"), output=output, transB=1)
        elif isinstance(layer, nn.ReLU):
            node("Relu", name)
    classes = model.classifier[-1].out_features
    graph = helper.make_graph(
        nodes, "vgg",
        [helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["batch", 3, size, size])],
        [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["batch", classes])], tensors)
    result = onnx.ModelProto(ir_version=8, producer_name="swift-vgg", producer_version="test", graph=graph,
                             opset_import=[onnx.OperatorSetIdProto(version=17)])
    helper.set_model_props(result, {"note": "é"})
    onnx.checker.check_model(result, full_check=True)
    return result


def write_onnx():
    def nothing(current):
        return []

    def average(current):
        return [helper.make_node("AveragePool", [current], ["avgpool"], "avgpool", kernel_shape=[2, 2], strides=[2, 2])]

    def products(current):
        return [
            helper.make_node("MatMul", [current, "avgpool.columns"], ["avgpool.horizontal"], "avgpool.horizontal"),
            helper.make_node("MatMul", ["avgpool.rows", "avgpool.horizontal"], ["avgpool.vertical"],
                             "avgpool.vertical"),
        ]

    matrix = average_matrix(5, 7)
    for name, model, size, nodes, tensors in (
        ("tiny-bn", tiny(batch_norm=True), 12, nothing, {}),
        ("pooled-28", pooled(), 28, nothing, {}),
        ("pooled-56", pooled(), 56, average, {}),
        ("pooled-20", pooled(), 20, products, {"avgpool.columns": matrix.T.contiguous(), "avgpool.rows": matrix}),
    ):
        (FORMATS / f"{name}.onnx").write_bytes(onnx_model(model, size, nodes, tensors).SerializeToString(True))
    save_file(pooled().state_dict(), FORMATS / "pooled.safetensors")


def main():
    for folder in (FORMATS, TRAINING):
        folder.mkdir(parents=True, exist_ok=True)
    write_types()
    write_2017()
    write_refused()
    write_names()
    write_logits()
    write_onnx()


if __name__ == "__main__":
    main()
