"""What vgg-server does under load, beside `vgg bench`; called by `make bench-server`.

16 clients that ask one after another, one client alone, arrivals at twice the rate that was reached, and kill -9 in the
middle. Every answer must be what `vgg predict` prints for its photo, or a clean 503 that says when to come back. Without
--model the network is VGG-16 with random weights. The clients take processor time, too; the machine should be quiet.
"""

import argparse
import array
import asyncio
import collections
import itertools
import json
import math
import pathlib
import random
import re
import signal
import statistics
import subprocess
import tempfile
import time

PHOTOS = pathlib.Path(__file__).parents[2] / "Tests/VGGImagesTests/Goldens/photos"
ROWS = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]


def write_vgg16(path, divisor):
    """Random weights of variance 2 / inputs, under torchvision's names, as safetensors."""
    shapes, place, channels = {}, 0, 3
    for convolutions, width in ROWS:
        for _ in range(convolutions):
            shapes[f"features.{place}"] = [width // divisor, channels, 3, 3]
            channels, place = width // divisor, place + 2
        place += 1
    for place, outputs, inputs in ((0, 4096, 49 * channels), (3, 4096, 4096), (6, 1000, 4096)):
        shapes[f"classifier.{place}"] = [outputs, inputs]
    header, offset = {}, 0
    for name, shape in shapes.items():
        for kind, shape in (("weight", shape), ("bias", shape[:1])):
            end = offset + 4 * math.prod(shape)
            header[f"{name}.{kind}"] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, end]}
            offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    generator = random.Random(1)
    numbers = [generator.gauss(0, 1) for _ in range(65521)]
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for shape in shapes.values():
            scale = math.sqrt(2 / math.prod(shape[1:]))
            block = array.array("f", (scale * number for number in numbers))
            count = math.prod(shape)
            for start in range(0, count, len(block)):
                block[: count - start].tofile(file)
            file.write(bytes(4 * shape[0]))


class Server:
    def __init__(self, options, model, port=0):
        self.process = subprocess.Popen(
            [options.server, str(model), "--port", str(port), "--max-batch-size", str(options.batch_size),
             "--max-queue", str(options.max_queue), *(["--precision", options.precision] if options.precision else [])],
            stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.search(r"listening at http://([^:]+):(\d+)", line)
            if found:
                self.host, self.port = found[1], int(found[2])
                break
        else:
            raise SystemExit("the server does not start")
        # What is logged would fill the pipe.
        subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)

    async def ready(self):
        """Waits until it is; the seconds it took."""
        start = time.monotonic()
        while True:
            connection = await Connection.open(self)
            status, _, _ = await connection.ask("GET", "/v2/health/ready")
            if status == 200:
                return time.monotonic() - start
            await asyncio.sleep(0.05)

    @property
    def memory(self):
        """Resident megabytes."""
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096 / 1e6


class Connection:
    @classmethod
    async def open(cls, server):
        self = cls()
        self.reader, self.writer = await asyncio.open_connection(server.host, server.port)
        return self

    async def ask(self, method, path, body=b""):
        """Status, headers and body of the answer."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split()[1]), headers, await self.reader.readexactly(int(headers["content-length"]))


class Load:
    """Asks what photos show and looks at the answers."""

    def __init__(self, path, photos):
        self.path, self.photos = path, itertools.cycle(photos.items())
        self.begin()

    def begin(self):
        self.statuses, self.seconds, self.lost = collections.Counter(), [], 0

    async def ask(self, connection):
        photo, expected = next(self.photos)
        start = time.monotonic()
        status, headers, body = await connection.ask("POST", self.path, photo)
        self.statuses[status] += 1
        if status == 200:
            self.seconds.append(time.monotonic() - start)
            assert json.loads(body) == expected, f"another answer than vgg predict's: {body[:200]}"
        else:
            assert status == 503 and headers.get("retry-after") == "1", (status, headers, body)

    async def one_after_another(self, server, clients, seconds):
        """Each client asks again when it has its answer; answers a second."""
        self.begin()
        start = time.monotonic()

        async def client():
            connection = await Connection.open(server)
            while time.monotonic() - start < seconds:
                try:
                    await self.ask(connection)
                except (ConnectionError, asyncio.IncompleteReadError):
                    self.lost += 1
                    return

        await asyncio.gather(*(client() for _ in range(clients)))
        return self.statuses[200] / (time.monotonic() - start)

    async def arrivals(self, server, rate, seconds):
        """So many requests a second, however long the answers take; the server's memory, once a second."""
        self.begin()
        free, tasks, memory = [], set(), []

        async def one():
            # The server closes those that nobody has used for long.
            while free and free[-1].reader.at_eof():
                free.pop().writer.close()
            connection = free.pop() if free else await Connection.open(server)
            await self.ask(connection)
            free.append(connection)

        start = time.monotonic()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0, start + number / rate - time.monotonic()))
            tasks.add(asyncio.create_task(one()))
            for task in [task for task in tasks if task.done()]:
                tasks.remove(task)
                task.result()
            if time.monotonic() - start >= len(memory):
                memory.append(server.memory)
        await asyncio.gather(*tasks)
        return memory

    @property
    def slowest(self):
        """The 99th percentile of the answers' seconds."""
        return sorted(self.seconds)[math.ceil(0.99 * len(self.seconds)) - 1]


