"""Forward values and gradients of every operator, odd shapes included, as PyTorch has them.

Writes Tests/VGGEngineTests/Goldens/operators.safetensors. Each case is a tiny network that ends in
flatten, a linear layer and the mean cross-entropy. A convolution in front of the operator under test
shows the operator's input gradient: it is in that convolution's weight gradient.

Metadata "cases" lists the networks. Tensors of a case:
  CASE/input          [batch, height, width, channels]
  CASE/param/NAME     the initial tensors under torchvision's names
  CASE/logits         [batch, classes], inference mode, initial tensors
  CASE/loss           [1], the mean over the batch, in the case's mode
  CASE/grad/NAME      training mode only: of the mean loss
  CASE/after/NAME     training mode only: batch norm's running statistics after the step

Everything is computed in double precision from 32-bit inputs and stored in 32 bits.
"""

import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/VGGEngineTests/Goldens/operators.safetensors"
# Where 32-bit rounding could flip a ReLU or the winner of a max pool, a golden would prove nothing.
MARGIN = 1e-4


def conv(in_channels, out_channels, kernel, stride=1, padding=0):
    return {"type": "convolution", "in": in_channels, "out": out_channels, "kernel": kernel,
            "stride": stride, "padding": padding}


def pool(kind, window, stride):
    return {"type": kind, "window": window, "stride": stride}


def adaptive(height, width):
    return {"type": "adaptiveAveragePool", "height": height, "width": width}


def norm(channels):
    return {"type": "batchNorm", "channels": channels}


def linear(inputs, outputs):
    return {"type": "linear", "in": inputs, "out": outputs}


RELU = {"type": "relu"}
FLATTEN = {"type": "flatten"}


def module(layer):
    match layer["type"]:
        case "convolution":
            return nn.Conv2d(layer["in"], layer["out"], layer["kernel"], layer["stride"], layer["padding"])
        case "relu": return nn.ReLU()
        case "maxPool": return nn.MaxPool2d(layer["window"], layer["stride"])
        case "averagePool": return nn.AvgPool2d(layer["window"], layer["stride"])
        case "adaptiveAveragePool": return nn.AdaptiveAvgPool2d((layer["height"], layer["width"]))
        case "batchNorm": return nn.BatchNorm2d(layer["channels"])
        case "flatten": return nn.Flatten()
        case "linear": return nn.Linear(layer["in"], layer["out"])


def names(layers):
    """torchvision's: features.N before flatten, classifier.N after it; avgpool and flatten apart."""
    counts = {"features": 0, "classifier": 0}
    part = "features"
    for layer in layers:
        if layer["type"] == "flatten":
            part = "classifier"
            yield "flatten"
        elif layer["type"] == "adaptiveAveragePool":
            yield "avgpool"
        else:
            yield f"{part}.{counts[part]}"
            counts[part] += 1


def forward(modules, x):
    """The output, and how far the nearest ReLU or max pool is from choosing otherwise."""
    margin = float("inf")
    for step in modules:
        if isinstance(step, nn.ReLU):
            margin = min(margin, x.abs().min().item())
        if isinstance(step, nn.MaxPool2d):
            windows = x.unfold(2, step.kernel_size, step.stride).unfold(3, step.kernel_size, step.stride)
            best = windows.flatten(4).topk(min(2, step.kernel_size ** 2)).values
            # A window that ReLU zeroed altogether passes no gradient, whichever position wins.
            gaps = (best[..., 0] - best[..., -1])[best[..., 0] != 0]
            if step.kernel_size > 1 and gaps.numel():
                margin = min(margin, gaps.min().item())
        x = step(x)
    return x, margin


