// How a skill does in use: whether it is watched yet, and what was found of it.
//
// Invariant: what others told is shown as text; nothing found is said as plainly as an alert.

import { h, told } from "./dom.js";
import { count, time } from "./format.js";
import { badge, section } from "./parts.js";

const KINDS = {
  confidence_decline: "a break",
  high_failure_rate: "too many failures",
  error_pattern: "one error again and again",
  platform_gap: "one platform falls behind",
};

export function inUse(watch) {
  return section("In use", watch, ({ says, alerts }) => [
    h("p", {}, told(says), "."),
    alerts.length === 0
      ? h("p", { class: "note" }, "Nothing was found of it.")
      : h("ul", { class: "plain" }, alerts.map(alertRow)),
  ]);
}

function alertRow(alert) {
  return h("li", { "data-key": alert._id },
    badge(KINDS[alert.kind] ?? alert.kind, "bad"), " ",
    told(alert.message), ", found ", time(alert.raisedAt), " in ", count(alert.runs), " runs",
    alert.error ? [": ", h("code", { class: "told" }, alert.error)] : null);
}
