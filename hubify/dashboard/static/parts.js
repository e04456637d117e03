// The small parts that all pages are made of: sections, badges, bars, what stands in for a value.
//
// Invariant: colour never carries a meaning alone; a word or a number says the same.

import { h, svg, told } from "./dom.js";
import { number, percent } from "./format.js";

/** A part of a page with its heading; while its query is not answered it says so. */
export function section(title, watch, body) {
  return h(
    "section",
    { class: "card", "data-key": title, "aria-busy": watch.isLoaded ? null : "true" },
    h("h2", {}, title),
    watch.value === undefined ? standIn(watch) : body(watch.value),
  );
}

/** What stands where a value is not there: that it is on its way, or why it is not. */
export function standIn(watch) {
  if (watch.error === null) return h("p", { class: "note" }, "Loading…");
  return told(advice(watch.error), "p", { class: "trouble" });
}

/** A refusal in words, with what to do about it. */
export function advice(error) {
  switch (error.code) {
    case "RATE_LIMITED":
      return `${error.message}. This page tries again by itself; a key has a limit of its own.`;
    case "UNAUTHORIZED":
    case "FORBIDDEN":
      return `${error.message}. “Use a key” at the top lets you come in with another one.`;
    default:
      return error.message;
  }
}

/** A word in a frame; `tone` is good, bad, warn, trial or quiet. */
export function badge(text, tone = "quiet") {
  return h("span", { class: `badge ${tone}` }, text);
}

/** A number from 0 to 100 as a bar. */
export function bar(value, label) {
  return h(
    "span",
    {
      class: "meter", role: "meter", "aria-label": label,
      "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(value),
    },
    h("span", { class: "fill", style: { width: `${clamp(value)}%` } }),
  );
}

/** What is certain of a rate (0 to 100), as a band around its value. */
export function range({ lower, upper, value, tone = "" }) {
  const from = clamp(lower);
  return h(
    "span",
    { class: `range ${tone}`, "aria-hidden": "true" },
    h("span", { class: "band", style: { left: `${from}%`, width: `${clamp(upper) - from}%` } }),
    h("span", { class: "point", style: { left: `${clamp(value)}%` } }),
  );
}

/** A list of names and what they are, the names quiet. */
export function facts(...pairs) {
  const known = pairs.filter((pair) => pair && pair[1] !== null && pair[1] !== undefined);
  return h(
    "dl",
    { class: "facts" },
    known.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

const TRENDS = {
  improving: ["↗", "improving", "good"],
  stable: ["→", "steady", "quiet"],
  declining: ["↘", "declining", "bad"],
};

/** Where a skill's success is heading. */
export function trend(name) {
  const [arrow, word, tone] = TRENDS[name] ?? TRENDS.stable;
  return h("span", { class: `trend ${tone}` }, h("span", { "aria-hidden": "true" }, `${arrow} `), word);
}

/** The words of a trial's or a version's state, and the tone they are said in. */
const STATES = {
  promoted: ["promoted", "good"], rolled_back: ["rolled back", "bad"],
  rejected: ["rejected", "bad"], failed: ["came to nothing", "warn"],
  inconclusive: ["undecided", "warn"], canary: ["on trial", "trial"],
  pending: ["waiting", "warn"], drafting: ["being drafted", "trial"],
  stable: ["stable", "good"], draft: ["draft", "quiet"],
  superseded: ["superseded", "quiet"], deprecated: ["deprecated", "warn"],
  placeholder: ["placeholder", "quiet"], refused: ["refused", "bad"],
  accepted: ["accepted", "good"], passed: ["passed", "good"], skipped: ["not run", "quiet"],
  running: ["running", "trial"], paused: ["paused", "warn"], grouped: ["shared", "quiet"],
  resolved: ["resolved", "good"],
};

/** Whether a skill's status needs no word of its own: the channels beside it say more. */
export const isPlain = (status) => status === "active" || status === "canary";

export function state(name) {
  const [word, tone] = STATES[name] ?? [name, "quiet"];
  return badge(word, tone);
}

/** A rate with what a count of runs leaves open: Wilson's interval at 95 %, between 0 and 1. */
export function wilson(successes, runs) {
  if (runs === 0) return { lower: 0, upper: 1 };
  const z = 1.96;
  const p = successes / runs;
  const spread = (z / (1 + z ** 2 / runs))
    * Math.sqrt((p * (1 - p)) / runs + z ** 2 / (4 * runs ** 2));
  const middle = (p + z ** 2 / (2 * runs)) / (1 + z ** 2 / runs);
  return { lower: Math.max(0, middle - spread), upper: Math.min(1, middle + spread) };
}

/** A line through points `{at, value}` (values from 0 to 100), the newest at the right. */
export function line(points, label) {
  const width = 240;
  const height = 56;
  const first = points[0].at;
  const span = Math.max(1, points.at(-1).at - first);
  const x = (point) => (4 + ((point.at - first) / span) * (width - 8)).toFixed(1);
  const y = (point) => (height - 4 - (point.value / 100) * (height - 8)).toFixed(1);
  const path = points.map((point) => `${x(point)},${y(point)}`).join(" ");
  const last = points.at(-1);
  return svg(
    "svg",
    { class: "line", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    [0, 50, 100].map((value) => svg("line", { x1: 0, x2: width, y1: y({ value }), y2: y({ value }) })),
    svg("polyline", { points: path }),
    svg("circle", { cx: x(last), cy: y(last), r: 3 }),
  );
}

/** Both ends of a range of shares, in words. */
export function between({ lower, upper }) {
  return `${percent(lower)} to ${percent(upper)}`;
}

/** A signed difference of shares in points of a hundred. */
export function points(difference) {
  const sign = difference > 0 ? "+" : difference < 0 ? "−" : "±";
  return `${sign}${number(Math.abs(100 * difference))} points`;
}

function clamp(value) {
  return Math.min(100, Math.max(0, value));
}
