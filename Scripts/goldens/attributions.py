"""How much each number of an image speaks for a class, by captum and by PyTorch's autograd.

Of the two small networks of features.py, whose weights and images are in features.safetensors. Writes
Tests/VGGEngineTests/Goldens/attributions.safetensors: NETWORK/WAY/CLASS, [3, 14, 14], of the first image; smoothgrad with the
noise that vgg draws; class-model after ten steps.
"""

import pathlib
import sys

import torch
from captum.attr import GuidedBackprop, IntegratedGradients, Occlusion, Saliency
from safetensors.torch import load_file, save_file

from features import OUTPUT as FEATURES, Small

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from random_numbers import NOISE, Random  # noqa: E402

OUTPUT = FEATURES.with_name("attributions.safetensors")
SAMPLES = 6


def gradient(model, images, label):
    images = images.clone().requires_grad_(True)
    model(images)[:, label].sum().backward()
    return images.grad


def smoothgrad(model, image, label):
    deviation = 0.15 * float(image.max() - image.min())
    noise = torch.stack([
        torch.as_tensor(Random(0, NOISE, sample).normals(image.numel())) for sample in range(SAMPLES)])
    return gradient(model, image + deviation * noise.float().reshape(SAMPLES, *image.shape[1:]), label).mean(0, True)


def class_model(model, label, image):
    # From zeros all windows of a pool would hold equals, of which rounding would choose.
    for _ in range(10):
        image = image + 1.0 * (gradient(model, image, label) - 2 * 0.01 * image)
    return image


def main():
    stored = load_file(FEATURES)
    image = stored["images"][:1]
    tensors = {}
    for name, batch_norm in [("plain", False), ("batch-norm", True)]:
        model = Small(batch_norm).eval()
        prefix = f"{name}/weights/"
        weights = {key[len(prefix):]: value for key, value in stored.items() if key.startswith(prefix)}
        missing, unexpected = model.load_state_dict(weights, strict=False)
        assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing)
        for label in (0, 4):
            ways = {
                "saliency": Saliency(model).attribute(image, target=label, abs=False),
                "guided-backprop": GuidedBackprop(model).attribute(image, target=label),
                "integrated-gradients": IntegratedGradients(model).attribute(
                    image, target=label, n_steps=SAMPLES, method="riemann_middle"),
                "occlusion": Occlusion(model).attribute(
                    image, sliding_window_shapes=(3, 4, 4), strides=(3, 3, 3), target=label),
                "smoothgrad": smoothgrad(model, image, label),
                "class-model": class_model(model, label, image),
            }
            for way, attribution in ways.items():
                tensors[f"{name}/{way}/{label}"] = attribution[0].detach().float().contiguous().clone()
    save_file(tensors, OUTPUT)


if __name__ == "__main__":
    main()
