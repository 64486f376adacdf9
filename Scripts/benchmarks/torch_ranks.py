"""PyTorch's training by several processes of a thread each: DistributedDataParallel over gloo.

    torch_ranks.py speed RANKS [--batch-size N] [--size N] [--steps N]      images a second of slim VGG-11
    torch_ranks.py losses RANKS WEIGHTS --data-dir FOLDER --examples N --size N --seed N      the mean loss of an epoch from
                                                                                    these weights, without dropout
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import tempfile
import time
import types

import torch
import torch.distributed
import torch.multiprocessing
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import fashion_mnist
import peers
import random_numbers
import torch_training


def speed(rank, options):
    step = peers.torch_step(types.SimpleNamespace(
        threads=1, precision="fp32", layout="nhwc", network="slim", size=options.size, mode="train", momentum=0.0,
        batch_size=options.batch_size // options.ranks), shared=DistributedDataParallel)
    seconds = []
    for _ in range(2 + options.steps):
        torch.distributed.barrier()
        begin = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begin)
    return {"images_per_sec": options.batch_size / statistics.median(seconds[2:])}


def losses(rank, options):
    model = peers.slim_vgg11(options.size)
    torch_training.load_weights(model, options.weights)
    model = nn.Sequential(*(layer for layer in model if not isinstance(layer, nn.Dropout)))
    model = DistributedDataParallel(model.to(memory_format=torch.channels_last))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    images, labels = torch_training.load(fashion_mnist.folder(options.data_dir), "train", options.size)
    total = torch.zeros(1, dtype=torch.float64)
    order = torch.tensor(random_numbers.order(options.examples, options.seed, 0))
    for batch in order.split(options.batch_size):
        # Equal parts, so that the mean of the ranks' gradients is that of the batch.
        own = batch.chunk(options.ranks)[rank]
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(
            model((images[own].float() / 255).to(memory_format=torch.channels_last)), labels[own])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(own)
    torch.distributed.all_reduce(total)
    return {"train_loss": total.item() / options.examples}


def worker(rank, options, port, result):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=options.ranks)
    found = {"speed": speed, "losses": losses}[options.work](rank, options)
    if rank == 0:
        pathlib.Path(result).write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["speed", "losses"])
    parser.add_argument("ranks", type=int)
    parser.add_argument("weights", nargs="?")
    parser.add_argument("--data-dir")
    for name, default in [("--batch-size", 128), ("--size", 224), ("--steps", 5), ("--examples", 2560), ("--seed", 0)]:
        parser.add_argument(name, type=int, default=default)
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        result = f"{folder}/result"
        torch.multiprocessing.spawn(worker, (options, port, result), nprocs=options.ranks)
        print(pathlib.Path(result).read_text())


if __name__ == "__main__":
    main()
