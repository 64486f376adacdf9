"""vgg-server beside the usual server in Python: FastAPI and uvicorn in front of ONNX Runtime or OpenVINO.

The network is VGG-16 at 224×224 with random weights. Clients ask one after another, with a picture as numbers in JSON and as
a JPEG file, one server after the other, in turns; each has all processors while it runs, but for what the clients take. The
Python servers compute one picture at a time with all threads, and read the next ones meanwhile. All must give the same logits.
"""

import argparse
import asyncio
import io
import json
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

from checks import server_load

SIZE = 224
GOAL = 2


# MARK: The Python server, in a process of its own


def onnxruntime_model(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: images})[0]


def openvino_model(path):
    import openvino

    # In fp32 as the others: on processors with bf16 OpenVINO would take that.
    model = openvino.Core().compile_model(
        path, "CPU", {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": openvino.Type.f32})
    return lambda images: model(images)[0]


PROGRAMS = {"onnxruntime": onnxruntime_model, "openvino": openvino_model}


def prepared(file):
    """A JPEG file as the network's input."""
    picture = Image.open(io.BytesIO(file)).convert("RGB")
    scale = 256 / min(picture.size)
    picture = picture.resize([round(scale * side) for side in picture.size], Image.Resampling.BILINEAR)
    left, top = ((side - SIZE) // 2 for side in picture.size)
    pixels = np.asarray(picture.crop((left, top, left + SIZE, top + SIZE)), np.float32) / 255
    pixels = (pixels - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def serve(program, path, port):
    import uvicorn
    from fastapi import FastAPI, Request
    from fastapi.concurrency import run_in_threadpool

    app, infer, lock = FastAPI(), PROGRAMS[program](path), asyncio.Lock()

    async def logits(images):
        async with lock:
            return (await run_in_threadpool(infer, images))[0]

    @app.post("/numbers")
    async def numbers(request: Request):
        tensor = (await request.json())["inputs"][0]
        images = np.asarray(tensor["data"], np.float32).reshape(tensor["shape"])
        return {"logits": (await logits(images)).tolist()}

    @app.post("/picture")
    async def picture(request: Request):
        images = await run_in_threadpool(prepared, await request.body())
        found = await logits(images)
        shares = np.exp(found - found.max())
        shares /= shares.sum()
        top = np.argsort(-found)[:5]
        return {"logits": found.tolist(), "top": [{"label": int(n), "probability": float(shares[n])} for n in top]}

    uvicorn.run(app, port=port, log_level="warning")


# MARK: The clients


class Peer:
    """A Python server; `server_load` asks it as it asks vgg-server."""

    host = "127.0.0.1"
    paths = {"json": "/numbers", "jpeg": "/picture"}

    def __init__(self, program, path, port):
        self.port = port
        self.process = subprocess.Popen([sys.executable, __file__, "--serve", program, str(path), "--port", str(port)])

    async def ready(self):
        while True:
            try:
                await server_load.Connection.open(self)
                return
            except OSError:
                assert self.process.poll() is None, "the Python server has ended"
                await asyncio.sleep(0.1)

    @staticmethod
    def logits(answer):
        return answer["logits"]


class Ours(server_load.Server):
    def __init__(self, options, model):
        super().__init__(options, model)
        self.paths = {"json": "/v2/models/vgg16/infer", "jpeg": "/v1/models/vgg16/classify"}

    @staticmethod
    def logits(answer):
        return answer["outputs"][0]["data"]


async def rate(server, path, body, clients, seconds):
    """Answers a second, and one of them."""
    answers, last = 0, None
    start = time.monotonic()

    async def client():
        nonlocal answers, last
        connection = await server_load.Connection.open(server)
        while time.monotonic() - start < seconds:
            status, _, last = await connection.ask("POST", path, body)
            assert status == 200, (status, last[:300])
            answers += 1

    await asyncio.gather(*(client() for _ in range(clients)))
    return answers / (time.monotonic() - start), json.loads(last)


async def measure(options, folder):
    model, exported = folder / "vgg16.safetensors", folder / "vgg16.onnx"
    server_load.write_vgg16(model, options.width_divisor)
    subprocess.run([options.vgg, "convert", str(model), str(exported)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    random = np.random.default_rng(0)
    tensor = {"name": "input", "shape": [1, 3, SIZE, SIZE], "datatype": "FP32",
              "data": random.random(3 * SIZE * SIZE).round(6).tolist()}
    picture = io.BytesIO()
    small = Image.fromarray(random.integers(0, 256, (30, 40, 3), np.uint8))
    small.resize((640, 480), Image.Resampling.BICUBIC).save(picture, "JPEG", quality=90)
    bodies = {"json": json.dumps({"inputs": [tensor], "outputs": [{"name": "logits"}]}).encode(),
              "jpeg": picture.getvalue()}

    servers = {"vgg-server": lambda: Ours(options, model)}
    for number, program in enumerate(PROGRAMS):
        servers[program] = lambda program=program, number=number: Peer(program, exported, options.port + number)
    found, logits = {}, {}
    for round in range(options.rounds):
        for name, start in servers.items():
            server = start()
            try:
                await server.ready()
                for kind, body in bodies.items():
                    await rate(server, server.paths[kind], body, options.clients, options.seconds / 5)
                    speed, answer = await rate(server, server.paths[kind], body, options.clients, options.seconds)
                    found.setdefault((name, kind), []).append(speed)
                    if kind == "json":
                        logits[name] = np.array(server.logits(answer))
                    print(f"round {round + 1}, {name}, {kind}: {speed:.2f} images a second", flush=True)
            finally:
                server.process.send_signal(signal.SIGTERM)
                server.process.wait(timeout=60)
    ours = logits.pop("vgg-server")
    for name, theirs in logits.items():
        difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
        assert difference < 1e-3, f"{name} gives other logits: {difference}"
    for kind in bodies:
        own = statistics.median(found["vgg-server", kind])
        for name in PROGRAMS:
            ratio = own / statistics.median(found[name, kind])
            print(f"{'met' if ratio >= GOAL else 'MISSED'}: {kind}, {options.clients} clients: {own:.2f} images a second, "
                  f"{ratio:.2f} times FastAPI with {name} (goal {GOAL})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", nargs=2, metavar=("PROGRAM", "MODEL"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=8600, help="the first of those for the Python servers")
    parser.add_argument("--vgg", help="the program vgg")
    parser.add_argument("--server", help="the program vgg-server")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=16, help="of vgg-server")
    parser.add_argument("--max-queue", type=int, default=64, help="of vgg-server")
    parser.add_argument("--precision", help="of vgg-server: fp32, bf16 or auto")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--width-divisor", type=int, default=1, help="of the VGG-16's channels")
    parser.add_argument("--short", action="store_true", help="one round of a few seconds, to see that it works")
    options = parser.parse_args()
    if options.serve:
        return serve(*options.serve, options.port)
    if options.short:
        options.seconds, options.rounds = 5, 1
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(options, pathlib.Path(folder)))


if __name__ == "__main__":
    main()
