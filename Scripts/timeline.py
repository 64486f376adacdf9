"""Draws some steps of a run's trace.json (vgg train --log trace) as SVG: what is computed, which gradients are on their way, and
what is waited for.

    Scripts/timeline.py RUN/trace.json timeline.svg [--first STEP] [--steps N]
"""

import argparse
import json
import pathlib

LANES = {"computing": 1, "gradients": 2, "waiting": 3}
COLOURS = {"forward": "#9ecae1", "loss": "#636363", "backward": "#3182bd", "update": "#756bb1", "input": "#bdbdbd"}
LANE_COLOURS = {2: "#31a354", 3: "#de2d26"}
LEFT, WIDTH, ROW, TOP = 90, 900, 34, 16


def parts_of(path, first, count):
    """The parts of so many steps, and when these begin and end, in microseconds."""
    events = [event for event in json.loads(pathlib.Path(path).read_text())["traceEvents"] if event["ph"] == "X"]
    # A step begins with its input and ends with its update; a test's passes have none.
    ends = [event["ts"] + event["dur"] for event in events if event["name"] == "update"]
    end = ends[min(first + count, len(ends)) - 1]
    begin = ends[first - 1] if first > 0 else min(event["ts"] for event in events)
    inputs = [event["ts"] for event in events if event["name"] == "input" and event["ts"] >= begin]
    begin = min(inputs, default=begin)
    return [event for event in events if event["ts"] >= begin and event["ts"] + event["dur"] <= end + 1], begin, end


def svg(parts, begin, end):
    def x(time):
        return LEFT + WIDTH * (time - begin) / (end - begin)

    height = TOP + ROW * len(LANES) + 60
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 40} {height}" font-family="sans-serif" '
        'font-size="12">', f'<rect width="100%" height="{height}" fill="#ffffff"/>']
    for row, name in enumerate(LANES):
        lines.append(f'<text x="{LEFT - 8}" y="{TOP + ROW * row + 21}" text-anchor="end" fill="#333333">{name}</text>')
    rows = {lane: row for row, lane in enumerate(LANES.values())}
    for part in parts:
        kind = part["name"].split(" ")[0]
        colour = LANE_COLOURS.get(part["tid"]) or COLOURS[kind]
        left, right = x(part["ts"]), x(part["ts"] + part["dur"])
        lines.append(
            f'<rect x="{left:.2f}" y="{TOP + ROW * rows[part["tid"]] + 3}" width="{max(right - left, 0.3):.2f}" '
            f'height="{ROW - 6}" fill="{colour}" stroke="#ffffff" stroke-width="0.4"><title>{part["name"]}, '
            f'{part["dur"] / 1e3:.2f} ms</title></rect>')
    bottom = TOP + ROW * len(LANES)
    lines.append(f'<line x1="{LEFT}" y1="{bottom}" x2="{LEFT + WIDTH}" y2="{bottom}" stroke="#333333"/>')
    for tick in range(6):
        time = begin + (end - begin) * tick / 5
        lines.append(
            f'<text x="{x(time):.1f}" y="{bottom + 16}" text-anchor="middle" fill="#333333">'
            f'{(time - begin) / 1e3:.0f} ms</text>')
    place = LEFT
    for name, colour in [*COLOURS.items(), ("gradients on their way", LANE_COLOURS[2]), ("waiting", LANE_COLOURS[3])]:
        lines.append(f'<rect x="{place}" y="{bottom + 30}" width="12" height="12" fill="{colour}"/>')
        lines.append(f'<text x="{place + 17}" y="{bottom + 41}" fill="#333333">{name}</text>')
        place += 40 + 7 * len(name)
    return "\n".join([*lines, "</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace")
    parser.add_argument("picture")
    parser.add_argument("--first", type=int, default=2, help="steps before the first that is drawn (default: 2)")
    parser.add_argument("--steps", type=int, default=2)
    options = parser.parse_args()
    pathlib.Path(options.picture).write_text(svg(*parts_of(options.trace, options.first, options.steps)))


if __name__ == "__main__":
    main()
