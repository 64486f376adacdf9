"""Perceptual distances by the lpips package, and style transfer by PyTorch's autograd and optimisers.

Of narrow networks with random weights. Writes Tests/VGGPerceptionTests/Goldens/perception.safetensors:
  NETWORK/weights/NAME            NETWORK is vgg16, vgg11_bn or classifier; NAME torchvision's
  pictures                        [4, 40, 56, 3], bytes
  distances/lpips, …/features     [3]: of the first picture from each of the others
  content, manner, other          [height, width, 3], bytes: what is painted, and in whose manner
  NETWORK/CASE/losses             content, style, total variation and logit, each with its weights
  NETWORK/CASE/gradient           [3, height, width], with respect to the content's numbers of 0…1
  adam/losses, lbfgs/losses       before each step; adam/picture, lbfgs/picture after the last
and linear.pth, LPIPS's linear weights for the narrow VGG-16.
"""

import copy
import pathlib
import types

import lpips
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parents[2] / "Tests/VGGPerceptionTests/Goldens"
CHANNELS = [4, 8, 16, 32, 32]
MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
VGG16, VGG11 = [2, 2, 3, 3, 3], [1, 1, 2, 2, 2]


def features(depths, channels, batch_norm=False):
    layers, inputs = [], 3
    for depth, outputs in zip(depths, channels):
        for _ in range(depth):
            layers.append(nn.Conv2d(inputs, outputs, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.ReLU())
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.uniform_(layer.bias, -0.2, 0.2)
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.5, 0.5)
            nn.init.uniform_(layer.running_mean, -0.3, 0.3)
            nn.init.uniform_(layer.running_var, 0.5, 2)
    return nn.Sequential(*layers).eval().requires_grad_(False)


def reflecting(net):
    """The same network, whose convolutions mirror their maps."""
    net = copy.deepcopy(net)
    for layer in net:
        if isinstance(layer, nn.Conv2d):
            layer.padding_mode = "reflect"
    return net


