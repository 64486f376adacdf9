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


if __name__ == "__main__":
    main()
