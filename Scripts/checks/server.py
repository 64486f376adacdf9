"""Starts the program `vgg-server` and lets the clients of others judge it.

tritonclient asks by JSON and binary, packed and not, with numbers and pictures, one after another and 64 at once; every
logit must be that of `vgg predict`, to the bit. schemathesis sends what /openapi.json allows and what it does not: no
answer may be 5xx, or other than the document says. At the end SIGTERM ends the server with exit code 0.
"""

import argparse
import json
import math
import pathlib
import re
import signal
import subprocess
import tempfile
import urllib.request

import numpy as np
import tritonclient.http as triton

TESTS = pathlib.Path(__file__).parents[2] / "Tests"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def start(arguments, model):
    """The server's process, where it listens, and the token for what changes something."""
    process = subprocess.Popen(
        [arguments.server, str(model), "--port", "0"], stderr=subprocess.PIPE, text=True
    )
    for line in process.stderr:
        found = re.search(r"the studio is at http://([^/]+)/#token=(\w+)", line)
        if found:
            log = open(arguments.log, "w")
            subprocess.Popen(["cat"], stdin=process.stderr, stdout=log)
            return process, found[1], found[2]
    raise SystemExit("the server does not start")


def wait_until_ready(client):
    while not client.is_server_ready():
        pass


def picture_input(pictures):
    tensor = triton.InferInput("input", [len(pictures)], "BYTES")
    tensor.set_data_from_numpy(np.array(pictures, dtype=object))
    return tensor


def number_input(values, binary):
    tensor = triton.InferInput("input", list(values.shape), "FP32")
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def check_metadata(client, name):
    assert client.is_server_live() and client.is_model_ready(name)
    assert client.get_server_metadata()["name"] == "vgg-server"
    metadata = client.get_model_metadata(name, "1")
    assert client.get_model_config(name)["max_batch_size"] == 16
    for call in (lambda: client.get_model_metadata("none"), lambda: client.get_system_shared_memory_status()):
        try:
            call()
            raise AssertionError("there is no such thing")
        except triton.InferenceServerException as error:
            assert error.status() == "404", error
    return metadata


def check_numbers(client, name, shape):
    """JSON, binary and packed requests and answers are the same to the bit."""
    values = np.random.default_rng(0).random((3, *shape), dtype=np.float32)
    answers = []
    for binary in (False, True):
        for packing in (None, "gzip", "deflate"):
            wanted = [triton.InferRequestedOutput("logits", binary_data=binary)]
            result = client.infer(
                name, [number_input(values, binary)], outputs=wanted, request_id="seven",
                request_compression_algorithm=packing, response_compression_algorithm=packing,
            )
            assert result.get_response()["id"] == "seven"
            answers.append(result.as_numpy("logits"))
    alone = [client.infer(name, [number_input(values[n : n + 1], True)]) for n in range(3)]
    answers.append(np.concatenate([result.as_numpy("logits") for result in alone]))
    for answer in answers:
        assert answer.dtype == np.float32 and np.array_equal(answer, answers[0])
    sums = alone[0].as_numpy("probabilities").sum(axis=1)
    assert np.allclose(sums, 1, atol=1e-5), sums
    print(f"{len(answers)} ways to send numbers: equal logits")


def check_pictures(client, name, photos, predictions):
    """64 requests at once of one to three pictures; the classes' names beside them."""
    jobs = []
    for number in range(64):
        chosen = [photos[(number + step) % len(photos)] for step in range(1 + number % 3)]
        tensor = picture_input([photo.read_bytes() for photo in chosen])
        packing = (None, "gzip", "deflate")[number % 3]
        jobs.append((chosen, client.async_infer(
            name, [tensor], request_compression_algorithm=packing, response_compression_algorithm=packing)))
    for chosen, job in jobs:
        logits = job.get_result().as_numpy("logits")
        expected = np.array([predictions[str(photo)]["logits"] for photo in chosen], np.float32)
        assert np.array_equal(logits, expected), chosen
    print(f"64 requests at once of {len(photos)} photos: the logits of vgg predict")
    classes = min(2, expected.shape[1])
    for binary in (False, True):
        wanted = [triton.InferRequestedOutput("logits", binary_data=binary, class_count=classes)]
        result = client.infer(name, [picture_input([photos[0].read_bytes()])], outputs=wanted)
        texts = [text.decode() if isinstance(text, bytes) else text for text in result.as_numpy("logits")[0]]
        top = predictions[str(photos[0])]["top"][:classes]
        assert [int(text.split(":")[1]) for text in texts] == [guess["label"] for guess in top], texts


