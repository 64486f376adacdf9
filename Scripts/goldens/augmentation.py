"""Writes Tests/VGGImagesTests/Goldens/augmentation.json: what torchvision, on Pillow's pictures, makes of some
pictures when it is given the parameters of each change, and the parameters that timm draws when its random numbers
are those of vgg.

Of the pictures that are made only the CRC-32 is stored. Grey pictures have one channel, the others three.
"""

import base64
import json
import math
import zlib
from pathlib import Path

import numpy as np
import random_numbers
import torch
from PIL import Image
from timm.data import random_erasing, transforms
from torchvision.transforms import InterpolationMode, RandomResizedCrop, TrivialAugmentWide
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import _apply_op

GOLDENS = Path(__file__).resolve().parents[2] / "Tests/VGGImagesTests/Goldens"

FACTORS = [0, 0.3, 0.6180339, 1, 1.37, 2.5]
# `ExampleDraws.Use` of VGGImages, as blocks.
CROP, ERASING = 0 << 24, 5 << 24
SHIFTS = [-0.5, -0.23, -0.0039, 0, 0.004, 0.1, 0.5]


def soft(random, height, width, channels):
    """Soft shapes with some noise."""
    coarse = Image.fromarray(random.integers(0, 256, (4, 4, 3), np.uint8))
    pixels = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))[..., :channels]
    pixels = np.clip(pixels + random.integers(-9, 10, pixels.shape), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels if channels == 3 else pixels[..., 0])


def pictures(random):
    yield soft(random, 28, 28, 1)
    yield soft(random, 32, 32, 3)
    yield soft(random, 25, 40, 3)
    yield soft(random, 41, 19, 1)
    # With few and with rare bytes, for what is done with a histogram.
    yield Image.fromarray(random.choice(np.array([90, 91, 140], np.uint8), (33, 47), p=[0.9, 0.02, 0.08]))
    yield Image.fromarray(random.integers(60, 200, (17, 15, 3), np.uint8))
    yield Image.fromarray(random.integers(0, 256, (2, 3, 3), np.uint8))
    yield Image.fromarray(np.full((1, 1), 77, np.uint8))


def crc(picture):
    return zlib.crc32(np.ascontiguousarray(picture).tobytes())


def wide(picture):
    """For each operation of TrivialAugmentWide, and each magnitude: as it is, and with the other sign."""
    space = TrivialAugmentWide()._augmentation_space(31)
    results = {}
    for name, (magnitudes, signed) in space.items():
        values = [float(value) for value in magnitudes.reshape(-1)]
        if signed:
            values = [sign * value for value in values for sign in (1, -1)]
        results[name] = [crc(_apply_op(picture, name, value, InterpolationMode.NEAREST, None)) for value in values]
    return results


def jitter(picture):
    adjust = {"brightness": (F.adjust_brightness, FACTORS), "contrast": (F.adjust_contrast, FACTORS),
              "color": (F.adjust_saturation, FACTORS), "hue": (F.adjust_hue, SHIFTS)}
    return {name: [crc(change(picture, value)) for value in values] for name, (change, values) in adjust.items()}


def windows(picture, random):
    """Crops with padding: how much, the window in the picture that was not padded, the CRC-32 of either mode."""
    for padding in [0, 1, 2, 4, 50]:
        width, height = picture.size[0] + 2 * padding, picture.size[1] + 2 * padding
        for _ in range(3):
            rows, columns = (sorted(random.integers(0, length + 1, 2)) for length in (height, width))
            if rows[0] == rows[1] or columns[0] == columns[1]:
                continue
            place = [int(number) for number in
                     (rows[0], columns[0], rows[1] - rows[0], columns[1] - columns[0])]
            crops = [crc(F.crop(F.pad(picture, padding, padding_mode=mode), *place))
                     for mode in ("constant", "reflect")]
            yield [place[0] - padding, place[1] - padding, *place[2:], *crops]


def resized(picture, random):
    """Parts at another size: the part, the size, the CRC-32."""
    for size in [(28, 28), (7, 12), (40, 9)]:
        rows, columns = (sorted(random.integers(0, length + 1, 2)) for length in picture.size[::-1])
        if rows[0] == rows[1] or columns[0] == columns[1]:
            rows, columns = (0, picture.size[1]), (0, picture.size[0])
        place = [int(number) for number in (rows[0], columns[0], rows[1] - rows[0], columns[1] - columns[0])]
        yield [*place, *size, crc(F.resized_crop(picture, *place, size))]


