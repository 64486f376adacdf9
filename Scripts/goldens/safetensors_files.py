"""Writes the small files of Tests/VGGFormatsTests/Goldens with Python's safetensors.

Usage: python Scripts/goldens/safetensors_files.py   (needs torch and safetensors)
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parents[2] / "Tests/VGGFormatsTests/Goldens"

# Exact in every type: the float a reader makes of them does not depend on rounding.
VALUES = [0.0, -0.0, 1.0, -2.5, 0.15625, 96.0, float("inf"), float("-inf")]


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)

    save_file(
        {
            "b.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
            "a.bias": torch.tensor([-1.5, 3.25]),
            "scalar": torch.tensor(7.0),
            "empty": torch.zeros(0, 3),
        },
        FOLDER / "f32.safetensors",
        metadata={"format": "pt"},
    )

    save_file(
        {
            "f16": torch.tensor(VALUES, dtype=torch.float16),
            # The smallest and the largest subnormal half, the smallest normal and the largest finite one.
            "f16.limits": torch.tensor([2**-24, 1023 * 2**-24, 2**-14, 65504.0], dtype=torch.float16),
            "f32": torch.tensor(VALUES, dtype=torch.float32),
            "bf16": torch.tensor(VALUES, dtype=torch.bfloat16),
            "f64": torch.tensor(VALUES, dtype=torch.float64),
        },
        FOLDER / "types.safetensors",
        metadata={"note": 'quotes ", \\, a line\nbreak, \u00e9 and \U0001f600'},
    )

    integers = {str(dtype).removeprefix("torch."): torch.tensor([0, 1, 100], dtype=dtype) for dtype in (
        torch.bool, torch.uint8, torch.int8, torch.uint16, torch.int16, torch.uint32, torch.int32, torch.uint64,
        torch.int64)}
    integers["negative"] = torch.tensor([-1, -128], dtype=torch.int8)
    save_file(integers, FOLDER / "integers.safetensors")

    # Numbers of every size that halves have and of sizes between them, and halfway between two halves and two bfloat16s.
    torch.manual_seed(0)
    numbers = torch.randn(300) * 2.0 ** torch.randint(-28, 15, (300,))
    halfway = torch.cat([(1 + torch.arange(40) / 40.0).half().float() + step for step in (2.0**-11, 2.0**-8)])
    least = torch.tensor([0.0, -0.0, 2.0**-25, 3 * 2.0**-26, 2.0**-24, 1.5 * 2.0**-24, 2.0**-14, 65504.0, 65519.9])
    weights = {
        "scale": torch.tensor([1e-30, 70000.0, 0.1]),
        "weight": torch.cat([numbers, halfway, -halfway, least]).reshape(-1, 7),
    }
    for name, dtype in (("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)):
        save_file({**weights, "weight": weights["weight"].to(dtype)}, FOLDER / f"rounding-{name}.safetensors")


if __name__ == "__main__":
    main()
