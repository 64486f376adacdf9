"""Draws pictures of garments as people photograph them, for docs/garments.md: no photo of anybody's.

Usage: python Scripts/garments.py FOLDER      (needs Pillow and numpy)

Writes eight pictures of several sizes into FOLDER, on light, dark, coloured and uneven backgrounds, one of them transparent,
and a sheet of all beside it, FOLDER.png.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

# Outlines in a square from 0 to 1, y downwards.
TSHIRT = [(.30, .12), (.42, .16), (.58, .16), (.70, .12), (.98, .30), (.88, .46), (.74, .38), (.74, .90), (.26, .90),
          (.26, .38), (.12, .46), (.02, .30)]  # fmt: skip
TROUSERS = [(.34, .03), (.66, .03), (.72, .97), (.55, .97), (.50, .30), (.45, .97), (.28, .97)]
PULLOVER = [(.34, .10), (.44, .14), (.56, .14), (.66, .10), (.80, .18), (.97, .84), (.83, .88), (.72, .46), (.72, .92),
            (.28, .92), (.28, .46), (.17, .88), (.03, .84), (.20, .18)]  # fmt: skip
DRESS = [(.40, .03), (.46, .12), (.54, .12), (.60, .03), (.64, .08), (.60, .38), (.76, .97), (.24, .97), (.40, .38),
         (.36, .08)]  # fmt: skip
SNEAKER = [(.03, .48), (.10, .38), (.20, .46), (.34, .40), (.52, .52), (.80, .58), (.95, .64), (.97, .74), (.03, .74)]
BOOT = [(.22, .10), (.52, .10), (.54, .52), (.84, .62), (.92, .74), (.92, .86), (.40, .86), (.38, .80), (.34, .92),
        (.20, .92)]  # fmt: skip
BAG = [(.10, .40), (.90, .40), (.96, .90), (.04, .90)]


def background(kind, width, height, random):
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    colours = {
        "white": np.full((height, width, 3), 250.0),
        "black": np.full((height, width, 3), 14.0),
        "wall": (170 + 75 * x - 25 * y)[..., None] * [1.0, 0.97, 0.92],
        "table": np.stack([150 + 30 * y, 104 + 22 * y, 66 + 16 * y], axis=-1),
        "blue": (np.full((height, width, 3), [70.0, 96.0, 150.0]).T + (25 * x).T).T,
        "grey": (np.full((height, width), 128.0) - 40 * x)[..., None] * [1, 1, 1],
    }
    return colours[kind] + random.normal(0, 2, (height, width, 1))


def drawn(outline, colour, kind, size, place, random, details=()):
    """A garment in a square of `place` (left, top, side) of a picture, with some light, some cloth and seams."""
    width, height = size
    left, top, side = place
    mask = Image.new("L", (4 * width, 4 * height))
    pen = ImageDraw.Draw(mask)
    to_picture = lambda points: [(4 * (left + side * x), 4 * (top + side * y)) for x, y in points]
    pen.polygon(to_picture(outline), fill=255)
    if outline is BAG:
        pen.arc([*to_picture([(.28, .10)])[0], *to_picture([(.72, .72)])[0]], 180, 360, fill=255, width=int(.16 * side))
    mask = mask.resize(size, Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(0.7))
    y, x = np.mgrid[0:height, 0:width]
    light = 1 + 0.16 * np.sin((x - left) / side * 5) + 0.08 * np.cos((y - top) / side * 9)
    cloth = np.array(colour) * light[..., None] + random.normal(0, 4, (height, width, 1))
    seams = Image.new("L", size)
    pen = ImageDraw.Draw(seams)
    for line in details:
        pen.line([(left + side * x, top + side * y) for x, y in line], fill=110, width=max(2, side // 90))
    cloth = cloth * (1 - np.asarray(seams)[..., None] / 255)
    alpha = np.asarray(mask)[..., None] / 255
    if kind is None:
        return Image.fromarray(np.concatenate([cloth.clip(0, 255), 255 * alpha], axis=-1).astype(np.uint8), "RGBA")
    picture = background(kind, width, height, random) * (1 - alpha) + cloth * alpha
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8), "RGB")


def pictures(random):
    leg = [[(.50, .06), (.50, .30)], [(.33, .10), (.67, .10)]]
    yield "t-shirt", drawn(TSHIRT, (60, 70, 110), "white", (480, 640), (90, 150, 300), random, [[(.42, .16), (.5, .21), (.58, .16)]])
    yield "trousers", drawn(TROUSERS, (150, 135, 110), "black", (600, 800), (120, 130, 520), random, leg)
    yield "pullover", drawn(PULLOVER, (120, 30, 40), "wall", (640, 480), (150, 40, 380), random, [[(.28, .86), (.72, .86)]])
    yield "dress", drawn(DRESS, (40, 120, 80), "wall", (400, 700), (20, 170, 380), random, [[(.40, .38), (.60, .38)]])
    yield "sneaker", drawn(SNEAKER, (235, 235, 240), "table", (800, 600), (140, 20, 520), random, [[(.03, .66), (.97, .70)], [(.36, .42), (.46, .56)], [(.44, .46), (.54, .58)]])
    yield "ankle boot", drawn(BOOT, (70, 45, 30), None, (500, 500), (60, 40, 400), random, [[(.20, .84), (.92, .84)]])
    yield "bag", drawn(BAG, (225, 190, 60), "blue", (700, 500), (150, 40, 400), random, [[(.08, .56), (.92, .56)]])
    yield "grey t-shirt", drawn(TSHIRT, (205, 205, 205), "grey", (300, 300), (20, 10, 260), random, [[(.42, .16), (.5, .21), (.58, .16)]])


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    sheet = Image.new("RGB", (8 * 94 + 10, 112), "white")
    for index, (name, picture) in enumerate(pictures(random)):
        picture.save(folder / f"{index + 1}-{name.replace(' ', '-')}.png")
        small = picture.copy()
        small.thumbnail((84, 92))
        sheet.paste(small, (94 * index + 10 + (84 - small.width) // 2, 10 + (92 - small.height) // 2), small if small.mode == "RGBA" else None)
    sheet.save(folder.parent / f"{folder.name}.png")


if __name__ == "__main__":
    main()