def central():
    """Where no part of the wanted form fits, torchvision takes the middle: height, width, ratios, the part."""
    for height, width, ratio in [(300, 100, (3 / 4, 4 / 3)), (31, 401, (3 / 4, 4 / 3)), (40, 61, (0.5, 0.6)),
                                 (8, 3, (1, 1)), (3, 8, (2.9, 3))]:
        part = RandomResizedCrop.get_params(torch.zeros(1, height, width), (1.0, 1.0), ratio)
        yield [height, width, *ratio, *part]


def parts():
    """What timm draws: height, width, scale, ratio; seed, epoch, example; the part."""
    for height, width, scale, ratio in [(375, 500, (0.08, 1), (3 / 4, 4 / 3)), (28, 28, (0.5, 1), (0.8, 1.25)),
                                        (500, 100, (0.3, 0.9), (3 / 4, 4 / 3)), (9, 7, (0.01, 0.2), (0.5, 2))]:
        for seed, epoch, example in [(0, 0, 0), (1, 0, 59999), (1 << 40, 3, 7), (42, 74, 1281166), (5, 1, 1)]:
            transforms.random = random_numbers.Random(seed, random_numbers.AUGMENTATION, epoch, example, CROP)
            picture = Image.new("L", (width, height))
            part = transforms.RandomResizedCropAndInterpolation.get_params(picture, scale, ratio)
            yield [height, width, *scale, *ratio, seed, epoch, example, *part]


def erased():
    """What timm makes of ones: the settings, the draw, the result [channels, height, width]."""
    for mode, count, probability, shape in [("const", 1, 1, (1, 28, 28)), ("const", 3, 0.5, (1, 11, 14)),
                                            ("rand", 2, 0.9, (3, 9, 12)), ("pixel", 1, 1, (3, 8, 9)),
                                            ("pixel", 4, 1, (1, 7, 5)), ("const", 1, 1, (1, 2, 2))]:
        for seed, epoch, example in [(0, 0, 0), (1, 0, 59999), (1 << 40, 3, 7), (42, 74, 128)]:
            source = random_numbers.Random(seed, random_numbers.AUGMENTATION, epoch, example, ERASING)

            def pixels(per_pixel, per_channel, size, **_):
                numbers = np.zeros(1, np.float32)
                if per_pixel or per_channel:
                    size = size if per_pixel else (size[0], 1, 1)
                    numbers = source.normals(math.prod(size)).astype(np.float32).reshape(size)
                return torch.from_numpy(numbers)

            random_erasing.random, random_erasing._get_pixels = source, pixels
            images = torch.ones(shape)
            random_erasing.RandomErasing(probability, mode=mode, max_count=count, device="cpu")(images)
            yield {"mode": mode, "count": count, "probability": probability, "shape": shape,
                   "draw": [seed, epoch, example], "result": images.reshape(-1).tolist()}


def main():
    random = np.random.default_rng(20260301)
    cases = []
    for picture in pictures(random):
        cases.append({
            "height": picture.height,
            "width": picture.width,
            "channels": len(picture.getbands()),
            "bytes": base64.b64encode(picture.tobytes()).decode(),
            "flips": [crc(F.hflip(picture)), crc(F.vflip(picture)), crc(F.hflip(F.vflip(picture)))],
            "windows": list(windows(picture, random)),
            "resized": list(resized(picture, random)),
            "jitter": jitter(picture),
            "wide": wide(picture),
        })  # fmt: skip
    colors = np.stack(np.meshgrid(*[np.arange(0, 256, 5, np.uint8)] * 3, indexing="ij"), -1).reshape(52, 2704, 3)
    values = {
        "factors": FACTORS,
        "shifts": SHIFTS,
        "hues": [crc(F.adjust_hue(Image.fromarray(colors), shift)) for shift in SHIFTS],
        "central": list(central()),
        "parts": list(parts()),
        "erased": list(erased()),
        "pictures": cases,
    }
    (GOLDENS / "augmentation.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
