"""Writes the eight VGGs of torchvision, at most 8 channels wide, and what torchvision says to three photos with them.

Usage: python Scripts/goldens/family.py   (needs torch, torchvision, safetensors and Pillow)

Tests/VGGToolTests/Goldens/family gets each network in both of PyTorch's containers and as safetensors, a photo in
three formats, and logits.json: for each network and photo the logits and probabilities, with torchvision's own
preprocessing of its ImageNet weights. Legacy files differ from run to run.
"""

import io
import json
import pathlib

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torchvision.models import VGG16_Weights, vgg

FOLDER = pathlib.Path(__file__).parents[2] / "Tests/VGGToolTests/Goldens/family"
WIDTH, HIDDEN, CLASSES = 8, 16, 5


def network(configuration, batch_norm, generator):
    rows = [row if row == "M" else min(row // 32, WIDTH) for row in vgg.cfgs[configuration]]
    model = vgg.VGG(vgg.make_layers(rows, batch_norm), num_classes=CLASSES, init_weights=False)
    # torchvision's classifier has the paper's width only.
    for index, (inputs, outputs) in {0: (rows[-2] * 49, HIDDEN), 3: (HIDDEN, HIDDEN), 6: (HIDDEN, CLASSES)}.items():
        model.classifier[index] = nn.Linear(inputs, outputs)
    # Weights that keep activations in range, and running statistics that matter.
    for name, tensor in model.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2, generator=generator)
        elif tensor.dim() > 1:
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
        elif tensor.dim() == 1:
            tensor.normal_(1 if name.endswith("weight") else 0.1, 0.1, generator=generator)
    return model.eval()


def photos():
    random = np.random.default_rng(20261123)
    pixels = random.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels).resize((90, 60), Image.Resampling.BICUBIC)
    for name, options in {
            "photo.jpg": {"quality": 85, "progressive": True}, "photo.png": {}, "photo.webp": {"quality": 80}}.items():
        file = io.BytesIO()
        picture.save(file, {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[name.split(".")[1]], **options)
        (FOLDER / name).write_bytes(file.getvalue())
        yield name


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    prepare = VGG16_Weights.IMAGENET1K_V1.transforms()
    generator = torch.Generator().manual_seed(6)
    names = list(photos())
    images = torch.stack([prepare(Image.open(FOLDER / name).convert("RGB")) for name in names])
    answers = {}
    for depth, configuration in {11: "A", 13: "B", 16: "D", 19: "E"}.items():
        for batch_norm in (False, True):
            arch = f"vgg{depth}" + ("_bn" if batch_norm else "")
            model = network(configuration, batch_norm, generator)
            state = model.state_dict()
            torch.save(state, FOLDER / f"{arch}.pth")
            torch.save(state, FOLDER / f"{arch}-legacy.pth", _use_new_zipfile_serialization=False)
            save_file(state, FOLDER / f"{arch}.safetensors")
            with torch.inference_mode():
                logits = model(images)
            # Photos that look alike to a network would judge nothing.
            assert (logits.std(dim=1) > 0.1).all() and (logits[0] - logits[1]).abs().max() > 1e-3
            answers[arch] = {
                name: {"logits": row.tolist(), "probabilities": row.softmax(0).tolist()}
                for name, row in zip(names, logits)}
    (FOLDER / "logits.json").write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
