"""Writes Tests/VGGEngineTests/Goldens/loss.safetensors: the mean loss of a linear layer, and its gradients, by torch's
CrossEntropyLoss(weight=…, label_smoothing=…), and of mixed images by timm's mixup_target and SoftTargetCrossEntropy.

Tensors, computed in double precision from 32-bit inputs and stored in 32 bits:
  input               [batch, features]
  labels              [batch]
  weight, bias        of the layer
  class_weights       [classes]
  own_share           how much of the target of each image of a mixed batch is its own class's; the rest is the class of
                      the image at the same place from the other end
  CASE/loss           [1]
  CASE/weight, CASE/bias    the gradients
A case is plain, weighted or mixed, and its smoothing.
"""

import pathlib

import torch
from safetensors.torch import save_file
from timm.data.mixup import mixup_target
from timm.loss import SoftTargetCrossEntropy

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/VGGEngineTests/Goldens/loss.safetensors"
BATCH, FEATURES, CLASSES = 7, 6, 5

torch.manual_seed(0)
tensors = {
    "input": torch.randn(BATCH, FEATURES), "labels": torch.randint(CLASSES, (BATCH,), dtype=torch.int32),
    # Some classes are nearly sure, others nearly impossible.
    "weight": 3 * torch.randn(CLASSES, FEATURES), "bias": torch.randn(CLASSES),
}
tensors |= {"class_weights": torch.rand(CLASSES) + 0.25, "own_share": torch.rand(BATCH)}
labels = tensors["labels"].long()


def mixed(smoothing):
    def loss(logits):
        target = mixup_target(labels, CLASSES, tensors["own_share"].double()[:, None], smoothing)
        return SoftTargetCrossEntropy()(logits, target)
    return loss


for smoothing in [0.0, 0.1, 0.75]:
    for case, loss in {
        "plain": torch.nn.CrossEntropyLoss(label_smoothing=smoothing),
        "weighted": torch.nn.CrossEntropyLoss(tensors["class_weights"].double(), label_smoothing=smoothing),
        "mixed": mixed(smoothing),
    }.items():
        weight, bias = (tensors[name].double().requires_grad_() for name in ["weight", "bias"])
        logits = torch.nn.functional.linear(tensors["input"].double(), weight, bias)
        value = loss(logits) if case == "mixed" else loss(logits, labels)
        value.backward()
        tensors |= {f"{case} {smoothing}/loss": value.detach().reshape(1).float(),
                    f"{case} {smoothing}/weight": weight.grad.float(),
                    f"{case} {smoothing}/bias": bias.grad.float()}
save_file(tensors, OUTPUT)
