"""The chapter's experiment in PyTorch: the slim VGG-11 on Fashion-MNIST."""

import sys

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

import fashion_mnist
import random_numbers
from peers import slim_vgg11


def version():
    return torch.__version__.split("+")[0]


def kernels():
    """The instruction set of PyTorch's own kernels, written as vgg writes it."""
    return torch.backends.cpu.get_cpu_capability().lower().replace("_", "").replace(" ", "")


def load(folder, name, size):
    """Images [n, 1, size, size] of bytes, and labels."""
    small, labels = fashion_mnist.read(folder, name)
    images = torch.empty(len(small), 1, size, size, dtype=torch.uint8)
    for index, image in enumerate(small):
        resized = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
        images[index, 0] = torch.from_numpy(np.array(resized))
    return images, torch.from_numpy(labels.astype(np.int64))


def load_weights(model, path):
    """Copies the tensors of a run of vgg into the model, whose layers are the same in another nesting."""
    def place(name):
        part, index, tensor = name.split(".")
        return part == "classifier", int(index), tensor == "bias"

    tensors = load_file(path)
    with torch.no_grad():
        for parameter, name in zip(model.parameters(), sorted(tensors, key=place), strict=True):
            parameter.copy_(tensors[name])


def train(folder, size, epochs, seed, weights):
    """Trains from the weights of a file as vgg does from this seed: the same orders of the images, the same dropout.

    Returns the figures after each epoch, named as vgg names them.
    """
    model = slim_vgg11(size)
    load_weights(model, weights)
    for place, layer in enumerate(model):
        if isinstance(layer, nn.Dropout):
            model[place] = random_numbers.Dropout(seed, place)
    model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    loss_function = nn.CrossEntropyLoss()
    folder = fashion_mnist.folder(folder)
    images, labels = load(folder, "train", size)
    test_images, test_labels = load(folder, "t10k", size)

    def batch(source, index):
        return (source[index].float() / 255).to(memory_format=torch.channels_last)

    results = []
    for epoch in range(epochs):
        model.train()
        loss_sum = 0.0
        for index in torch.tensor(random_numbers.order(len(images), seed, epoch)).split(128):
            optimizer.zero_grad()
            loss = loss_function(model(batch(images, index)), labels[index])
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(index)
        model.eval()
        correct = 0
        with torch.inference_mode():
            for index in torch.arange(len(test_images)).split(128):
                correct += (model(batch(test_images, index)).argmax(1) == test_labels[index]).sum().item()
        results.append({"train_loss": loss_sum / len(images), "test_acc": correct / len(test_images)})
        print(f"epoch {epoch + 1}: {results[-1]}", file=sys.stderr)
    return results
