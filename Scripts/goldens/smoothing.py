"""Writes Tests/VGGEngineTests/Goldens/smoothing.safetensors: the mean loss of a linear layer by torch's
CrossEntropyLoss(label_smoothing=…), and its gradients.

Tensors, computed in double precision from 32-bit inputs and stored in 32 bits:
  input               [batch, features]
  labels              [batch]
  weight, bias        of the layer
  SMOOTHING/loss      [1]
  SMOOTHING/weight, SMOOTHING/bias    the gradients
"""

import pathlib

import torch
from safetensors.torch import save_file

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/VGGEngineTests/Goldens/smoothing.safetensors"
BATCH, FEATURES, CLASSES = 7, 6, 5

torch.manual_seed(0)
tensors = {
    "input": torch.randn(BATCH, FEATURES), "labels": torch.randint(CLASSES, (BATCH,), dtype=torch.int32),
    # Some classes are nearly sure, others nearly impossible.
    "weight": 3 * torch.randn(CLASSES, FEATURES), "bias": torch.randn(CLASSES),
}
for smoothing in [0.0, 0.1, 0.75]:
    weight, bias = (tensors[name].double().requires_grad_() for name in ["weight", "bias"])
    logits = torch.nn.functional.linear(tensors["input"].double(), weight, bias)
    loss = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)(logits, tensors["labels"].long())
    loss.backward()
    tensors |= {f"{smoothing}/loss": loss.detach().reshape(1).float(),
                f"{smoothing}/weight": weight.grad.float(), f"{smoothing}/bias": bias.grad.float()}
save_file(tensors, OUTPUT)
