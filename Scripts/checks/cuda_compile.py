"""Compiles the kernels of Sources/VGGOpenCL as CUDA C++ with NVRTC, which needs no GPU, for several generations of
GPUs, and lists what each kernel takes of one: registers, local (in CUDA: shared) memory, and how many of a
multiprocessor's threads can run at once for it.

    Scripts/cuda-compile [--arch sm_90]
"""

import argparse
import ctypes
import pathlib
import re
import struct
import sys

scripts = pathlib.Path(__file__).resolve().parent
repository = scripts.parent.parent
kernels = repository / "Sources/VGGOpenCL/Kernels"
swift = repository / "Sources/VGGOpenCL/OpenCLContext.swift"
architectures = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100"]

# Threads, blocks and KB of shared memory of a multiprocessor (CUDA C++ Programming Guide, "Technical Specifications per
# Compute Capability"); all have 65536 registers and deal them out to warps by 256.
multiprocessors = {
    "sm_75": (1024, 16, 64), "sm_80": (2048, 32, 164), "sm_86": (1536, 16, 100), "sm_89": (1536, 24, 100),
    "sm_90": (2048, 32, 228), "sm_100": (2048, 32, 228),
}


def nvrtc():
    for folder in sys.path:
        for path in sorted(pathlib.Path(folder).glob("nvidia/*/lib/libnvrtc.so.*")):
            if "alt" not in path.name:
                return ctypes.CDLL(str(path))
    sys.exit("error: NVRTC is missing: pip install nvidia-cuda-nvrtc-cu12")


# What a step's kernels are compiled for (NumberFormats.swift): bits of its input and output, and whether products are of 16
# bits. The first two are listed.
formats = {
    "fp32": (32, 32, 0), "bf16": (16, 16, 1), "bf16 to fp32": (16, 32, 1), "fp32 to bf16": (32, 16, 1),
    "bf16 between fp32": (32, 32, 1),
}


def definitions():
    """What the program defines when it builds the kernels: GROUP, SUM_GROUP, TILE."""
    text = swift.read_text()
    names = dict(re.findall(r"-D(\w+)=\\\((\w+)\)", text))
    if not names:
        sys.exit(f"error: {swift} no longer says what the kernels are built with")
    return {name: re.search(rf"static let {variable} = (\d+)", text)[1] for name, variable in names.items()}


def source():
    """All kernels as one text, common.cl first, in CUDA's words."""
    files = sorted(kernels.glob("*.cl"), key=lambda file: (file.name != "common.cl", file.name != "update.cl", file.name))
    text = "".join(file.read_text() for file in files)
    text = re.sub(r"\((float|uint|int)([248])\)\(", r"\1\2(", text)
    text = re.sub(r"\blocal (?=\w+ \w+\[)", "__shared__ ", text)
    text = re.sub(r"\b(local|global) ", "", text)
    text = re.sub(r"__attribute__\(\(reqd_work_group_size\((\w+), 1, 1\)\)\)", r"__launch_bounds__(\1)", text)
    return (scripts / "opencl_as_cuda.h").read_text() + text


def compiled(library, text, architecture, numbers):
    """The machine code for a GPU, and what the compiler had to say."""
    program = ctypes.c_void_p()
    library.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None)
    # 161 is a pragma that CUDA does not know: that of OpenCL against products and sums joined into one, which is --fmad here.
    options = [f"--gpu-architecture={architecture}", "--fmad=false", "-default-device", "--diag-suppress=161"]
    names = definitions() | dict(zip(("X_BITS", "Y_BITS", "MIXED"), formats[numbers]))
    options += [f"-D{name}={value}" for name, value in names.items()]
    words = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
    code = library.nvrtcCompileProgram(program, len(options), words)
    size = ctypes.c_size_t()
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    if code != 0:
        sys.exit(f"error: the kernels of {numbers} do not compile for {architecture}\n{log.value.decode()}")
    library.nvrtcGetCUBINSize(program, ctypes.byref(size))
    binary = ctypes.create_string_buffer(size.value)
    library.nvrtcGetCUBIN(program, binary)
    return binary.raw, log.value.decode()


def resources(binary):
    """Registers and bytes of shared memory of each kernel, from the sections of the ELF file."""
    (table,) = struct.unpack_from("<Q", binary, 0x28)
    size, count, names = struct.unpack_from("<HHH", binary, 0x3A)
    sections = [struct.unpack_from("<IIQQQQII", binary, table + size * i) for i in range(count)]
    start = sections[names][4]

    def name(section):
        begin = start + section[0]
        return binary[begin : binary.index(b"\0", begin)].decode()

    shared = {name(s)[len(".nv.shared.") :]: s[5] for s in sections if name(s).startswith(".nv.shared.")}
    # Symbols of 24 bytes: the name's place, then a byte each of kind and visibility, and the section.
    symbols = next(s for s in sections if s[1] == 2)
    of_symbol = [
        name(sections[struct.unpack_from("<H", binary, place + 6)[0]])
        if struct.unpack_from("<H", binary, place + 6)[0] < count else ""
        for place in range(symbols[4], symbols[4] + symbols[5], 24)
    ]
    # Attributes: a byte of format and one of kind, then two bytes, which of format 4 are the size of what follows. Kind 0x2F
    # is a symbol and the registers of its kernel.
    registers = {}
    information = next(s for s in sections if name(s) == ".nv.info")
    place = information[4]
    while place < information[4] + information[5]:
        form, kind, length = struct.unpack_from("<BBH", binary, place)
        if form == 4 and kind == 0x2F:
            symbol, number = struct.unpack_from("<II", binary, place + 4)
            registers[of_symbol[symbol].removeprefix(".text.")] = number
        place += 4 + (length if form == 4 else 0)
    return {kernel: (number, shared.get(kernel, 0)) for kernel, number in registers.items()}


def occupancy(architecture, registers, shared, group):
    """The share of a multiprocessor's threads that can run at once."""
    threads, blocks, kilobytes = multiprocessors[architecture]
    warps = -(-group // 32)
    by_registers = 65536 // (-(-max(registers, 1) * 32 // 256) * 256) // warps
    by_memory = kilobytes * 1024 // max(shared, 1024)
    return min(blocks, by_registers, by_memory, threads // group) * group / threads


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--arch", choices=architectures, default="sm_90", help="whose figures are listed")
    arguments = parser.parse_args()
    library, text = nvrtc(), source()
    major, minor = ctypes.c_int(), ctypes.c_int()
    library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    print(f"NVRTC {major.value}.{minor.value}")
    groups = {
        name: int(definitions()[size])
        for size, name in re.findall(r"__launch_bounds__\((\w+)\) void\s+(\w+)\(", text)
    }
    for architecture in architectures:
        for numbers in formats:
            binary, log = compiled(library, text, architecture, numbers)
            found = resources(binary)
            print(f"{architecture}, {numbers}: {len(found)} kernels" + (f"\n{log.strip()}" if log.strip() else ""))
            if architecture != arguments.arch or numbers not in ("fp32", "bf16"):
                continue
            for name, (registers, shared) in sorted(found.items()):
                group = groups.get(name, 256)
                share = occupancy(architecture, registers, shared, group)
                print(f"  {name:34} {registers:3} registers, {shared:5} bytes shared, {share:4.0%} of the threads")


main()
