"""Runs vgg and the other programs in turns and prints how they compare; called by Scripts/bench.

Every turn is a process of its own, and the turns of a group go round: vgg, first peer, second peer, vgg, …
(vgg with one thread, where it is measured, comes right after vgg).
Absolute figures move with the machine: only ratios taken in one run count, so a row's value is the median
over all measured steps of all its rounds, and its ratio is taken with the best of the others in the same run.
"""

import argparse
import atexit
import datetime
import functools
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PEERS = pathlib.Path(__file__).with_name("peers.py")
START = pathlib.Path(__file__).with_name("start.py")
VGG16_OPTIONS = "--arch vgg16 --in-channels 3 --classes 1000 --adaptive-pool"

# name, title, network of peers.py, our options, size, batch size, steps, momentum, goal
NETWORK_ROWS = [
    ("train-slim-bn", "training slim VGG-11 with batch norm, 224x224", "slim-bn",
     "--arch vgg11_bn --width-divisor 4", 224, 64, 3, 0.9, 2.5),
    ("train-vgg16-bn-32", "training VGG-16 with batch norm, 3x32x32", "vgg16-bn-32",
     "--arch vgg16_bn --in-channels 3", 32, 128, 3, 0.0, 2.0),
    ("train-vgg16-32", "training VGG-16, 3x32x32", "vgg16-32", "--arch vgg16 --in-channels 3", 32, 128, 3, 0.0, 2.0),
    ("train-small-bn", "training eight convolutions with batch norm, 28x28", "small-bn",
     "--arch vgg11_bn --conv-arch 2x64,2x128,2x256,2x256 --pool 1 --hidden-features none", 28, 128, 4, 0.0, 2.0),
    ("train-vgg16-frozen", "fine-tuning VGG-16's classifier", "vgg16-frozen",
     VGG16_OPTIONS + " --freeze features", 224, 32, 2, 0.0, 2.5),
    ("train-alexnet", "training AlexNet, 224x224", "alexnet", "--arch alexnet", 224, 64, 3, 0.0, 2.5),
]


class Turn:
    """One program at one piece of work: a command, and what its rounds gave."""

    def __init__(self, label, arguments, batch_size, steps, size=224, threads=None, is_ours=False):
        self.label, self.arguments, self.is_ours = label, arguments.split(), is_ours
        self.batch_size, self.steps, self.size, self.threads = batch_size, steps, size, threads
        self.results, self.failure = [], None

    def run(self, options):
        start = [options.vgg, "bench", "--format", "json"] if self.is_ours else [options.python, str(PEERS)]
        batch_size = min(self.batch_size, 4) if options.short else self.batch_size
        threads = self.threads or options.threads
        command = start + self.arguments + [
            "--size", str(self.size), "--batch-size", str(batch_size), "--threads", str(threads),
            "--steps", str(1 if options.short else self.steps)]
        output = self.output_of(command, {"OMP_NUM_THREADS": str(threads)})
        if output is not None:
            self.results.append(json.loads(output) | {"batch_size": batch_size})

    def output_of(self, command, environment={}):
        """What the command prints; None if it fails, which is then `failure`."""
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
        except OSError as error:
            self.failure = str(error)
            return None
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            self.failure = lines[-1] if lines else f"exit status {done.returncode}"
            return None
        return done.stdout

    def images_per_sec(self):
        steps = [r["batch_size"] / ms * 1e3 for r in self.results for ms in r["step_ms"]]
        return statistics.median(steps) if steps else None

    def memory_mb(self):
        return statistics.median(r["peak_rss_mb"] for r in self.results) if self.results else None


class StartTurn(Turn):
    """A program from its start to its first prediction: VGG-16's weights in a file, one photo."""

    def __init__(self, label, command, is_ours=False):
        super().__init__(label, "", 1, 1, is_ours=is_ours)
        self.command = command

    def run(self, options):
        folder = start_files(options.python)
        if folder is None:
            self.failure = "PyTorch makes the weights and the photo, and is not there"
            return
        command = self.command(options, folder)
        # The very first start finds neither the program nor its libraries in memory, and is not counted.
        for _ in range(2 if not self.results else 1):
            begin = time.perf_counter()
            if self.output_of(command) is None:
                return
            seconds = time.perf_counter() - begin
        self.results.append({"step_ms": [1e3 * seconds], "peak_rss_mb": 0, "batch_size": 1})


