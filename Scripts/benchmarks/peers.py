"""One turn of another program at the work of `vgg bench`: prints its step times and memory as JSON.

    peers.py PROGRAM MODE NETWORK --precision fp32|bf16 --layout nhwc|nchw --size N --batch-size N …

PROGRAM is torch, onnxruntime or openvino; MODE train or infer, or of torch stylize (a step of Adam, Gatys' algorithm) or
distance (pairs, by the lpips package); NETWORK a name of NETWORKS, such as slim (the chapter's
VGG-11 with a quarter of the channels) or vgg16 (torchvision's). Weights and images are random.
"""

import argparse
import functools
import json
import math
import resource
import sys
import time

WARM_UP = 2
# The paper's configurations A, B, D and E.
DEPTHS = {
    11: [(1, 64), (1, 128), (2, 256), (2, 512), (2, 512)], 13: [(2, 64), (2, 128), (2, 256), (2, 512), (2, 512)],
    16: [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], 19: [(2, 64), (2, 128), (4, 256), (4, 512), (4, 512)],
}
VGG16 = DEPTHS[16]


def blocks(rows, channels, batch_norm=False):
    """The layers of VGG blocks: (convolutions, channels) each."""
    from torch import nn

    layers = []
    for convolutions, out_channels in rows:
        for _ in range(convolutions):
            layers.append(nn.Conv2d(channels, out_channels, kernel_size=3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(out_channels))
            layers.append(nn.ReLU())
            channels = out_channels
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return layers


def classifier(features, classes=10):
    """The chapter's three linear layers."""
    from torch import nn

    return [
        nn.Flatten(), nn.Linear(features, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4096, classes)]


def divided_vgg(depth, divisor, size, batch_norm=False):
    """A VGG of grey pictures for 10 classes, its channels divided."""
    from torch import nn

    rows = [(convolutions, channels // divisor) for convolutions, channels in DEPTHS[depth]]
    return nn.Sequential(*blocks(rows, 1, batch_norm), *classifier(rows[-1][1] * (size // 32) ** 2))


def slim_vgg11(size, batch_norm=False):
    """The chapter's VGG-11 with a quarter of the channels."""
    return divided_vgg(11, 4, size, batch_norm)


def four_blocks(size):
    """The slim VGG-11's first four blocks and one linear layer after a global pool: for pictures of any size from 16 on."""
    from torch import nn

    return nn.Sequential(
        *blocks([(1, 16), (1, 32), (2, 64), (2, 128)], 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


def small_vgg(size):
    """Eight convolutions with batch norm and one linear layer after a global pool."""
    from torch import nn

    return nn.Sequential(
        *blocks([(2, 64), (2, 128), (2, 256), (2, 256)], 1, True),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10))


def vgg16_for(size, batch_norm=False):
    """VGG-16 without an adaptive pool, for 10 classes."""
    from torch import nn

    return nn.Sequential(*blocks(VGG16, 3, batch_norm), *classifier(512 * (size // 32) ** 2))


def alexnet(size):
    """The book's AlexNet."""
    from torch import nn

    assert size == 224
    return nn.Sequential(
        nn.Conv2d(1, 96, kernel_size=11, stride=4, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(96, 256, kernel_size=5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(256, 384, kernel_size=3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, kernel_size=3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        *classifier(6400))


def torchvision_vgg16(size):
    import torchvision

    return torchvision.models.vgg16()


def frozen_vgg16(size):
    """torchvision's VGG-16, of which the classifier alone is trained."""
    model = torchvision_vgg16(size)
    for parameter in model.features.parameters():
        parameter.requires_grad = False
    return model


# Channels of the images, and what makes the network for a size.
NETWORKS = {
    "slim": (1, slim_vgg11), "slim-bn": (1, lambda size: slim_vgg11(size, batch_norm=True)),
    "small-bn": (1, small_vgg), "vgg16": (3, torchvision_vgg16), "vgg16-frozen": (3, frozen_vgg16),
    "vgg16-32": (3, vgg16_for), "vgg16-bn-32": (3, lambda size: vgg16_for(size, batch_norm=True)),
    "alexnet": (1, alexnet), "four-blocks": (1, four_blocks),
}
NETWORKS |= {
    f"vgg{depth}/{divisor}": (1, functools.partial(divided_vgg, depth, divisor))
    for depth in DEPTHS for divisor in [1, 2, 4, 8]}


def torch_step(options, shared=lambda model: model):
    import torch
    from torch import nn

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    is_bf16 = options.precision == "bf16"
    layout = torch.channels_last if options.layout == "nhwc" else torch.contiguous_format
    channels, network = NETWORKS[options.network]
    model = shared(network(options.size).to(memory_format=layout))
    images = torch.rand(options.batch_size, channels, options.size, options.size).to(memory_format=layout)

    if options.mode == "infer":
        model.eval()
        if is_bf16:
            # Once here, rather than in every pass as autocast would.
            model, images = model.bfloat16(), images.bfloat16()

        def infer():
            with torch.inference_mode():
                return model(images)
        return infer

    labels = torch.arange(options.batch_size) % 10
    loss_function = nn.CrossEntropyLoss()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.05, momentum=options.momentum)
    model.train()

    def train():
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bf16):
            loss = loss_function(model(images), labels)
        loss.backward()
        optimizer.step()
    return train


def stylize_step(options):
    """A step of Adam: content at relu4_2, Gram matrices at the first ReLU of each block of VGG-19."""
    import torch
    from torch import nn

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    layout = torch.channels_last if options.layout == "nhwc" else torch.contiguous_format
    # To relu5_1.
    layers = nn.Sequential(*blocks(DEPTHS[19], 3)[:30]).to(memory_format=layout).requires_grad_(False)
    styles, contents = {1, 6, 11, 20, 29}, {22}

    def outputs(picture):
        kept, values = {}, picture
        for index, layer in enumerate(layers):
            values = layer(values)
            if index in styles | contents:
                kept[index] = values
        return kept

    def gram(maps):
        flat = maps[0].flatten(1)
        return flat @ flat.T / flat.shape[1]

    content, style = (torch.rand(1, 3, options.size, options.size).to(memory_format=layout) for _ in range(2))
    with torch.no_grad():
        wanted = {index: maps for index, maps in outputs(content).items() if index in contents}
        manner = {index: gram(maps) for index, maps in outputs(style).items() if index in styles}
    picture = content.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([picture], lr=0.02)

    def step():
        optimizer.zero_grad()
        kept = outputs(picture)
        loss = sum((kept[index] - wanted[index]).square().mean() for index in contents)
        loss = loss + 1e6 * sum(
            (gram(kept[index]) - manner[index]).square().mean() / kept[index].shape[1] ** 2 for index in styles)
        loss.backward()
        optimizer.step()
    return step


def distance_step(options):
    """Distances of pairs by the lpips package, eight at a time."""
    import lpips
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    layout = torch.channels_last if options.layout == "nhwc" else torch.contiguous_format
    model = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False).to(memory_format=layout)
    pairs = [
        [torch.rand(min(8, options.batch_size - first), 3, options.size, options.size).to(memory_format=layout)
         for _ in range(2)] for first in range(0, options.batch_size, 8)]

    def step():
        with torch.inference_mode():
            return [model(*pair, normalize=True) for pair in pairs]
    return step


def vgg16_onnx(batch_size, size):
    """VGG-16 as an ONNX file's bytes, dropout left out as in torchvision's for inference."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(0)
    nodes, weights, value = [], [], "images"

    def add(operation, *shape, **attributes):
        nonlocal value
        inputs = [value]
        if shape:
            scale = math.sqrt(2 / math.prod(shape[1:]))
            name = f"w{len(weights)}"
            weight = random.standard_normal(shape, dtype=np.float32) * np.float32(scale)
            bias = np.zeros(shape[0], dtype=np.float32)
            weights.extend([numpy_helper.from_array(weight, name), numpy_helper.from_array(bias, name + "b")])
            inputs += [name, name + "b"]
        nodes.append(helper.make_node(operation, inputs, [f"v{len(nodes)}"], **attributes))
        value = nodes[-1].output[0]

    channels = 3
    for convolutions, out_channels in VGG16:
        for _ in range(convolutions):
            add("Conv", out_channels, channels, 3, 3, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
            add("Relu")
            channels = out_channels
        add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    # The adaptive pool to 7×7 changes nothing at 224×224.
    assert size == 224
    add("Flatten")
    add("Gemm", 4096, channels * 49, transB=1)
    add("Relu")
    add("Gemm", 4096, 4096, transB=1)
    add("Relu")
    add("Gemm", 1000, 4096, transB=1)
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch_size, 3, size, size])
    logits = helper.make_tensor_value_info(value, TensorProto.FLOAT, [batch_size, 1000])
    graph = helper.make_graph(nodes, "vgg16", [images], [logits], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def random_images(options):
    import numpy as np

    shape = options.batch_size, 3, options.size, options.size
    return np.random.default_rng(1).random(shape, dtype=np.float32)


def onnxruntime_step(options):
    import onnxruntime

    assert options.precision == "fp32"
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(
        vgg16_onnx(options.batch_size, options.size), settings, providers=["CPUExecutionProvider"])
    images = {"images": random_images(options)}
    return lambda: session.run(None, images)


def openvino_step(options):
    import openvino

    wanted = {"fp32": openvino.Type.f32, "bf16": openvino.Type.bf16}[options.precision]
    core = openvino.Core()
    model = core.read_model(vgg16_onnx(options.batch_size, options.size))
    compiled = core.compile_model(model, "CPU", {
        "INFERENCE_PRECISION_HINT": wanted, "INFERENCE_NUM_THREADS": options.threads, "NUM_STREAMS": 1})
    used = compiled.get_property("INFERENCE_PRECISION_HINT")
    if used != wanted:
        sys.exit(f"OpenVINO runs {used} here, not {wanted}")
    request = compiled.create_infer_request()
    images = random_images(options)
    return lambda: request.infer([images], share_inputs=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", choices=["torch", "onnxruntime", "openvino"])
    parser.add_argument("mode", choices=["train", "infer", "stylize", "distance"])
    parser.add_argument("network", choices=list(NETWORKS))
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--layout", choices=["nhwc", "nchw"], default="nhwc", help="PyTorch's memory format")
    parser.add_argument("--momentum", type=float, default=0.0)
    for name, default in [("--size", 224), ("--batch-size", 128), ("--threads", 2), ("--steps", 3)]:
        parser.add_argument(name, type=int, default=default)
    options = parser.parse_args()
    if options.program != "torch" and (options.mode, options.network) != ("infer", "vgg16"):
        parser.error(f"{options.program} is measured at inference of vgg16 only")

    tasks = {"stylize": stylize_step, "distance": distance_step}
    programs = {"torch": tasks.get(options.mode, torch_step), "onnxruntime": onnxruntime_step, "openvino": openvino_step}
    step = programs[options.program](options)
    seconds = []
    for _ in range(WARM_UP + options.steps):
        begin = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begin)
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({
        "step_ms": [1e3 * s for s in seconds[WARM_UP:]],
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6,
    }))


if __name__ == "__main__":
    main()
