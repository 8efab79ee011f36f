// A plot of positions around an incident: graticule, scale, dots. No map, so nothing is asked of a network.

import { svg } from "./dom.js";
import { degrees, length, offset } from "./geo.js";

const SIZE = 400;
const HALF = SIZE / 2;
const STEPS = [30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001];

/** The picture, `reach` metres to each side of the incident, and how many others are within it. */
export function plot(incident, others, reach) {
  const scale = HALF / reach;
  const dots = [];
  for (const other of others) {
    const { east, north } = offset(incident, other);
    if (Math.abs(east) > reach || Math.abs(north) > reach) continue;
    dots.push(svg("circle", { class: "dot-other", cx: HALF + east * scale, cy: HALF - north * scale, r: 5 }));
  }
  const text = `Plot, ${length(2 * reach)} across, north is up: this incident in the middle, ${dots.length} other open ones around it`;
  const figure = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": text },
    graticule(incident, reach),
    dots,
    svg("circle", { class: "halo", cx: HALF, cy: HALF, r: 16 }),
    svg("circle", { class: `dot-this ${incident.status}`, cx: HALF, cy: HALF, r: 7 }),
    scaleBar(reach),
    svg("path", { class: "north", d: "M378 34 l-6 14 6 -4 6 4z" }),
    svg("text", { class: "tick", x: 378, y: 28, "text-anchor": "middle" }, "N"));
  return { figure, inside: dots.length };
}

/** Lines of whole degrees, or round parts of one, with what they are. */
function graticule(centre, reach) {
  const half = degrees(centre, reach);
  const lines = [];
  const east = step(half.east);
  for (let line = first(centre.longitude - half.east, east); line <= centre.longitude + half.east; line += east) {
    const x = HALF + ((line - centre.longitude) / half.east) * HALF;
    lines.push(svg("line", { class: "guide", x1: x, x2: x, y1: 0, y2: SIZE }));
    if (x > 30 && x < SIZE - 60) lines.push(svg("text", { class: "tick", x: x + 3, y: 12 }, label(wrapped(line), east, "E", "W")));
  }
  const north = step(half.north);
  for (let line = first(centre.latitude - half.north, north); line <= centre.latitude + half.north; line += north) {
    if (Math.abs(line) > 90) continue;
    const y = HALF - ((line - centre.latitude) / half.north) * HALF;
    lines.push(svg("line", { class: "guide", x1: 0, x2: SIZE, y1: y, y2: y }));
    if (y > 30 && y < SIZE - 40) lines.push(svg("text", { class: "tick", x: 4, y: y - 4 }, label(line, north, "N", "S")));
  }
  return lines;
}

/** The finest round step that leaves five lines at most. */
function step(half) {
  return STEPS.findLast((size) => (2 * half) / size <= 5) ?? STEPS[0];
}

function first(from, size) {
  return Math.ceil(from / size) * size;
}

function wrapped(longitude) {
  return ((longitude + 540) % 360) - 180;
}

function label(value, size, plus, minus) {
  const decimals = Math.max(0, Math.ceil(-Math.log10(size) - 1e-9));
  return `${Math.abs(value).toFixed(decimals)}° ${value < 0 ? minus : plus}`;
}

function scaleBar(reach) {
  const rough = reach / 2;
  const power = 10 ** Math.floor(Math.log10(rough));
  const metres = [5, 2, 1].map((leading) => leading * power).find((size) => size <= rough);
  const width = (metres / reach) * HALF;
  return [
    svg("path", { class: "scale", d: `M16 ${SIZE - 22} v6 h${width} v-6` }),
    svg("text", { class: "tick", x: 20 + width, y: SIZE - 14 }, length(metres)),
  ];
}