def picture(height, width):
    """Some of it smooth, as photos are."""
    coarse = torch.rand(1, 3, height // 8, width // 8)
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return (255 * (0.8 * smooth + 0.2 * torch.rand(1, 3, height, width))).round()[0] / 255


def perceptual(net):
    """lpips's own network and distance, of as many channels as here."""
    torchvision.models.vgg16 = lambda **_: types.SimpleNamespace(features=net)
    model = lpips.LPIPS(net="vgg", pretrained=False, pnet_rand=True, verbose=False)
    for index, channels in enumerate(CHANNELS):
        layer = lpips.NetLinLayer(channels, use_dropout=True)
        nn.init.uniform_(layer.model[1].weight, 0, 2)
        setattr(model, f"lin{index}", layer)
    model.lins = nn.ModuleList([getattr(model, f"lin{index}") for index in range(5)])
    return model.eval()


def names(net):
    """The VGG literature's names of the layers."""
    found, block, convolution = {}, 1, 0
    for index, layer in enumerate(net):
        if isinstance(layer, nn.Conv2d):
            convolution += 1
            found[f"conv{block}_{convolution}"] = index
        if isinstance(layer, nn.BatchNorm2d):
            found[f"bn{block}_{convolution}"] = index
        if isinstance(layer, nn.ReLU):
            found[f"relu{block}_{convolution}"] = index
        if isinstance(layer, nn.MaxPool2d):
            block, convolution = block + 1, 0
    return found


def outputs(net, picture, wanted, averaging=False):
    places, kept, values = names(net), {}, ((picture - MEAN) / STD)[None]
    for index, layer in enumerate(net):
        if averaging and isinstance(layer, nn.MaxPool2d):
            layer = nn.AvgPool2d(2)
        values = layer(values)
        kept |= {name: values for name in wanted if places[name] == index}
    return kept, values


def gram(maps):
    flat = maps[0].flatten(1)
    return flat @ flat.T / flat.shape[1]


class Transfer:
    """As the authors' own program has it: means of squares, matrices divided by pixels, layers by squared channels."""

    CONTENT = ["relu4_2"]
    STYLE = [f"relu{block}_1" for block in range(1, 6)]

    def __init__(self, net, content, styles, *, averaging=False, content_weight=1, style_weight=100, variation=0):
        self.net, self.averaging = net, averaging
        self.weights = content_weight, style_weight, variation
        self.content = outputs(net, content, self.CONTENT, averaging)[0]
        self.styles = [
            (share, {name: gram(maps) for name, maps in outputs(net, style, self.STYLE, averaging)[0].items()})
            for style, share in styles]

    def losses(self, picture):
        content_weight, style_weight, variation = self.weights
        kept, _ = outputs(self.net, picture, self.CONTENT + self.STYLE, self.averaging)
        content = content_weight * sum((kept[name] - self.content[name]).square().mean() for name in self.CONTENT)
        style = style_weight * sum(
            share * (gram(kept[name]) - matrices[name]).square().mean() / kept[name].shape[1] ** 2
            for share, matrices in self.styles for name in self.STYLE)
        differences = (picture[:, 1:] - picture[:, :-1]).square().sum() + \
            (picture[:, :, 1:] - picture[:, :, :-1]).square().sum()
        return content, style, variation * differences, torch.zeros(())


def gradient(losses, picture):
    picture = picture.clone().requires_grad_(True)
    parts = losses(picture)
    sum(parts).backward()
    return {"losses": torch.stack([part.detach() for part in parts]), "gradient": picture.grad}


def descend(transfer, picture, optimizer, steps):
    picture = picture.clone().requires_grad_(True)
    optimizer, losses = optimizer([picture]), []

    def closure():
        optimizer.zero_grad()
        loss = sum(transfer.losses(picture))
        loss.backward()
        return loss

    for _ in range(steps):
        losses.append(float(optimizer.step(closure).detach()))
    return {"losses": torch.tensor(losses), "picture": picture.detach()}


def as_bytes(picture):
    return (255 * picture).round().to(torch.uint8).permute(1, 2, 0).float().contiguous()


def main():
    torch.manual_seed(19)
    tensors = {}

    def add(prefix, values):
        for key, value in values.items():
            if not key.endswith("num_batches_tracked"):
                tensors[f"{prefix}/{key}"] = value.detach().float().contiguous().clone()

    vgg16 = features(VGG16, CHANNELS)
    add("vgg16/weights", {f"features.{key}": value for key, value in vgg16.state_dict().items()})
    pictures = torch.stack([picture(40, 56) for _ in range(4)])
    tensors["pictures"] = torch.stack([as_bytes(one) for one in pictures])
    model = perceptual(vgg16)
    torch.save({key: value for key, value in model.state_dict().items() if key.startswith("lin") and
                not key.startswith("lins")}, FOLDER / "linear.pth")
    wanted = ["relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"]
    kept = [outputs(vgg16, one, wanted)[0] for one in pictures]
    with torch.no_grad():
        add("distances", {
            "lpips": torch.stack([model(pictures[:1], other[None], normalize=True).flatten()[0]
                                  for other in pictures[1:]]),
            "features": torch.stack([sum((kept[0][name] - other[name]).square().mean() for name in wanted)
                                     for other in kept[1:]])})

    content, manner, other = picture(40, 56), picture(48, 56), picture(56, 32)
    tensors |= {"content": as_bytes(content), "manner": as_bytes(manner), "other": as_bytes(other)}
    start = pictures[0]
    # Of another picture than the content, whose own loss would be zero.
    two = [(manner, 0.75), (other, 0.25)]
    add("vgg16/max", gradient(Transfer(vgg16, content, two, variation=1e-3).losses, start))
    add("vgg16/average", gradient(Transfer(vgg16, content, two, averaging=True).losses, start))
    vgg11 = features(VGG11, CHANNELS, batch_norm=True)
    add("vgg11_bn/weights", {f"features.{key}": value for key, value in vgg11.state_dict().items()})
    add("vgg11_bn/max", gradient(Transfer(vgg11, content, two).losses, start))
    add("vgg16/reflect", gradient(Transfer(reflecting(vgg16), content, two).losses, start))
    add("vgg11_bn/reflect", gradient(Transfer(reflecting(vgg11), content, two).losses, start))

    small, linear = features([1], [6]), nn.Linear(6 * 20 * 28, 5)
    add("classifier/weights", {f"features.{key}": value for key, value in small.state_dict().items()})
    add("classifier/weights", {f"classifier.0.{key}": value for key, value in linear.state_dict().items()})
    target = outputs(small, content, ["relu1_1"])[0]["relu1_1"]

    def losses(image):
        kept, maps = outputs(small, image, ["relu1_1"])
        zero = torch.zeros(())
        return (kept["relu1_1"] - target).square().mean(), zero, zero, -3 * linear(maps.flatten(1))[0, 2]

    add("classifier/max", gradient(losses, start))

    transfer = Transfer(vgg16, content, [(manner, 1)])
    add("adam", descend(transfer, content, lambda numbers: torch.optim.Adam(numbers, lr=0.02), 20))
    add("lbfgs", descend(transfer, content, lambda numbers: torch.optim.LBFGS(
        numbers, lr=1, max_iter=1, history_size=4), 10))
    for name in ("adam", "lbfgs"):
        print(name, " ".join(f"{loss:.4f}" for loss in tensors[f"{name}/losses"].tolist()))
    save_file(tensors, FOLDER / "perception.safetensors")


if __name__ == "__main__":
    main()
