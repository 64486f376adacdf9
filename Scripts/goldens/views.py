"""Writes Tests/VGGTrainingTests/Goldens/views.safetensors: what a small network says of pictures that are also shown
mirrored and moved, by torch.

Tensors:
  images                    [count, 2, 5, 6]
  labels                    [count]
  features.0.weight, …      the network's: a convolution, ReLU, flatten, a linear layer
  CASE/probabilities        [count, classes]: the mean of the views' softmax
  CASE/loss                 [1]: the mean cross-entropy of these; of one view that of its logits
  single/…                  the same of a network with one output: its bias is classifier.0.bias's first, and so on; the
                            mean of the views' sigmoid is that of class 1
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch.nn import functional

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/VGGTrainingTests/Goldens/views.safetensors"
COUNT, CLASSES = 7, 4
CASES = {"one": (False, 0), "mirror": (True, 0), "shift:1": (False, 1), "mirror,shift:2": (True, 2)}

torch.manual_seed(0)
network = torch.nn.Sequential(
    torch.nn.Conv2d(2, 3, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(3 * 5 * 6, CLASSES))
# So that the views disagree, and one picture is as sure as can be.
network[3].weight.data *= 8
images, labels = torch.randn(COUNT, 2, 5, 6), torch.arange(COUNT) % CLASSES
images[0] *= 400
tensors = {
    "images": images, "labels": labels.int(),
    "features.0.weight": network[0].weight.detach(), "features.0.bias": network[0].bias.detach(),
    "classifier.0.weight": network[3].weight.detach(), "classifier.0.bias": network[3].bias.detach(),
}


def views(images, mirrors, shift):
    padded = functional.pad(images, [shift] * 4, mode="replicate")
    height, width = images.shape[2:]
    moves = [(0, 0)] + ([(-shift, 0), (shift, 0), (0, -shift), (0, shift)] if shift else [])
    moved = [padded[:, :, shift - down:shift - down + height, shift - right:shift - right + width]
             for down, right in moves]
    return moved + ([view.flip(3) for view in moved] if mirrors else [])


with torch.no_grad():
    for name, (mirrors, shift) in CASES.items():
        logits = [network(view).double() for view in views(images, mirrors, shift)]
        mean = torch.stack([answer.softmax(1) for answer in logits]).mean(0)
        # One view keeps its logits; a mean of probabilities is never below the smallest normal number.
        loss = (functional.cross_entropy(logits[0], labels) if len(logits) == 1 else
                functional.nll_loss(mean.clamp(min=torch.finfo(torch.double).tiny).log(), labels))
        tensors |= {f"{name}/probabilities": mean.float(), f"{name}/loss": loss.float().reshape(1)}
        sigmoid = torch.stack([answer[:, 0].sigmoid() for answer in logits]).mean(0)
        tensors[f"single/{name}/probabilities"] = sigmoid.float()
save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, OUTPUT)
