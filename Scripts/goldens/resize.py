"""Writes Tests/VGGImagesTests/Goldens/resize.json: images that Pillow resized bilinearly.

Needs Pillow 13 or later and NumPy. Small results are stored whole, large ones as their CRC-32.
"""

import base64
import json
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

GOLDENS = Path(__file__).resolve().parents[2] / "Tests/VGGImagesTests/Goldens"

# (height, width), (new height, new width), channels, content
CASES = [
    ((28, 28), (224, 224), 1, "random"),
    ((28, 28), (96, 96), 1, "random"),
    ((28, 28), (32, 32), 1, "random"),
    ((28, 28), (28, 28), 1, "random"),
    ((28, 28), (28, 56), 1, "random"),
    ((28, 28), (56, 28), 1, "random"),
    ((28, 28), (14, 70), 1, "random"),
    ((28, 28), (227, 95), 1, "extremes"),
    ((37, 53), (20, 31), 1, "random"),
    ((61, 47), (3, 11), 1, "extremes"),
    # Around the point where Pillow 13 begins with the rows instead of the columns: 21 pixels against 2 × 10.
    ((28, 28), (7, 17), 1, "random"),
    ((28, 28), (7, 18), 1, "random"),
    ((5, 7), (1, 1), 1, "random"),
    ((1, 1), (6, 5), 1, "random"),
    ((40, 30), (13, 29), 1, "white"),
    ((19, 23), (32, 17), 3, "random"),
    ((28, 28), (224, 224), 3, "random"),
]


def content(kind, shape, random):
    if kind == "white":
        return np.full(shape, 255, np.uint8)
    if kind == "extremes":
        return random.choice(np.array([0, 255], np.uint8), shape)
    return random.integers(0, 256, shape, np.uint8)


def main():
    random = np.random.default_rng(20240917)
    cases = []
    for size, new_size, channels, kind in CASES:
        pixels = content(kind, size + ((3,) if channels == 3 else ()), random)
        resized = Image.fromarray(pixels).resize(new_size[::-1], Image.Resampling.BILINEAR)
        output = np.asarray(resized).tobytes()
        case = {
            "size": size,
            "newSize": new_size,
            "channels": channels,
            "input": base64.b64encode(pixels.tobytes()).decode(),
            "crc32": zlib.crc32(output),
        }
        if len(output) < 2000:
            case["output"] = base64.b64encode(output).decode()
        cases.append(case)
    lines = ",\n".join(json.dumps(case) for case in cases)
    (GOLDENS / "resize.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
