"""What several processes on one machine cost, beside PyTorch's; called by `make bench-distributed`.

The chapter's slim VGG-11 at 224, batches of 128, single precision: one process of one thread, one of two threads, and two
processes of one thread each, by Open MPI over shared memory and over TCP on the loopback, and by MPICH. The efficiency of
processes is what two of them gain over one thread, divided by what two threads gain. Then both programs train by two
processes from the same weights, with the same orders of the images, and say their losses.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
OPEN_MPI = ["mpirun.openmpi", "--allow-run-as-root", "-n", "2"]
LAUNCHERS = {
    "two processes, Open MPI": OPEN_MPI,
    "two processes, Open MPI over TCP": [*OPEN_MPI, "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "lo"],
    "two processes, MPICH": ["mpirun.mpich", "-n", "2"],
}


def train(options, launcher, threads, folder, *arguments):
    """The records of a training's metrics.jsonl."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [*launcher, options.vgg, "train", "--precision", "fp32", "--threads", threads, "--run-dir", folder, *arguments]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def own_speed(options, launcher, threads, folder):
    records = train(
        options, launcher, threads, folder, "--epochs", 1, "--train-limit", 128 * options.steps, "--test-limit", 2)
    return [record for record in records if record["event"] == "epoch"][-1]["examples_per_sec"]


def torch(options, *arguments):
    output = subprocess.run(
        [options.python, HERE / "torch_ranks.py", *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)}).stdout
    return json.loads(output)


def torch_speed(options, threads):
    output = subprocess.run(
        [options.python, HERE / "peers.py", "torch", "train", "slim", "--threads", str(threads), "--steps", str(options.steps)],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    return 128 / (statistics.median(json.loads(output)["step_ms"]) / 1e3)


def report(name, speeds):
    """Rows of a table: images a second, and the gain over one thread; of processes the efficiency."""
    one, two = (statistics.median(speeds[kind]) for kind in ["one thread", "two threads"])
    for kind, rounds in speeds.items():
        speed = statistics.median(rounds)
        efficiency = f"{speed / two:.2f}" if "processes" in kind else ""
        print(f"| {name} | {kind} | {speed:.1f} | {speed / one:.2f} | {efficiency} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vgg", required=True)
    parser.add_argument("--python", help="one with PyTorch; without it, its rows are left out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    launchers = {kind: launcher for kind, launcher in LAUNCHERS.items() if shutil.which(launcher[0])}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "run"
        jobs = {
            "one thread": lambda: own_speed(options, [], 1, folder),
            "two threads": lambda: own_speed(options, [], 2, folder),
        } | {kind: lambda launcher=launcher: own_speed(options, launcher, 1, folder) for kind, launcher in launchers.items()}
        others = {
            "one thread": lambda: torch_speed(options, 1),
            "two threads": lambda: torch_speed(options, 2),
            "two processes, gloo": lambda: torch(options, "speed", 2, "--steps", options.steps)["images_per_sec"],
        } if options.python else {}
        speeds = {"swift-vgg": {kind: [] for kind in jobs}, "PyTorch": {kind: [] for kind in others}}
        # In turns, because a shared machine drifts.
        for turn in range(options.rounds):
            for name, kinds in [("swift-vgg", jobs), ("PyTorch", others)]:
                for kind, job in kinds.items():
                    print(f"round {turn + 1} of {options.rounds}: {name}, {kind}", file=sys.stderr)
                    speeds[name][kind].append(job())
        print("| program | | images/sec | over one thread | processes over threads |\n|---|---|---|---|---|")
        for name, kinds in speeds.items():
            if kinds:
                report(name, kinds)
        if not options.python or not launchers:
            return
        # What vgg starts from: its weights after a step too small to change them.
        common = ["--size", 64, "--dropout", 0, "--train-limit", 2560, "--test-limit", 2, "--seed", 1]
        train(options, [], 2, folder, *common, "--lr", 1e-30, "--max-steps", 1)
        start = folder.parent / "start.safetensors"
        shutil.copy(folder / "model.safetensors", start)
        records = train(options, next(iter(launchers.values())), 1, folder, *common, "--epochs", 1)
        data = json.loads((folder / "config.json").read_text()).get("data_dir")
        theirs = torch(
            options, "losses", 2, start, "--examples", 2560, "--size", 64, "--seed", 1, *(["--data-dir", data] if data else []))
        ours = [record for record in records if record["event"] == "epoch"][-1]["train_loss"]
        print(f"\nmean loss of 20 steps by two processes: vgg {ours:.6f}, PyTorch {theirs['train_loss']:.6f}")


if __name__ == "__main__":
    main()