def check_classify(address, name, photos, predictions):
    for photo in photos:
        request = urllib.request.Request(
            f"http://{address}/v1/models/{name}/classify", data=photo.read_bytes(),
            headers={"Content-Type": "application/octet-stream"})
        with urllib.request.urlopen(request) as answer:
            expected = dict(predictions[str(photo)])
            expected.pop("file")
            assert json.load(answer) == expected, photo
    print(f"{len(photos)} photos: classify answers what vgg predict prints")


def check_distance(arguments, address, name, photos):
    """Of two pictures what `vgg distance` prints for the same layers."""
    form = b"".join(
        b"--b\r\nContent-Disposition: form-data; name=%s; filename=x\r\n\r\n%s\r\n" % (field, photo.read_bytes())
        for field, photo in zip((b"a", b"b"), photos)) + b"--b--\r\n"
    request = urllib.request.Request(
        f"http://{address}/v1/models/{name}/distance?size=48", data=form,
        headers={"Content-Type": "multipart/form-data; boundary=b"})
    with urllib.request.urlopen(request) as answer:
        found = json.load(answer)["features"]
    layers = ",".join(layer["layer"] for layer in found["layers"])
    printed = subprocess.run(
        [arguments.vgg, "distance", *map(str, photos[:2]), "--weights", str(arguments.model), "--size", "48",
         "--layer", layers, "--format", "json"], stdout=subprocess.PIPE, text=True, check=True).stdout
    # The program adds pixel by pixel, the server layer by layer.
    assert math.isclose(found["distance"], json.loads(printed)["distance"], rel_tol=1e-6), (found, printed)
    print(f"the distance of {photos[0].name} and {photos[1].name}: what vgg distance prints")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vgg", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--model", type=pathlib.Path, default=TESTS / "VGGTrainingTests/Goldens/tiny.safetensors")
    parser.add_argument("--photos", type=pathlib.Path, default=TESTS / "VGGImagesTests/Goldens/photos")
    parser.add_argument("--examples", type=int, default=50, help="of schemathesis, for each operation")
    parser.add_argument("--log", default="/dev/null", help="a file for the server's log")
    arguments = parser.parse_args()

    # A photo that cannot be read is a line with an error.
    printed = subprocess.run(
        [arguments.vgg, "predict", str(arguments.model), str(arguments.photos), "--format", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    predictions = {line["file"]: line for line in map(json.loads, printed.splitlines()) if "logits" in line}
    photos = [pathlib.Path(file) for file in sorted(predictions)]
    assert photos, "vgg predict reads no photo"

    process, address, token = start(arguments, arguments.model)
    try:
        client = triton.InferenceServerClient(address, concurrency=64)
        wait_until_ready(client)
        name = re.sub(r"\.(safetensors|pth|pt|bin)$", "", arguments.model.name)
        metadata = check_metadata(client, name)
        check_numbers(client, name, metadata["inputs"][0]["shape"][1:])
        check_pictures(client, name, photos, predictions)
        check_classify(address, name, photos, predictions)
        sizes = {photo: photo.stat().st_size for photo in photos}
        check_distance(arguments, address, name, sorted(sizes, key=sizes.get)[-2:])
        statistics = client.get_inference_statistics(name)["model_stats"][0]
        print(f"{statistics['inference_count']} images in {statistics['execution_count']} batches")
        client.close()
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as settings:
            # Else nearly all is asked of models that there are not.
            settings.write(f'[parameters]\n"path.name" = "{name}"\n"path.version" = "1"\n')
            settings.flush()
            subprocess.run(
                ["schemathesis", "--config-file", settings.name, "run", f"http://{address}/openapi.json", "--checks", CHECKS,
                 "--max-examples", str(arguments.examples), "--seed", "1", "--header", f"Authorization: Bearer {token}"],
                check=True)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
    assert code == 0, f"SIGTERM ends the server with {code}"
    print("the server ended when it was asked to")


if __name__ == "__main__":
    main()
