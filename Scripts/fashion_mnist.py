"""Fashion-MNIST's files, looked for where vgg looks: in the folder given, in vgg's cache and in Debian's package."""

import gzip
import os
import pathlib

import numpy as np

FOLDERS = [
    pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "swift-vgg/fashion-mnist",
    pathlib.Path("/usr/share/datasets/fashion-mnist")]


def folder(given=None):
    """The folder of the .gz files: the one given, or the first that has them."""
    folders = [given] if given else FOLDERS
    for path in folders:
        if (path / "train-images-idx3-ubyte.gz").exists():
            return path
    raise SystemExit(f"no Fashion-MNIST in {', '.join(map(str, folders))}: run `vgg data`, or give --data-dir")


def read(folder, part):
    """Pixels [n, 28, 28] and labels [n], bytes, of `train` or `t10k`."""
    def content(kind, header):
        return np.frombuffer(gzip.decompress((folder / f"{part}-{kind}-ubyte.gz").read_bytes()), np.uint8, offset=header)

    return content("images-idx3", 16).reshape(-1, 28, 28), content("labels-idx1", 8)
