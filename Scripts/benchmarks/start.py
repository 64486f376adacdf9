"""From the start of a process to its first prediction, in Python.

    start.py make FOLDER              writes VGG-16 with random weights in two formats, and a photo
    start.py predict WEIGHTS IMAGE    what a Python program does: load, preprocess, classify, print
"""

import sys

import torch
import torchvision
from PIL import Image
from torchvision import transforms


def make(folder):
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = torchvision.models.vgg16()
    torch.save(model.state_dict(), f"{folder}/vgg16.pth")
    save_file(model.state_dict(), f"{folder}/vgg16.safetensors")
    pixels = (torch.rand(48, 64, 3) * 255).byte().numpy()
    Image.fromarray(pixels).resize((640, 480), Image.Resampling.BICUBIC).save(f"{folder}/photo.jpg", quality=90)


def predict(weights, image):
    model = torchvision.models.vgg16()
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.eval()
    preprocess = transforms.Compose([
        transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    with torch.inference_mode():
        logits = model(preprocess(Image.open(image).convert("RGB"))[None])
    for probability, label in zip(*(values[0].tolist() for values in logits.softmax(1).topk(5))):
        print(f"{100 * probability:6.2f} %  {label}")


if __name__ == "__main__":
    {"make": make, "predict": predict}[sys.argv[1]](*sys.argv[2:])
