"""Converts real files with the program `vgg` and lets the libraries they come from judge the result.

For each architecture, with random weights: files of torch.save (both containers), safetensors and timm become
safetensors that torchvision loads with strict=True, every number equal; safetensors with timm's names load into
timm; ONNX models pass onnx.checker, and ONNX Runtime computes PyTorch's logits. With d2l's network on
Fashion-MNIST the logits of `vgg predict` are compared too.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

import fashion_mnist

ARCHITECTURES = [f"vgg{depth}{suffix}" for depth in (11, 13, 16, 19) for suffix in ("", "_bn")]
# Relative to the largest logit.
TOLERANCE = 1e-4


def randomized(model):
    """Weights of a kind that keep activations in range, and running statistics that matter."""
    generator = torch.Generator().manual_seed(3)
    for name, tensor in model.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2, generator=generator)
        elif name.endswith("num_batches_tracked"):
            tensor.fill_(7)
        elif tensor.dim() > 1:
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
        else:
            tensor.normal_(1 if name.endswith("weight") else 0, 0.1, generator=generator)
    return model.eval()


def logits(model, images):
    with torch.no_grad():
        return model(images).numpy()


def difference(values, reference):
    return float(np.abs(values - reference).max() / np.abs(reference).max())


def run_onnx(path, images):
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [i.shape[0] for i in session.get_inputs()] == ["batch"]
    return session.run(["logits"], {"input": images.numpy()})[0]


class Check:
    def __init__(self, vgg, folder):
        self.vgg = pathlib.Path(vgg).resolve()
        self.folder = pathlib.Path(folder)

    def convert(self, source, target, *options):
        subprocess.run([self.vgg, "convert", self.folder / source, self.folder / target, *options], check=True,
                       capture_output=True)
        return self.folder / target

    def equal(self, model, tensors):
        """torchvision takes the tensors, and has then the model's."""
        loaded = torchvision.models.get_model(self.arch, init_weights=False)
        loaded.load_state_dict(tensors, strict=True)
        state = loaded.state_dict()
        for name, tensor in model.state_dict().items():
            assert name.endswith("num_batches_tracked") or torch.equal(state[name], tensor), name

    def architecture(self, arch):
        self.arch = arch
        model = randomized(torchvision.models.get_model(arch, init_weights=False))
        state = model.state_dict()
        torch.save(state, self.folder / "zip.pth")
        torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}, "epoch": 90},
                   self.folder / "legacy.pth", _use_new_zipfile_serialization=False)
        save_file(state, self.folder / "plain.safetensors")
        for source in ("zip.pth", "legacy.pth", "plain.safetensors"):
            self.equal(model, load_file(self.convert(source, "out.safetensors")))

        images = torch.rand(3, 3, 224, 224, generator=torch.Generator().manual_seed(4))
        expected = logits(model, images)
        other = timm.create_model(arch, pretrained=False).eval()
        other.load_state_dict(load_file(self.convert("zip.pth", "timm.safetensors", "--naming", "timm")), strict=True)
        timm_difference = difference(logits(other, images), expected)
        torch.save(other.state_dict(), self.folder / "timm.pth")
        self.equal(model, load_file(self.convert("timm.pth", "out.safetensors")))
        del other

        path = self.convert("zip.pth", "out.onnx")
        onnx_difference = max(difference(run_onnx(path, images[:count]), expected[:count]) for count in (1, 3))
        # Sizes at which the adaptive pool is products of matrices, and average pools.
        small = []
        for size in (160, 448):
            picture = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(5))
            path = self.convert("zip.pth", "out.onnx", "--size", str(size))
            small.append(difference(run_onnx(path, picture), logits(model, picture)))
        print(f"{arch:9} names and numbers equal; relative differences: timm {timm_difference:.1e}, ONNX Runtime "
              f"{onnx_difference:.1e} (160×160 {small[0]:.1e}, 448×448 {small[1]:.1e})", flush=True)
        assert max(timm_difference, onnx_difference, *small) < TOLERANCE

    def chapter(self, data):
        """d2l's slim VGG-11 with its own names, on a test image: PyTorch, ONNX Runtime and vgg."""
        blocks, channels = [], 1
        for convolutions, out in ((1, 16), (1, 32), (2, 64), (2, 128), (2, 128)):
            layers = []
            for _ in range(convolutions):
                layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU()]
                channels = out
            blocks.append(nn.Sequential(*layers, nn.MaxPool2d(2)))
        model = randomized(nn.Sequential(
            *blocks, nn.Flatten(), nn.Linear(128 * 9, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(),
            nn.Dropout(), nn.Linear(4096, 10)))
        torch.save(model.state_dict(), self.folder / "chapter.pth")
        pixels, _ = fashion_mnist.read(data, "t10k")
        worst = 0
        path = self.convert("chapter.pth", "chapter.onnx")
        back = load_file(self.convert("chapter.pth", "chapter.safetensors", "--naming", "d2l"))
        model.load_state_dict(back, strict=True)
        for index in (0, 7, 99):
            resized = np.asarray(Image.fromarray(pixels[index]).resize((96, 96), Image.Resampling.BILINEAR))
            images = torch.tensor(resized / np.float32(255)).reshape(1, 1, 96, 96)
            ours = json.loads(subprocess.run(
                [self.vgg, "predict", self.folder / "chapter.pth", "--data", "fashion-mnist",
                 "--data-dir", data, "--index", str(index), "--precision", "fp32", "--format", "json"],
                check=True, capture_output=True).stdout)["logits"]
            runtime = run_onnx(path, images)
            worst = max(worst, difference(np.array(ours), runtime[0]), difference(runtime, logits(model, images)))
        print(f"d2l's slim VGG-11: vgg, ONNX Runtime and PyTorch differ by {worst:.1e}")
        assert worst < TOLERANCE


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vgg", default=".build/release/vgg")
    parser.add_argument("--arch", nargs="*", default=ARCHITECTURES)
    parser.add_argument("--data-dir", type=pathlib.Path, help="Fashion-MNIST's four .gz files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        check = Check(options.vgg, folder)
        check.chapter(fashion_mnist.folder(options.data_dir))
        for arch in options.arch:
            check.architecture(arch)


if __name__ == "__main__":
    main()
