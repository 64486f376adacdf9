"""Writes small files that hold weights but are no weight files, as the libraries write them.

Usage: python Scripts/goldens/other_formats.py   (needs torch, onnx and numpy)

Tests/VGGFormatsTests/Goldens/other gets one file of each format. What errors advise for them is tried here.
"""

import io
import pathlib
import shutil
import warnings

import numpy
import onnx
import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parents[2] / "Tests/VGGFormatsTests/Goldens/other"


def main():
    warnings.simplefilter("ignore")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()).eval()
    weights = model.state_dict()
    images = torch.zeros(2, 3, 8, 8)
    torch.jit.save(torch.jit.trace(model, images), FOLDER / "script.pt")
    torch.export.save(torch.export.export(model, (images,)), FOLDER / "program.pt2")
    torch.onnx.export(model, (images,), FOLDER / "model.onnx", dynamo=False)
    arrays = {name: tensor.numpy() for name, tensor in weights.items()}
    numpy.savez(FOLDER / "arrays.npz", **arrays)
    numpy.savez_compressed(FOLDER / "compressed.npz", **arrays)
    numpy.save(FOLDER / "array.npy", arrays["0.weight"])

    for FILE, advice in {
            "script.pt": "torch.jit.load(FILE).state_dict()", "program.pt2": "torch.export.load(FILE).state_dict",
            "arrays.npz": "{n: torch.from_numpy(a) for n, a in numpy.load(FILE).items()}",
            "model.onnx": "{t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in "
                          "onnx.load(FILE).graph.initializer}"}.items():
        file = io.BytesIO()
        names = {"torch": torch, "numpy": numpy, "onnx": onnx, "FILE": str(FOLDER / FILE)}
        torch.save(eval(advice, names), file)
        file.seek(0)
        found = torch.load(file, weights_only=True)
        assert all(torch.equal(found[name], tensor) for name, tensor in weights.items()), FILE


if __name__ == "__main__":
    main()