def networks():
    """(name, [channels, height, width], batch, layers before the last linear layer, classes)"""
    # in, out, height, width, kernel, stride, padding, batch
    for ci, co, h, w, k, s, p, n in [
        (1, 1, 1, 1, 3, 1, 1, 1), (1, 8, 2, 3, 3, 1, 1, 2), (3, 10, 3, 5, 3, 1, 1, 5),
        (5, 20, 4, 4, 3, 1, 1, 2), (16, 16, 5, 2, 3, 1, 1, 1), (17, 37, 6, 3, 3, 1, 1, 1),
        (33, 8, 7, 6, 3, 1, 1, 1), (16, 10, 8, 9, 3, 1, 1, 1), (3, 37, 9, 4, 3, 1, 1, 1),
        (33, 20, 4, 3, 3, 1, 1, 2), (1, 16, 10, 5, 3, 1, 1, 2), (5, 8, 11, 13, 3, 1, 1, 1),
        (16, 8, 12, 12, 3, 1, 1, 1), (1, 37, 13, 3, 3, 1, 1, 1), (8, 8, 14, 14, 3, 1, 1, 1),
        (3, 1, 14, 1, 3, 1, 1, 2), (17, 10, 1, 14, 3, 1, 1, 1),
        (3, 8, 5, 6, 3, 1, 0, 2), (5, 10, 3, 4, 3, 1, 2, 1), (3, 8, 4, 3, 3, 1, 3, 2),
        (5, 8, 7, 8, 3, 2, 1, 2), (3, 10, 9, 10, 3, 4, 1, 2), (17, 16, 8, 5, 3, 2, 0, 1),
        (1, 8, 3, 3, 1, 1, 0, 2), (33, 16, 3, 2, 1, 1, 0, 1), (5, 20, 5, 7, 1, 2, 0, 2),
        (3, 8, 2, 2, 1, 1, 1, 1), (17, 10, 9, 6, 1, 4, 0, 1),
        (1, 8, 3, 4, 2, 1, 0, 2), (5, 16, 5, 6, 2, 2, 1, 2), (3, 10, 7, 4, 2, 1, 1, 1),
        (1, 20, 6, 7, 5, 1, 2, 2), (5, 10, 7, 5, 5, 1, 2, 1), (16, 3, 8, 9, 5, 2, 3, 1),
        (3, 16, 9, 9, 5, 4, 0, 2), (17, 3, 5, 6, 5, 1, 1, 1),
        (1, 8, 14, 13, 11, 4, 1, 2), (3, 5, 12, 14, 11, 2, 3, 1), (1, 16, 9, 10, 11, 1, 2, 1),
    ]:
        yield (f"conv/{ci}-{co}/{h}x{w}/k{k}s{s}p{p}/n{n}", [2, h, w], n,
               [conv(2, ci, 1), conv(ci, co, k, s, p)], 2)
    # The network's first layer, whose input gradient nobody needs.
    for ci, co, h, w, k, s, p, n in [
        (1, 16, 7, 6, 3, 1, 1, 5), (3, 16, 5, 9, 3, 1, 1, 2), (1, 10, 23, 19, 11, 4, 1, 2),
        (3, 8, 13, 12, 5, 2, 2, 1),
    ]:
        yield f"first-conv/{ci}-{co}/{h}x{w}/k{k}s{s}p{p}/n{n}", [ci, h, w], n, [conv(ci, co, k, s, p), RELU], 2

    for ci, co, h, w, n in [(1, 8, 6, 5, 2), (3, 16, 1, 7, 1), (5, 37, 4, 3, 2), (17, 10, 5, 4, 1), (16, 16, 6, 6, 1)]:
        block = [conv(2, ci, 3, 1, 1), RELU, conv(ci, co, 3, 1, 1), RELU]
        yield f"conv-relu/{ci}-{co}/{h}x{w}/n{n}", [2, h, w], n, block, 2
    for ci, co, h, w, n in [(1, 8, 2, 2, 1), (3, 16, 7, 5, 2), (5, 10, 3, 9, 5), (16, 16, 8, 8, 1),
                            (3, 37, 6, 7, 1), (16, 8, 13, 14, 1), (33, 8, 5, 4, 2), (8, 16, 14, 12, 1)]:
        block = [conv(2, ci, 1), RELU, conv(ci, co, 3, 1, 1), RELU, pool("maxPool", 2, 2)]
        yield f"conv-relu-pool/{ci}-{co}/{h}x{w}/n{n}", [2, h, w], n, block, 2
    yield ("first-conv-relu-pool/1-16/12x9/n2", [1, 12, 9], 2,
           [conv(1, 16, 3, 1, 1), RELU, pool("maxPool", 2, 2)], 3)

    for kind in ("maxPool", "averagePool"):
        for window, stride, c, h, w, n in [(2, 2, 5, 6, 8, 2), (2, 2, 17, 7, 5, 1), (2, 1, 3, 4, 5, 2),
                                           (2, 3, 3, 8, 6, 1), (3, 2, 10, 9, 7, 2), (3, 1, 3, 5, 6, 1),
                                           (3, 3, 16, 7, 10, 1), (1, 1, 3, 3, 2, 1), (1, 2, 3, 5, 4, 1),
                                           (3, 2, 33, 3, 4, 1)]:
            yield (f"{kind}/w{window}s{stride}/{c}/{h}x{w}/n{n}", [2, h, w], n,
                   [conv(2, c, 3, 1, 1), pool(kind, window, stride)], 2)
    for h, w, c, to in [(14, 14, 3, (7, 7)), (7, 7, 5, (7, 7)), (10, 10, 3, (7, 7)), (3, 3, 17, (7, 7)),
                        (1, 1, 4, (7, 7)), (9, 5, 3, (7, 7)), (2, 13, 3, (7, 7)), (6, 7, 5, (3, 2)),
                        (5, 8, 16, (1, 1))]:
        yield (f"adaptiveAveragePool/{c}/{h}x{w}-{to[0]}x{to[1]}", [2, h, w], 2,
               [conv(2, c, 1), adaptive(*to)], 2)

    for c, h, w, n in [(1, 3, 3, 2), (5, 4, 7, 5), (16, 5, 5, 2), (17, 3, 2, 2), (33, 1, 4, 1), (3, 7, 9, 1)]:
        yield f"batchNorm/{c}/{h}x{w}/n{n}", [2, h, w], n, [conv(2, c, 3, 1, 1), norm(c)], 2
    for c, h, w, n in [(8, 6, 6, 2), (20, 3, 5, 2), (37, 4, 3, 1)]:
        block = [conv(2, 5, 3, 1, 1), norm(5), RELU, conv(5, c, 3, 1, 1), norm(c), RELU, pool("maxPool", 2, 2)]
        yield f"conv-norm-relu-pool/{c}/{h}x{w}/n{n}", [2, h, w], n, block, 2

    for n in (1, 5, 17):
        for inputs in (1, 10, 33):
            for outputs in (1, 10, 40):
                yield (f"linear/{inputs}-{outputs}/n{n}", [3, 1, 1], n,
                       [FLATTEN, linear(3, inputs), linear(inputs, outputs)], 4)
    yield "linear-relu/24-40-17/n5", [2, 3, 4], 5, [FLATTEN, linear(24, 40), RELU, linear(40, 17), RELU], 10
    yield "flatten-order/5x3x2/n2", [5, 3, 2], 2, [], 4
    yield "flatten-order/17x2x3/n5", [3, 2, 3], 5, [conv(3, 17, 1)], 10

    for n, classes in [(1, 1), (1, 2), (5, 10), (17, 37)]:
        yield f"cross-entropy/{classes}/n{n}", [3, 2, 1], n, [], classes
    for scale in (0, 100, 10000):
        yield f"cross-entropy/logits-times-{scale}", [3, 1, 1], 5, [], 7

    yield ("two-blocks/3x18x15/n2", [3, 18, 15], 2,
           [conv(3, 8, 3, 1, 1), RELU, pool("maxPool", 2, 2), conv(8, 12, 3, 1, 1), RELU,
            conv(12, 12, 3, 1, 1), RELU, pool("maxPool", 2, 2), FLATTEN, linear(144, 10), RELU], 5)
    yield ("alexnet-like/1x47x43/n2", [1, 47, 43], 2,
           [conv(1, 8, 11, 4, 1), RELU, pool("maxPool", 3, 2), conv(8, 6, 5, 1, 2), RELU, pool("maxPool", 3, 2),
            adaptive(3, 3), FLATTEN, linear(54, 12), RELU], 3)


