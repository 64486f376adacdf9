"""Writes Tests/VGGFormatsTests/Goldens/events.tfevents: an event file, written by TensorBoard's own code."""

import pathlib

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

OUTPUT = pathlib.Path(__file__).parents[2] / "Tests/VGGFormatsTests/Goldens/events.tfevents"
EVENTS = [
    (1700000000.25, 0, {"loss/train": 2.302585}),
    (1700000001.5, 1, {"loss/train": 0.1, "accuracy/train": 0.0}),
    (1700000099.0, 300, {"accuracy/test": 1.0, "größe": -1e-30}),
    (1700000100.0, 2 ** 40, {f"a tag that makes the message longer than 127 bytes {number}": number for number in range(3)}),
]

with open(OUTPUT, "wb") as file:
    writer = RecordWriter(file)
    writer.write(event_pb2.Event(wall_time=1700000000.0, file_version="brain.Event:2").SerializeToString())
    for wall_time, step, scalars in EVENTS:
        values = [summary_pb2.Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        event = event_pb2.Event(wall_time=wall_time, step=step, summary=summary_pb2.Summary(value=values))
        writer.write(event.SerializeToString())
