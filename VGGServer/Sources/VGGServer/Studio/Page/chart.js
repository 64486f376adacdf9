// Curves over epochs, with a cursor that tells their values.

import { svg, h, word } from "/studio/shared.js";

export const colours = ["#1f77b4", "#d9600f", "#2a9d5b", "#c73866", "#8f62c9", "#1596a8", "#b08a00", "#7a6a5f"];
const dashes = { train: "", val: "2 4", test: "7 4" };
const size = { width: 960, height: 340, left: 58, right: 14, top: 12, bottom: 36 };

/** About `count` round numbers within a range. */
function ticks(low, high, count) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw);
  const first = Math.ceil(low / step) * step;
  // Counted: a step may be too small to change a great value.
  return Array.from({ length: Math.floor((high - first) / step + 1e-9) + 1 }, (_, number) => first + number * step);
}

function logTicks(low, high) {
  const found = [];
  const last = Math.min(Math.ceil(Math.log10(high)), 308);
  for (let power = Math.max(Math.floor(Math.log10(low)), -323); power <= last; power += 1) {
    for (const factor of [1, 2, 5]) found.push(factor * 10 ** power);
  }
  return found.filter((value) => value >= low * 0.999 && value <= high * 1.001);
}

export class Chart {
  constructor(place) {
    this.place = place;
    this.cursor = null;
    place.addEventListener("pointermove", (event) => this.move(event));
    place.addEventListener("pointerleave", () => this.point(null));
    place.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.preventDefault();
      const step = (this.range?.[1] ?? 1) / 60;
      this.point(Math.max(0, (this.cursor ?? 0) + (event.key === "ArrowLeft" ? -step : step)));
    });
  }

  get columns() { return Math.round(Math.max(200, this.place.clientWidth) * (window.devicePixelRatio || 1)); }

  /** lines: {run, kind, colour, points: [x, y, …]} */
  draw(lines, isLogarithmic) {
    this.lines = lines;
    let [low, high, end] = [Infinity, -Infinity, 1];
    for (const { points } of lines) {
      for (let place = 0; place < points.length; place += 2) {
        const y = points[place + 1];
        if (y === null || (isLogarithmic && y <= 0)) continue;
        low = Math.min(low, y);
        high = Math.max(high, y);
        end = Math.max(end, points[place]);
      }
    }
    if (low > high) [low, high] = [0, 1];
    const margin = Math.max(0.5, Math.abs(low) / 10);
    if (low === high) [low, high] = isLogarithmic ? [low / 2, high * 2] : [low - margin, high + margin];
    const scale = isLogarithmic ? Math.log10 : (value) => value;
    this.range = [0, end];
    const { width, height, left, right, top, bottom } = size;
    this.x = (value) => left + (value / end) * (width - left - right);
    this.y = (value) => height - bottom - ((scale(value) - scale(low)) / (scale(high) - scale(low))) * (height - top - bottom);
    const label = (value) => String(Number(value.toPrecision(3)));

    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "img", "aria-label": word("runs.chart") });
    for (const value of ticks(0, end, 8)) {
      picture.append(svg("line", { class: "grid", x1: this.x(value), x2: this.x(value), y1: top, y2: height - bottom }),
        svg("text", { x: this.x(value), y: height - bottom + 16, "text-anchor": "middle" }, label(value)));
    }
    for (const value of isLogarithmic ? logTicks(low, high) : ticks(low, high, 6)) {
      picture.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: this.y(value), y2: this.y(value) }),
        svg("text", { x: left - 8, y: this.y(value) + 4, "text-anchor": "end" }, label(value)));
    }
    picture.append(svg("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, word("runs.epoch")));
    for (const line of lines) {
      let path = "";
      let isDrawing = false;
      for (let place = 0; place < line.points.length; place += 2) {
        const y = line.points[place + 1];
        if (y === null || (isLogarithmic && y <= 0)) { isDrawing = false; continue; }
        path += `${isDrawing ? "L" : "M"}${this.x(line.points[place]).toFixed(1)} ${this.y(y).toFixed(1)}`;
        isDrawing = true;
      }
      picture.append(svg("path", {
        d: path || "M0 0", fill: "none", stroke: line.colour, "stroke-width": 1.8, "stroke-linejoin": "round", "stroke-linecap": "round",
        "stroke-dasharray": dashes[line.kind],
      }));
    }
    this.rule = svg("line", { class: "cursor", y1: top, y2: height - bottom, visibility: "hidden" });
    picture.append(this.rule);
    this.legend = h("div", { class: "legend" });
    const hadFocus = this.place.contains(document.activeElement);
    this.place.replaceChildren(picture, this.legend);
    if (hadFocus) picture.focus();
    this.point(this.cursor);
  }

  move(event) {
    const picture = this.place.querySelector("svg");
    if (!picture || !picture.contains(event.target)) return;
    const box = picture.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * size.width;
    this.point(((x - size.left) / (size.width - size.left - size.right)) * this.range[1]);
  }

  /** Puts the cursor at an epoch, and the values there into the legend; null takes it away. */
  point(value) {
    if (!this.rule) return;
    this.cursor = value === null ? null : Math.min(Math.max(value, 0), this.range[1]);
    this.rule.setAttribute("visibility", value === null ? "hidden" : "visible");
    if (value !== null) for (const end of ["x1", "x2"]) this.rule.setAttribute(end, this.x(this.cursor));
    const entries = this.lines.map((line) => {
      const sample = svg("svg", { width: 26, height: 8 }, svg("line", {
        x1: 1, x2: 25, y1: 4, y2: 4, stroke: line.colour, "stroke-width": 2, "stroke-dasharray": dashes[line.kind] }));
      return h("span", {}, sample, ` ${line.run} ${word("figure." + line.kind)} `, h("b", {}, this.valueAt(line.points)));
    });
    this.legend.replaceChildren(...entries);
  }

  valueAt(points) {
    if (points.length === 0) return "";
    let nearest = points.length - 2;
    if (this.cursor !== null) {
      for (let place = 0; place < points.length; place += 2) {
        if (Math.abs(points[place] - this.cursor) < Math.abs(points[nearest] - this.cursor)) nearest = place;
      }
    }
    return points[nearest + 1]?.toPrecision(4) ?? "–";
  }
}