@functools.cache
def start_files(python):
    """A folder with vgg16.pth, vgg16.safetensors and photo.jpg in the page cache; None without PyTorch."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vgg-start-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    done = subprocess.run([python, str(START), "make", str(folder)], capture_output=True)
    return folder if done.returncode == 0 else None


class Row:
    """A row of the table: a value of ours beside the best of the same value of others."""

    def __init__(self, name, title, ours, others, goal, value=Turn.images_per_sec, unit="images/sec",
                 at_most=False, is_scaling=False):
        self.name, self.title, self.ours, self.others, self.goal = name, title, ours, others, goal
        self.value, self.unit, self.at_most = value, unit, at_most
        # Whether it compares two threads with one.
        self.is_scaling = is_scaling

    @property
    def is_bf16(self):
        return "bf16" in self.name

    def result(self, short):
        ours = self.value(self.ours)
        others = {turn.label: self.value(turn) for turn in self.others}
        measured = [turn.label for turn in self.others if others[turn.label] is not None]
        # No goal is met beside a peer that may have been the best and failed, or in a short run.
        has_failed = any(turn.failure for turn in [self.ours] + self.others)
        best = (min if self.at_most else max)(measured, key=others.get, default=None)
        ratio = ours / others[best] if ours is not None and best else None
        is_judged = ratio is not None and not has_failed and not short
        met = (ratio <= self.goal if self.at_most else ratio >= self.goal) if is_judged else None
        return {
            "name": self.name, "title": self.title, "unit": self.unit, "ours": ours, "others": others,
            "best": best, "ratio": ratio, "goal": self.goal, "at_most": self.at_most, "met": met}


def groups(threads=2, has_bf16=True):
    """The rows, in groups whose turns go round together."""
    def ours(precision, mode, batch_size, steps, size=224, network="", threads=None):
        return Turn("swift-vgg", f"--mode {mode} --precision {precision} {network}", batch_size, steps, size,
                    threads, is_ours=True)

    for size, steps, goals in [(224, 3, {"fp32": 4.5, "bf16": 3.3}), (96, 6, {"fp32": 3.5, "bf16": 2.7})]:
        for precision in ["fp32", "bf16"]:
            mine = ours(precision, "train", 128, steps, size)
            label = f"PyTorch {precision}"
            peers = [Turn(
                f"{label} channels-last", f"torch train slim --precision {precision}", 128, steps, size)]
            if precision == "fp32":
                peers.append(Turn(f"{label} NCHW", "torch train slim --layout nchw", 128, steps, size))
            rows = [Row(
                f"train-{size}-{precision}", f"training {size}x{size}, {precision}", mine, peers,
                goals[precision])]
            if size == 224:
                rows.append(Row(
                    f"memory-{precision}", f"memory of training {size}x{size}, {precision}", mine, peers,
                    1 / 3, Turn.memory_mb, "MB", at_most=True))
                if threads == 2:
                    alone = ours(precision, "train", 128, steps, size, threads=1)
                    alone.label = "swift-vgg, one thread"
                    rows.append(Row(
                        f"threads-{precision}", f"two threads over one, {precision}", mine, [alone], 1.9,
                        unit="images/sec, own", is_scaling=True))
            yield rows

    yield [Row(
        "infer-slim-bf16", "inference slim VGG-11, bf16", ours("bf16", "infer", 128, 5),
        [Turn("PyTorch bf16 channels-last", "torch infer slim --precision bf16", 128, 5)], 3.0)]

    for precision, goals in [("fp32", {16: 2.8, 1: 1.7}), ("bf16", {16: 1.8, 1: 1.6})]:
        for batch_size, steps in [(16, 4), (1, 20)]:
            peers = [
                Turn(f"{name} {precision}", f"{program} infer vgg16 --precision {precision}", batch_size, steps)
                for name, program in [
                    ("OpenVINO", "openvino"), ("ONNX Runtime", "onnxruntime"),
                    ("PyTorch channels-last", "torch")]
                # ONNX Runtime's CPU kernels know no bfloat16.
                if (precision, program) != ("bf16", "onnxruntime")]
            yield [Row(
                f"infer-vgg16-{precision}-{batch_size}", f"inference VGG-16, {precision}, batch {batch_size}",
                ours(precision, "infer", batch_size, steps, network=VGG16_OPTIONS), peers, goals[batch_size])]


    # Networks with batch norm, and small pictures: the better of our precisions beside the best of PyTorch's four modes.
    for name, title, network, options, size, batch_size, steps, momentum, goal in NETWORK_ROWS:
        momentum = f" --momentum {momentum}"
        mine = ours("auto", "train", batch_size, steps, size, options + momentum)
        peers = [
            Turn(
                f"PyTorch {precision} {layout}", f"torch train {network} --precision {precision} "
                f"--layout {'nhwc' if layout == 'channels-last' else 'nchw'}{momentum}", batch_size, steps, size)
            # Without the arithmetic a step in bf16 takes minutes.
            for precision in (["fp32", "bf16"] if has_bf16 else ["fp32"]) for layout in ["channels-last", "NCHW"]]
        rows = [Row(name, title, mine, peers, goal)]
        if name == "train-slim-bn":
            rows.append(Row(
                "memory-slim-bn", "memory of training slim VGG-11 with batch norm", mine, peers, 1 / 3,
                Turn.memory_mb, "MB", at_most=True))
            without = ours("auto", "train", batch_size, steps, size, "--arch vgg11 --width-divisor 4" + momentum)
            without.label = "swift-vgg, no batch norm"
            rows.append(Row(
                "batch-norm", "a step with batch norm over one without", mine, [without], 1.25,
                lambda turn: turn.images_per_sec() and batch_size / turn.images_per_sec() * 1e3, "ms, own",
                at_most=True))
        yield rows

    for name, title, network, size, batch_size, steps in [
        ("stylize", "style transfer, VGG-19 to relu5_1, a step of Adam, 512x512", "vgg19", 512, 1, 3),
        ("distance", "LPIPS of 64 pairs, 256x256", "vgg16", 256, 64, 2),
    ]:
        mine = Turn(
            "swift-vgg", f"--mode {name} --arch {network} --in-channels 3", batch_size, steps, size, is_ours=True)
        peers = [
            Turn(f"PyTorch fp32 {layout}", f"torch {name} vgg16 --layout {key}", batch_size, steps, size)
            for layout, key in [("channels-last", "nhwc"), ("NCHW", "nchw")]]
        unit = "pairs/sec" if name == "distance" else "steps/sec"
        yield [
            Row(name, title, mine, peers, 3.0, unit=unit),
            Row(f"memory-{name}", f"memory of {title}", mine, peers, 1 / 2, Turn.memory_mb, "MB", at_most=True)]

    yield [Row(
        "start", "start to first prediction, VGG-16",
        StartTurn(
            "swift-vgg", lambda options, folder: [
                options.vgg, "predict", f"{folder}/vgg16.safetensors", f"{folder}/photo.jpg"],
            is_ours=True),
        [StartTurn(
            "PyTorch", lambda options, folder: [
                options.python, str(START), "predict", f"{folder}/vgg16.pth", f"{folder}/photo.jpg"])],
        8.0, unit="starts/sec")]


def growth_of_the_peak(row):
    """The machine's peak with two threads over that with one: as much as arithmetic can gain by the second."""
    ours, alone = ([r["peak_gflops"] for r in turn.results] for turn in [row.ours, row.others[0]])
    if not ours or not alone:
        return []
    growth = statistics.median(ours) / statistics.median(alone)
    return [f"{row.title}: the machine's own peak grew {growth:.2f} times"]