def finished(shape, layers, classes):
    """Adds what every case ends in."""
    if FLATTEN not in layers:
        layers = [*layers, FLATTEN]
    features = torch.zeros(1, *shape)
    for layer in layers:
        features = module(layer).eval()(features)
    return [*layers, linear(features.shape[1], classes)]


def initial_tensors(layers, places, generator):
    def normal(shape, scale):
        return torch.randn(shape, generator=generator) * scale

    tensors = {}
    for layer, place in zip(layers, places):
        for key, tensor in module(layer).state_dict().items():
            if key == "weight" and tensor.dim() > 1:
                value = normal(tensor.shape, tensor[0].numel() ** -0.5)
            elif key == "weight":
                value = 1 + normal(tensor.shape, 0.3)
            elif key == "running_var":
                value = 0.5 + torch.rand(tensor.shape, generator=generator)
            elif key in ("bias", "running_mean"):
                value = normal(tensor.shape, 0.3)
            else:
                continue
            tensors[f"{place}.{key}"] = value
    return tensors


def network(layers, places, tensors, training):
    modules = [module(layer).double() for layer in layers]
    for place, step in zip(places, modules):
        own = {key.removeprefix(place + "."): t for key, t in tensors.items() if key.startswith(place + ".")}
        step.load_state_dict(own, strict=False)
    return nn.Sequential(*modules).train(training)


