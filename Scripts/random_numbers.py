"""The random numbers of vgg in Python: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as
1, 2, 3").

A number is a function of (seed, stream, sequence, element): VGGModel's `Philox` explains it, and what the streams are
for. A judge that draws the same numbers as vgg can be compared with it step by step.
"""

import math

import numpy as np
import torch
from torch import nn

INITIALIZATION, DROPOUT, SHUFFLE = 1, 2, 3  # the streams' numbers
AUGMENTATION, MIXING, NOISE = 5, 6, 7
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(counter, key):
    """Ten rounds over arrays of four words with a key of two: [n, 4]."""
    x, y, z, w = (np.asarray(word, np.uint64) for word in counter)
    for round_number in range(10):
        key0, key1 = (np.uint64((word + round_number * weyl) & 0xFFFFFFFF)
                      for word, weyl in zip(key, (0x9E3779B9, 0xBB67AE85)))
        left, right = x * np.uint64(0xD2511F53), z * np.uint64(0xCD9E8D57)
        x, y, z, w = (right >> HALF) ^ y ^ key0, right & LOW, (left >> HALF) ^ w ^ key1, left & LOW
    return np.stack([x, y, z, w], axis=-1)


def words(count, seed, stream, sequence, layer=0, first=0):
    """`count` words of a sequence (a parameter, a step, an epoch) from the block `first` on; dropout has a sequence a
    layer, augmentation one an example."""
    blocks = first + np.arange((count + 3) // 4, dtype=np.uint64)
    counter = [blocks] + [np.full_like(blocks, word) for word in (layer, sequence, stream)]
    return philox(counter, [seed & 0xFFFFFFFF, seed >> 32]).reshape(-1)[:count]


def order(count, seed, epoch):
    """In which order an epoch shows the examples: Fisher and Yates's shuffle, as `ExampleOrder` has it."""
    drawn, indices = words(count, seed, SHUFFLE, epoch).tolist(), list(range(count))
    for last in range(count - 1, 0, -1):
        other = drawn[last] * (last + 1) >> 32
        indices[last], indices[other] = indices[other], indices[last]
    return indices


class Random:
    """What Python's module `random` and NumPy's have, out of the words of a sequence: VGGModel's `RandomWords`.

    A judge that is given this in place of its own source draws what vgg draws.
    """

    def __init__(self, seed, stream, sequence, example=0, first=0):
        self.words = iter(words(1 << 16, seed, stream, sequence, example, first).tolist())

    def random(self):
        return next(self.words) * 2.0**-32

    rand = random

    def uniform(self, low, high):
        return low + (high - low) * self.random()

    def randint(self, low, high):
        """Python's: both ends are included."""
        return low + (next(self.words) * (high - low + 1) >> 32)

    def normals(self, count):
        """Box and Muller's, in pairs."""
        pairs = [(next(self.words) >> 8, next(self.words) >> 8) for _ in range((count + 1) // 2)]
        numbers = []
        for first, second in pairs:
            radius = math.sqrt(-2 * math.log(1 - first * 2.0**-24))
            angle = 2 * math.pi * second * 2.0**-24
            numbers += [radius * math.cos(angle), radius * math.sin(angle)]
        return np.array(numbers[:count])

    def beta(self, alpha, other):
        """Of two alike, as `RandomWords` draws it."""
        assert alpha == other
        first, second = self.log_gamma(alpha), self.log_gamma(alpha)
        return 1 / (1 + math.exp(second - first))

    def log_gamma(self, shape):
        """Marsaglia and Tsang's."""
        if shape < 1:
            return self.log_gamma(shape + 1) + math.log(1 - self.random()) / shape
        d = shape - 1 / 3
        while True:
            normal, _ = self.normals(2).tolist()
            root = 1 + normal / math.sqrt(9 * d)
            limit = math.log(1 - self.random())
            if root > 0 and limit < normal**2 / 2 + d - d * root**3 + 3 * d * math.log(root):
                return math.log(d * root**3)


class Dropout(nn.Module):
    """Dropout of one half with the masks of vgg, which follow from the seed, the step and the layer's place.

    For vectors of a multiple of four numbers, as vgg begins each row with a new block.
    """

    def __init__(self, seed, layer):
        super().__init__()
        self.seed, self.layer, self.step = seed, layer, 0

    def forward(self, x):
        if not self.training:
            return x
        assert x.dim() == 2 and x.shape[1] % 4 == 0
        drawn = words(x.numel(), self.seed, DROPOUT, self.step, self.layer)
        self.step += 1
        return x * (2.0 * torch.from_numpy(drawn >= 1 << 31)).reshape(x.shape)


def check():
    """Random123's published answers."""
    for counter, key, answer in [
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0],
         "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ]:
        assert " ".join(f"{word:08x}" for word in philox(counter, key)) == answer
