"""Draws the pictures of docs/style.md, and makes weights for them.

    style_pictures.py FOLDER

Writes hill.png, waves.png and dots.png, and vgg16-random.safetensors and vgg19-random.safetensors: the convolutions of VGG-16
and VGG-19 with random numbers (He et al. 2015), as nobody here has those that ImageNet trained.
"""

import pathlib
import sys

import numpy as np
from PIL import Image, ImageDraw
from safetensors.numpy import save_file

DEPTHS = {16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4]}


def weights(depth):
    random, tensors, index, inputs = np.random.default_rng(depth), {}, 0, 3
    for convolutions, outputs in zip(DEPTHS[depth], [64, 128, 256, 512, 512]):
        for _ in range(convolutions):
            weight = random.standard_normal((outputs, inputs, 3, 3), dtype=np.float32)
            tensors[f"features.{index}.weight"] = weight * np.float32(np.sqrt(2 / (9 * inputs)))
            tensors[f"features.{index}.bias"] = np.zeros(outputs, dtype=np.float32)
            index, inputs = index + 2, outputs
        index += 1
    return tensors


def grid(width, height):
    return np.meshgrid(np.arange(width) / height, np.arange(height) / height)


def hill(width=480, height=360):
    """A house on a hill, under the sun."""
    x, y = grid(width, height)
    sky = np.stack([120 + 100 * y, 160 + 60 * y, 235 - 40 * y], axis=-1)
    ground = np.stack([70 + 60 * x, 130 + 50 * x - 40 * y, 60 + 0 * x], axis=-1)
    top = 0.62 - 0.22 * np.exp(-((x - 0.85) / 0.4) ** 2)
    picture = Image.fromarray(np.where((y > top)[..., None], ground, sky).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((40, 30, 110, 100), fill=(255, 236, 150))
    draw.rectangle((250, 110, 350, 190), fill=(225, 205, 180))
    draw.polygon([(235, 112), (300, 62), (365, 112)], fill=(160, 60, 50))
    draw.rectangle((285, 145, 312, 190), fill=(95, 65, 50))
    for left in (262, 322):
        draw.rectangle((left, 125, left + 16, 143), fill=(90, 120, 150))
    for left, size in ((60, 60), (110, 44), (420, 52)):
        draw.rectangle((left - 4, 250, left + 4, 290), fill=(90, 60, 40))
        draw.ellipse((left - size / 2, 250 - size, left + size / 2, 256), fill=(40, 95, 55))
    return picture


def waves(size=360):
    """Bands that swirl, in blue and yellow."""
    x, y = grid(size, size)
    phase = 14 * y + 2.5 * np.sin(7 * x + 3 * np.sin(5 * y)) + np.sin(23 * x - 9 * y)
    bands = 0.5 + 0.5 * np.sin(2 * phase)
    fine = 0.5 + 0.5 * np.sin(16 * phase)
    colours = np.array([[18, 35, 100], [60, 120, 190], [240, 215, 110]], dtype=float)
    mixed = colours[0] + (colours[1] - colours[0]) * bands[..., None]
    mixed += (colours[2] - mixed) * (np.clip(bands - 0.75, 0, 1) * 4 * fine)[..., None]
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def dots(size=360):
    """Dots of a few warm colours."""
    random = np.random.default_rng(5)
    picture = Image.new("RGB", (size, size), (245, 235, 215))
    draw = ImageDraw.Draw(picture)
    for _ in range(2600):
        x, y, radius = *random.uniform(0, size, 2), random.uniform(3, 8)
        colour = [(200, 60, 40), (235, 150, 50), (90, 110, 60), (60, 50, 90)][random.integers(4)]
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return picture


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in [("hill", hill()), ("waves", waves()), ("dots", dots())]:
        picture.save(folder / f"{name}.png")
    for depth in DEPTHS:
        save_file(weights(depth), folder / f"vgg{depth}-random.safetensors")


if __name__ == "__main__":
    main()
