"""What LLVM's models of 64-bit ARM processors predict of the inner loops of the product and of the peak: fused
multiply-adds of four numbers that start in a cycle, of those that the processor's pipes could start.

    make mca                              with the newest llvm-mca that is installed, or MCA=llvm-mca-19
    apt-get install llvm gcc-aarch64-linux-gnu      llvm-mca, and headers for clang, which comes with Swift
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

kernels = pathlib.Path(__file__).resolve().parents[2] / "Sources/CVGGKernels"
pipes = {"neoverse-v1": 4, "neoverse-n1": 2, "apple-m1": 4}
turns = 200


def tool(variable, names, package):
    names = [os.environ[variable]] if variable in os.environ else names
    found = next((path for path in map(shutil.which, names) if path), None)
    return found or sys.exit(f"error: {names[-1]} is missing; apt-get install {package}")


def run(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else sys.exit(f"error: {' '.join(command)}\n{done.stderr}")


def loops(assembly):
    """The function and the lines of each loop that holds no other branch."""
    function, body, label = "", [], ""
    for line in assembly.splitlines():
        code = line.split("//")[0].rstrip()
        if start := re.match(r"([\w.]+):", code):
            label, body = start[1], []
            function = function if label.startswith(".L") else label
        elif code:
            body.append(code)
        if branch := re.match(r"\s+(?:b(?:\.\w+)?|cbn?z|tbn?z)\s.*?(\.LBB\w+)$", code):
            if branch[1] == label:
                yield function, body
            body, label = [], ""


def name(function, body):
    """What a loop of the full number of sums is; nil for others."""
    adds = [line for line in body if "fmla" in line]
    sums = len({line.split()[1] for line in adds})
    if function == "vgg_peak_fp32" and sums == len(adds) > 16:
        return "the loop that finds the peak"
    if not function.startswith("product__") or sums != 16:
        return None
    if len(adds) == 64:
        return "product, four rows, four numbers of each with one load"
    singles = any(re.search(r"\bld1r\b|\bldr\s+s\d", line) for line in body)
    return "product, neither" if singles else "product, four rows whose numbers lie side by side"


def main():
    clang = tool("CLANG", ["clang"], "clang (Swift has one, too)")
    versions = [f"llvm-mca-{version}" for version in range(40, 13, -1)]
    mca = tool("MCA", [*versions, "llvm-mca"], "llvm")
    print(re.search(r"LLVM version \S+", run(mca, "--version"))[0], "of", mca)
    print("compiled by", run(clang, "--version").splitlines()[0])
    print(f"{'loop':56}", *(f"{cpu:>16}" for cpu in pipes))
    seen = set()
    for source in ("portable.c", "peak.c"):
        assembly = run(clang, "--target=aarch64-linux-gnu", "-std=c11", "-O2", "-S", "-o", "-",
                       f"-I{kernels}/include", f"-I{kernels}", str(kernels / source))
        for function, body in loops(assembly):
            loop = name(function, body)
            if not loop:
                continue
            adds = sum("fmla" in line for line in body)
            row = f"{loop:56}"
            for cpu, most in pipes.items():
                report = run(mca, "-mtriple=aarch64", f"-mcpu={cpu}", f"-iterations={turns}", text="\n".join(body))
                cycles = int(re.search(r"Total Cycles:\s+(\d+)", report)[1]) / turns
                row += f"{f'{adds / cycles:.2f} of {most}':>17}"
            if row not in seen:
                print(row)
            seen.add(row)
    if len({row[:56] for row in seen}) < 4:
        sys.exit("error: the compiler made other loops than are looked for: not all four are there")


main()
