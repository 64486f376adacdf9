"""What the layers of two small networks make of images, and Grad-CAM, by PyTorch's hooks.

Writes Tests/VGGEngineTests/Goldens/features.safetensors: NETWORK/weights/NAME, NETWORK/features/NAME (the output
of layer NAME for all images) and NETWORK/cam/NAME/CLASS ([height, width], of the first image), NETWORK being
"plain" or "batch-norm"; images is [2, 3, 14, 14].
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/VGGEngineTests/Goldens/features.safetensors"


class Small(nn.Module):
    def __init__(self, batch_norm):
        super().__init__()
        layers, channels = [], 3
        for convolutions, out_channels in [(2, 10), (1, 18)]:
            for _ in range(convolutions):
                layers.append(nn.Conv2d(channels, out_channels, kernel_size=3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(out_channels))
                layers.append(nn.ReLU())
                channels = out_channels
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(18 * 9, 12), nn.ReLU(), nn.Dropout(0.5), nn.Linear(12, 7))

    def forward(self, images):
        return self.classifier(self.features(images).flatten(1))


def grad_cam(model, layer, image, label):
    kept = {}
    handles = [
        layer.register_forward_hook(lambda _, __, output: kept.update(maps=output.detach())),
        layer.register_full_backward_hook(lambda _, __, gradients: kept.update(gradient=gradients[0]))]
    model.zero_grad()
    model(image)[0, label].backward()
    for handle in handles:
        handle.remove()
    weights = kept["gradient"].mean(dim=(2, 3), keepdim=True)
    return torch.relu((weights * kept["maps"]).sum(dim=1))[0].detach()


def main():
    torch.manual_seed(7)
    tensors = {"images": torch.rand(2, 3, 14, 14)}
    for name, batch_norm in [("plain", False), ("batch-norm", True)]:
        model = Small(batch_norm)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.5, 0.5)
                nn.init.uniform_(module.running_mean, -0.3, 0.3)
                nn.init.uniform_(module.running_var, 0.5, 2)
        model.eval()
        for key, tensor in model.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                tensors[f"{name}/weights/{key}"] = tensor
        for key, layer in model.named_modules():
            if not list(layer.children()):
                def keep(_, __, output, key=key):
                    tensors[f"{name}/features/{key}"] = output.detach().contiguous()
                handle = layer.register_forward_hook(keep)
                with torch.inference_mode():
                    model(tensors["images"])
                handle.remove()
                if key.startswith("features"):
                    for label in (0, 4):
                        tensors[f"{name}/cam/{key}/{label}"] = grad_cam(
                            model, layer, tensors["images"][:1], label).contiguous()
    save_file({key: tensor.clone() for key, tensor in tensors.items()}, OUTPUT)


if __name__ == "__main__":
    main()
