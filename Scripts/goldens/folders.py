"""Writes the golden file of Tests/VGGDataTests: a folder of photos, and what torchvision's ImageFolder reads in it.

folders.json has the pictures, the files that hold them, the classes and samples of ImageFolder, and the numbers that
its usual transforms without augmentation make of each picture, in colour and in grey.
"""

import base64
import io
import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from torchvision import datasets, transforms

GOLDEN = Path(__file__).resolve().parents[2] / "Tests/VGGDataTests/Goldens/folders.json"
SIZE = 4

# Names whose order differs between code points, dictionaries and ignoring case, and folders within a class.
FILES = {
    "b/10.png": "wide",
    "b/2.png": "tall",
    "b/Z.PNG": "wide",
    "b/a.jpg": "photo",
    "b/notes.txt": "wide",
    "a b/one.webp": "tall",
    "Zebra/deep/er/1.png": "tall",
    "Zebra/deep er/1.png": "wide",
    "Zebra/deep/0.png": "photo",
    "Zebra/é.png": "tall",
    "Zebra/z.jpeg": "photo",
    "éa/1.png": "wide",
    "ea/1.png": "wide",
}


def encoded(random, width, height, kind):
    file = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(file, kind)
    return file.getvalue()


def numbers(folder, mode):
    steps = [transforms.Resize(SIZE), transforms.CenterCrop(SIZE), transforms.ToTensor()]
    if mode == "L":
        steps.insert(0, transforms.Grayscale())
    images = datasets.ImageFolder(folder, transforms.Compose(steps))
    # Channels last.
    return [image.permute(1, 2, 0).flatten().tolist() for image, _ in images]


def main():
    random = np.random.default_rng(1)
    pictures = {
        "wide": encoded(random, 7, 5, "PNG"),
        "tall": encoded(random, 3, 9, "PNG"),
        "photo": encoded(random, 8, 6, "JPEG"),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in FILES.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pictures[picture])
        images = datasets.ImageFolder(folder)
        golden = {
            "size": SIZE,
            "pictures": {name: base64.b64encode(data).decode() for name, data in pictures.items()},
            "files": FILES,
            "classes": images.classes,
            "samples": [str(Path(path).relative_to(folder)) for path, _ in images.samples],
            "labels": images.targets,
            "rgb": numbers(folder, "RGB"),
            "grey": numbers(folder, "L"),
        }
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