def bench(options, batch_size):
    """Milliseconds of a batch without a server."""
    command = [options.vgg, "bench", "--mode", "infer", "--batch-size", str(batch_size), "--format", "json",
               "--precision", options.precision or "fp32", *options.bench.split()]
    return statistics.median(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["step_ms"])


async def measure(options, model):
    printed = subprocess.run(
        [options.vgg, "predict", str(model), str(PHOTOS), "--format", "json",
         *(["--precision", options.precision] if options.precision else [])],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    photos = {}
    for line in map(json.loads, printed.splitlines()):
        if "logits" in line:
            photos[pathlib.Path(line.pop("file")).read_bytes()] = line
    name = re.sub(r"\.(safetensors|pth|pt|bin)$", "", model.name)
    load = Load(f"/v1/models/{name}/classify", photos)
    goals = []

    server = Server(options, model)
    try:
        print(f"ready after {await server.ready():.1f} s, {server.memory:.0f} MB")
        # Before and after, as a machine's speed drifts.
        before = bench(options, options.batch_size)
        reached = await load.one_after_another(server, options.clients, options.seconds)
        assert set(load.statuses) == {200}, load.statuses
        full = (before + bench(options, options.batch_size)) / 2
        bare = 1000 * options.batch_size / full
        print(f"{options.clients} clients: {reached:.2f} images a second; vgg bench, batches of {options.batch_size}: "
              f"{bare:.2f}; {100 * reached / bare:.0f} %")
        goals.append(("at least 90 % of vgg bench", reached >= 0.9 * bare))

        before = bench(options, 1)
        await load.one_after_another(server, 1, options.seconds)
        alone = 1000 * statistics.median(load.seconds)
        single = (before + bench(options, 1)) / 2
        print(f"one alone: {alone:.1f} ms; vgg bench, batches of 1: {single:.1f} ms")
        goals.append(("alone at most 1.1 times vgg bench and 2 ms", alone <= 1.1 * single + 2))

        memory = await load.arrivals(server, 2 * reached, options.overload)
        third = max(1, len(memory) // 3)
        early, late = max(memory[:third]), max(memory[-third:])
        # Behind the queue there is a batch that is computed and one that is prepared.
        bound = (options.max_queue + 2 * options.batch_size) / reached
        print(f"{2 * reached:.1f} requests a second for {options.overload:.0f} s: {load.statuses[200]} right answers, "
              f"{load.statuses[503]} told to come back; 99 % within {load.slowest:.1f} s (queue and batches: "
              f"{bound:.1f} s); memory {early:.0f} MB, later {late:.0f} MB")
        goals.append(("every answer right or 503", set(load.statuses) <= {200, 503}))
        goals.append(("memory stays flat", late <= 1.05 * early + 10))
        goals.append(("99 % within the time of queue and batches", load.slowest <= bound))

        asking = asyncio.create_task(load.one_after_another(server, options.clients, options.seconds))
        await asyncio.sleep(options.seconds / 2)
        server.process.kill()
        await asking
        server.process.wait()
        answered, lost = load.statuses[200], load.lost
        server = Server(options, model, port=server.port)
        again = await server.ready()
        await load.one_after_another(server, options.clients, options.seconds / 2)
        print(f"kill -9 after {answered} right answers: {lost} were in flight and lost; ready again in {again:.1f} s, "
              f"{load.statuses[200]} right answers")
        goals.append(("what was in flight is lost and nothing else", lost <= options.clients and load.statuses[200] > 0))
        server.process.send_signal(signal.SIGTERM)
        goals.append(("SIGTERM ends it", server.process.wait(timeout=60) == 0))
    finally:
        server.process.kill()
    for goal, is_met in goals:
        print(f"{'met' if is_met else 'MISSED'}: {goal}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--vgg", required=True, help="the program vgg")
    parser.add_argument("--server", required=True, help="the program vgg-server")
    parser.add_argument("--width-divisor", type=int, default=1, help="of the VGG-16's channels")
    parser.add_argument("--model", type=pathlib.Path, help="weights instead of a VGG-16's, with --bench")
    parser.add_argument("--bench", help="options that say the same network to vgg bench")
    parser.add_argument("--precision", help="fp32, bf16 or auto")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--max-queue", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--overload", type=float, default=60, help="seconds of twice the capacity")
    options = parser.parse_args()
    if options.model:
        if not options.bench:
            parser.error("--model needs --bench")
        return asyncio.run(measure(options, options.model))
    options.bench = f"--arch vgg16 --in-channels 3 --classes 1000 --width-divisor {options.width_divisor}"
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "vgg16.safetensors"
        write_vgg16(model, options.width_divisor)
        asyncio.run(measure(options, model))


if __name__ == "__main__":
    main()
