"""Writes the golden files of Tests/VGGImagesTests: tiny photos of every kind, and what Pillow and torchvision
make of them.

Goldens/photos holds the files. photos.json has what Pillow decodes (turned upright, as RGB), preprocessing.json
the CRC-32 of the numbers that torchvision's transforms make of some of them.
"""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, PngImagePlugin
from torchvision import transforms

GOLDENS = Path(__file__).resolve().parents[2] / "Tests/VGGImagesTests/Goldens"
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CAFFE = ([103.939, 116.779, 123.68], [1, 1, 1])

# Interlaced PNG: the first column and row of each pass, and the steps to the next ones.
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
# PNG's colour types and their channels.
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}


def picture(random, height, width, channels=3):
    """Soft shapes with some noise, [height, width, channels]."""
    planes = []
    for _ in range(channels):
        coarse = Image.fromarray(random.integers(0, 256, (4, 4), np.uint8))
        plane = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
        planes.append(plane + random.integers(-9, 10, plane.shape))
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def encoded(pixels, kind, mode=None, **options):
    if mode is None:
        mode = {1: "L", 3: "RGB", 4: "RGBA"}[pixels.shape[-1]]
    data = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    size = (pixels.shape[1], pixels.shape[0])
    file = io.BytesIO()
    Image.frombytes(mode, size, data.tobytes()).save(file, kind, **options)
    return file.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(random, width, height, bits, color, interlaced, chunks=b""):
    """A PNG of random samples, in every filter; Pillow writes few of the kinds."""
    rows = b""
    for left, top, right, down in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        columns = len(range(left, width, right))
        for _ in range(top, height if columns else 0, down):
            samples = random.integers(0, 256, (columns * CHANNELS[color] * bits + 7) // 8, np.uint8)
            row_filter = random.integers(0, 5)
            rows += bytes([row_filter]) + samples.tobytes()
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlaced)
    parts = [chunk(b"IHDR", header), chunks, chunk(b"IDAT", zlib.compress(rows, 9)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def exif(orientation, order):
    """The orientation as the second of two entries."""
    first = struct.pack(order + "HHI", 0x010F, 2, 4) + b"abc\0"
    second = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    start = b"II*\0" if order == "<" else b"MM\0*"
    return b"Exif\0\0" + start + struct.pack(order + "IH", 8, 2) + first + second + bytes(4)


def jpegs(random):
    for name, subsampling in [("444", "4:4:4"), ("422", "4:2:2"), ("420", "4:2:0")]:
        for kind, progressive in [("baseline", False), ("progressive", True)]:
            yield f"{kind}-{name}", encoded(
                picture(random, 21, 35), "JPEG", subsampling=subsampling, progressive=progressive)
    yield "restart", encoded(picture(random, 21, 35), "JPEG", restart_marker_blocks=2)
    yield "rgb", encoded(picture(random, 21, 19), "JPEG", keep_rgb=True)
    yield "one-pixel", encoded(picture(random, 1, 1), "JPEG")
    for kind, progressive in [("", False), ("-progressive", True)]:
        yield f"grey{kind}", encoded(picture(random, 21, 19, 1), "JPEG", progressive=progressive)
        inks = encoded(picture(random, 21, 19, 4), "JPEG", "CMYK", progressive=progressive)
        yield f"cmyk{kind}", inks
        # The same data as YCCK: only Adobe's marker says which of the two it is.
        transform = inks.index(b"Adobe") + 11
        yield f"ycck{kind}", inks[:transform] + b"\2" + inks[transform + 1 :]


def pngs(random):
    for bits, color in [
        (1, GREY), (2, GREY), (4, GREY), (8, GREY), (16, GREY), (8, RGB), (16, RGB), (1, PALETTE), (2, PALETTE),
        (4, PALETTE), (8, PALETTE), (8, GREY_ALPHA), (16, GREY_ALPHA), (8, RGB_ALPHA), (16, RGB_ALPHA),
    ]:  # fmt: skip
        name = {GREY: "grey", RGB: "rgb", PALETTE: "palette", GREY_ALPHA: "grey-alpha", RGB_ALPHA: "rgba"}[color]
        palette = b""
        if color == PALETTE:
            palette = chunk(b"PLTE", random.integers(0, 256, 3 << bits, np.uint8).tobytes())
        for kind, interlaced in [("", 0), ("-interlaced", 1)]:
            yield f"{name}{bits}{kind}", png(random, 13, 9, bits, color, interlaced, palette)
        transparent = {GREY: struct.pack(">H", 1), RGB: struct.pack(">3H", 1, 2, 3), PALETTE: b"\0\x80"}
        if color in transparent:
            trns = chunk(b"tRNS", transparent[color])
            yield f"{name}{bits}-trns", png(random, 13, 9, bits, color, 0, palette + trns)
    # Nothing but black stands for the colours that a palette lacks; gamma changes nothing.
    yield "palette-short", png(random, 13, 9, 4, PALETTE, 0, chunk(b"PLTE", bytes(range(9))))
    yield "gamma", png(random, 13, 9, 8, RGB, 0, chunk(b"gAMA", struct.pack(">I", 60000)))
    yield "one-pixel", png(random, 1, 1, 8, RGB, 1)
    frames = [Image.fromarray(picture(random, 9, 13)) for _ in range(2)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    yield "animated", file.getvalue()


def webps(random):
    for name, options in [("lossy", {"quality": 70}), ("lossless", {"lossless": True, "exact": True})]:
        yield name, encoded(picture(random, 21, 35), "WEBP", **options)
        yield f"{name}-alpha", encoded(picture(random, 21, 35, 4), "WEBP", **options)
    # The first frame covers only a part of the canvas.
    first = Image.new("RGBA", (30, 20))
    first.paste(Image.fromarray(picture(random, 8, 10)), (6, 4))
    file = io.BytesIO()
    first.save(
        file, "WEBP", save_all=True, append_images=[Image.fromarray(picture(random, 20, 30))], lossless=True,
        minimize_size=True)  # fmt: skip
    yield "animated", file.getvalue()


def turned(random):
    """Every orientation in each format; the two byte orders take turns."""
    for orientation in range(1, 9):
        order = "<>"[orientation % 2]
        for kind, ending in [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")]:
            options = {"lossless": True} if kind == "WEBP" else {}
            pixels = picture(random, 3, 5)
            yield f"exif{orientation}.{ending}", encoded(pixels, kind, exif=exif(orientation, order), **options)
    xmp = '<rdf:Description tiff:Orientation="6"/>'
    yield "xmp6.jpg", encoded(picture(random, 3, 5), "JPEG", xmp=xmp.encode())
    yield "xmp6.webp", encoded(picture(random, 3, 5), "WEBP", lossless=True, xmp=xmp.encode())
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp)
    yield "xmp6.png", encoded(picture(random, 3, 5), "PNG", pnginfo=text)
    # The EXIF record counts before XMP.
    both = {"exif": exif(3, "<"), "xmp": xmp.encode()}
    yield "exif3-xmp6.jpg", encoded(picture(random, 3, 5), "JPEG", **both)


def upright(path):
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode.startswith("I;16"):
        # Pillow would clip at 255: of 16-bit grey the upper byte counts, as of all other samples of 16 bits.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def prepared(path, resize, size, channels, unit, mean, std):
    """[size, size, channels], by torchvision."""
    image = upright(path)
    if channels == "grey":
        image = image.convert("L")
    image = transforms.CenterCrop(size)(transforms.Resize(resize)(image))
    pixels = transforms.ToTensor()(image) if unit else transforms.PILToTensor()(image).float()
    if channels == "bgr":
        pixels = pixels.flip(0)
    return transforms.Normalize(mean, std)(pixels).permute(1, 2, 0).contiguous().numpy()


def preprocessing_cases(folder, random):
    imagenet, caffe = ("rgb", True, *IMAGENET), ("bgr", False, *CAFFE)
    plain, grey = ("rgb", True, [0] * 3, [1] * 3), ("grey", True, [0], [1])
    # Heights and widths whose margins are whole, half above an even and half above an odd number.
    # Then sides that are already as long as what is cut out.
    for height, width in [(43, 61), (61, 43), (36, 36), (36, 37), (39, 36), (20, 23), (200, 31),
                          (32, 32), (32, 48), (48, 32), (24, 32)]:
        name = f"preprocess-{height}x{width}.png"
        (folder / name).write_bytes(encoded(picture(random, height, width), "PNG", optimize=True))
        for settings in [imagenet, caffe, plain, grey]:
            yield name, 36, 32, *settings
    for name in ["preprocess-43x61.png", "baseline-420.jpg", "exif6.jpg", "lossy.webp", "cmyk.jpg"]:
        yield name, 256, 224, *imagenet
        yield name, 256, 224, *caffe
        yield name, 28, 28, *grey
    # Networks for smaller pictures, and what other programs train with: 0…255 in either order of colours.
    slim, mmdet = ("rgb", False, [123.68, 116.78, 103.94], [1] * 3), (
        "rgb", False, [123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
    cifar, fashion = ("rgb", True, [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.201]), ("grey", True, [0.286], [0.353])
    for name in ["preprocess-43x61.png", "baseline-420.jpg"]:
        for size in [32, 64, 96]:
            yield name, round(size / 0.875), size, *imagenet
        yield name, 32, 32, *cifar
        yield name, 28, 28, *fashion
        yield name, 40, 32, *slim
        yield name, 40, 32, *mmdet


# With alpha of 8 bits, or a colour that is transparent (of grey in 4 bits Pillow does not find it); the last are turned by their
# EXIF orientation or have no alpha.
BLENDED = [
    "rgba8.png", "rgba8-interlaced.png", "grey-alpha8.png", "palette8-trns.png", "rgb8-trns.png",
    "lossless-alpha.webp", "lossy-alpha.webp", "rgb8.png", "exif6.jpg",
]  # fmt: skip


def blended(path):
    """The bytes over white, or over black where what is opaque is light."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGBA")
    alpha = np.asarray(image.getchannel("A"), dtype=float)
    luma = np.asarray(image.convert("RGB").convert("L"), dtype=float)
    beyond = "black" if (alpha * luma).sum() > 192 * alpha.sum() else "white"
    result = Image.new("RGB", image.size, beyond)
    result.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return result.tobytes()


def main():
    random = np.random.default_rng(20241123)
    folder = GOLDENS / "photos"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    files = [(f"{name}.jpg", data) for name, data in jpegs(random)]
    files += [(f"{name}.png", data) for name, data in pngs(random)]
    files += [(f"{name}.webp", data) for name, data in webps(random)]
    files += list(turned(random))
    photos = []
    for name, data in files:
        (folder / name).write_bytes(data)
        image = upright(folder / name)
        photos.append({
            "file": name,
            "width": image.width,
            "height": image.height,
            "pixels": base64.b64encode(image.tobytes()).decode(),
        })  # fmt: skip
    write("photos.json", photos)

    write("alpha.json", [{"file": name, "pixels": base64.b64encode(blended(folder / name)).decode()} for name in BLENDED])

    cases = []
    for name, resize, size, channels, unit, mean, std in preprocessing_cases(folder, random):
        numbers = prepared(folder / name, resize, size, channels, unit, mean, std)
        cases.append({
            "file": name,
            "preprocessing": {
                "resize": resize,
                "size": size,
                "channels": channels,
                "range": "unit" if unit else "byte",
                "mean": mean,
                "std": std,
            },
            "first": [float(number) for number in numbers.reshape(-1)[:3]],
            "crc32": zlib.crc32(numbers.tobytes()),
        })  # fmt: skip
    write("preprocessing.json", cases)


def write(name, values):
    lines = ",\n".join(json.dumps(value) for value in values)
    (GOLDENS / name).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