def measure(rows, options):
    """Runs the turns that the rows need, each once a round. Returns the notes about what failed."""
    name = rows[0].name
    turns = list(dict.fromkeys(turn for row in rows for turn in [row.ours] + row.others))
    # Our own turns come first and together: the ratio of two threads and one lies close to its goal.
    turns.sort(key=lambda turn: not turn.is_ours)
    for round_number in range(options.rounds):
        for turn in turns:
            if turn.failure:
                continue
            print(f"{name}: round {round_number + 1} of {options.rounds}, {turn.label}", file=sys.stderr)
            turn.run(options)
    return [f"{name}: {turn.label} was not measured: {turn.failure}" for turn in turns if turn.failure]


def table(results):
    def number(value):
        if value is None:
            return "-"
        return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"

    lines = [["work", "unit", "swift-vgg", "best other", "", "ratio", "goal", ""]]
    for r in results:
        sign, goal = ("≤", f"{r['goal']:.2f}") if r["at_most"] else ("≥", f"{r['goal']:.1f}")
        lines.append([
            r["title"], r["unit"], number(r["ours"]), number(r["others"].get(r["best"])), r["best"] or "",
            "-" if r["ratio"] is None else f"{r['ratio']:.2f}", f"{sign} {goal}",
            {True: "met", False: "not met", None: "not judged"}[r["met"]]])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    right = {2, 3, 5, 6}
    for line in lines:
        cells = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths))]
        print("  ".join(cells).rstrip())
    print("\nall that was measured:")
    for r in results:
        for label, value in [("swift-vgg", r["ours"]), *r["others"].items()]:
            print(f"  {r['title']:42} {label:36} {number(value):>7} {r['unit']}")


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def own_bench(vgg):
    """What `vgg bench` says of itself: its kernels, and the precision that it chooses here."""
    command = [vgg, "bench", "--precision", "auto", "--size", "32", "--batch-size", "1", "--steps", "1",
               "--format", "json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def main():
    names = [row.name for rows in groups() for row in rows]
    parser = argparse.ArgumentParser(
        description="Compare vgg with other programs.", epilog="rows: " + ", ".join(names))
    parser.add_argument("--vgg", required=True, help="the program vgg")
    parser.add_argument("--python", required=True, help="a Python with the other programs")
    parser.add_argument(
        "--only", action="append", choices=names, metavar="NAME", help="this row only; may be repeated")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, help="turns of each program (default: 3)")
    parser.add_argument(
        "--short", action="store_true", help="one round, one step, batches of 4: shows only that it runs")
    parser.add_argument("--json", metavar="FILE", help="write the results here (docs/benchmarks.json)")
    parser.add_argument("--chart", metavar="FILE", help="draw the ratios as SVG here; needs --json")
    options = parser.parse_args()
    if options.chart and not options.json:
        parser.error("--chart needs --json")
    options.rounds = options.rounds or (1 if options.short else 3)

    results, notes = [], []
    # Where the processor does not multiply bf16, vgg makes the products in fp32, slower than with fp32.
    has_bf16 = own_bench(options.vgg)["precision"] == "bf16"
    if not has_bf16:
        notes.append("this processor does not multiply bf16: rows in bf16 were left out")
    for rows in groups(options.threads, has_bf16):
        rows = [row for row in rows if not options.only or row.name in options.only]
        rows = [row for row in rows if has_bf16 or not row.is_bf16]
        if rows:
            notes += measure(rows, options)
            results += [row.result(options.short) for row in rows]
            notes += [note for row in rows if row.is_scaling for note in growth_of_the_peak(row)]
    if options.short:
        notes.append("--short: these figures show that everything runs, and say nothing about speed")
    table(results)
    print()
    for note in notes:
        print(f"note: {note}")

    if options.json:
        pins = (PEERS.parents[1] / "requirements.txt").read_text().split()
        report = {
            "date": datetime.date.today().isoformat(), "processor": processor(), "threads": options.threads,
            "rounds": options.rounds, "short": options.short,
            "versions": dict(pin.split("==") for pin in pins), "rows": results, "notes": notes}
        text = json.dumps(report, indent=1, ensure_ascii=False)
        pathlib.Path(options.json).write_text(text + "\n", encoding="utf-8")
    if options.chart:
        subprocess.run([options.python, PEERS.with_name("chart.py"), options.json, options.chart], check=True)


if __name__ == "__main__":
    main()