def attempt(name, shape, batch, layers, training, seed):
    """A case's tensors and labels, and its margin."""
    generator = torch.Generator().manual_seed(seed)
    places = list(names(layers))
    tensors = initial_tensors(layers, places, generator)
    if "logits-times-" in name:
        tensors = {key: tensor * float(name.split("-")[-1]) for key, tensor in tensors.items()}
    x = torch.randn(batch, *shape, generator=generator)
    labels = torch.randint(layers[-1]["out"], (batch,), generator=generator)

    logits, inference_margin = forward(network(layers, places, tensors, training=False), x.double())
    modules = network(layers, places, tensors, training)
    output, margin = forward(modules, x.double())
    loss = nn.functional.cross_entropy(output, labels)

    results = {"input": x.permute(0, 2, 3, 1), "logits": logits, "loss": loss.reshape(1)}
    results |= {f"param/{key}": tensor for key, tensor in tensors.items()}
    if training:
        loss.backward()
        for place, step in zip(places, modules):
            results |= {f"grad/{place}.{key}": p.grad for key, p in step.named_parameters()}
            results |= {f"after/{place}.{key}": b for key, b in step.named_buffers() if b.dim()}
    return results, labels.tolist(), min(margin, inference_margin)


def main():
    cases, tensors = [], {}
    for name, shape, batch, layers, classes in networks():
        layers = finished(shape, layers, classes)
        normalises = any(layer["type"] == "batchNorm" for layer in layers)
        for mode in ("training", "inference") if normalises else ("training",):
            case = name if mode == "training" else f"{name}/inference"
            for seed in range(10_000):
                results, labels, margin = attempt(name, shape, batch, layers, mode == "training", seed)
                if margin >= MARGIN:
                    break
            else:
                raise SystemExit(f"{case}: no seed keeps every choice clear; make it smaller")
            cases.append({"name": case, "input": shape, "batch": batch, "mode": mode, "layers": layers,
                          "labels": labels})
            tensors |= {f"{case}/{key}": t.detach().float().contiguous() for key, t in results.items()}
    save_file(tensors, OUTPUT, metadata={"cases": json.dumps(cases, separators=(",", ":"))})
    print(f"{OUTPUT.name}: {len(cases)} cases, {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
