// How far a skill is trusted, and why.
//
// Invariant: the number shown is the one that the explanation explains.

import { h } from "./dom.js";
import { count, dayOf, number, percent, plural, time } from "./format.js";
import { facts, line, range, section } from "./parts.js";

const WORTH_SAYING = 1; // points of a hundred

const WHAT_IF = {
  success: "if every run had been a success",
  volume: "with ever more runs like these",
  agentDiversity: "if every run came from another owner",
  platformDiversity: "if every run came from another platform",
  recency: "if every run were from today",
};
const HOLDS_BACK = {
  success: "runs that fail",
  volume: "that there are so few runs",
  agentDiversity: "that few owners report so many of them",
  platformDiversity: "that most come from one platform",
  recency: "that the runs are old",
};

export function confidence(explained, stats, trail) {
  return section("Confidence", explained, ({ version, explanation, firstDay, lastDay }) => {
    if (explanation.runs === 0) return nothingYet(version);
    return [
      h("div", { class: "headline" },
        h("p", { class: "big" },
          h("span", { class: "live figure" }, count(Math.round(explanation.confidence))),
          h("span", { class: "unit" }, " of 100")),
        h("div", { class: "wide" },
          range({ lower: explanation.lower, upper: explanation.upper, value: explanation.lower }),
          h("p", {}, "Of a hundred runs of ", version, ", at least ",
            h("strong", {}, count(Math.round(explanation.lower))),
            " should succeed; the record would allow up to ",
            count(Math.round(explanation.upper)), ".")),
        sinceOpened(trail?.points ?? [])),
      whatIf(explanation),
      stats.value ? runs(stats.value) : null,
      h("details", {},
        h("summary", {}, "How it is calculated"),
        h("p", {},
          `From ${plural(explanation.runs, "run")} of ${version}, reported by `,
          `${plural(explanation.owners, "owner")} on ${plural(explanation.platforms, "platform")}`,
          `, ${days(firstDay, lastDay)}, by the formula `, h("code", {}, explanation.formula),
          ". Either limit is wrong at most once in 20. Each owner and each platform counts up to a ",
          `cap; here the ${explanation.limitedBy}s set the limit.`)),
      stats.value ? platforms(stats.value) : null,
    ];
  });
}

function nothingYet(version) {
  return h("p", {}, `Nobody has reported a run of ${version} yet. `,
    h("span", { class: "note" }, "Each report that agents send moves this number at once."));
}

function days(first, last) {
  return first === last ? dayOf(last) : `${dayOf(first)} to ${dayOf(last)}`;
}

function sinceOpened(points) {
  if (points.length < 2) return null;
  const [first, last] = [points[0], points.at(-1)];
  const label = `Confidence from ${number(first.value)} to ${number(last.value)}`;
  return h("figure", { class: "since" }, line(points, label),
    h("figcaption", { class: "note" }, "since ", time(first.at), ", 0 to 100"));
}

function whatIf({ confidence: now, factors }) {
  const gains = Object.entries(factors)
    .filter(([name, value]) => name in WHAT_IF && value - now >= WORTH_SAYING)
    .sort(([, one], [, other]) => other - one);
  if (gains.length === 0) return null;
  return h("div", { class: "what-if" },
    h("h3", {}, `What holds it back most: ${HOLDS_BACK[gains[0][0]]}`),
    h("ul", { class: "plain bars" }, gains.map(([name, value]) =>
      h("li", { "data-key": name },
        h("span", {}, WHAT_IF[name]),
        range({ lower: now, upper: value, value, tone: "gain" }),
        h("span", { class: "number" }, count(Math.round(value)))))));
}

function runs(stats) {
  return facts(
    ["Last 7 days", spell(stats.last7Days)],
    ["Last 30 days", spell(stats.last30Days)],
    ["All versions", `${percent(stats.successRate)} of ${plural(stats.totalExecutions, "run")}`],
    ["Reporting", plural(stats.agentCount, "agent")],
  );
}

function platforms({ platformBreakdown: spans }) {
  const rows = Object.entries(spans).sort(([, one], [, other]) => other.count - one.count);
  if (rows.length === 0) return null;
  const heads = ["Platform", "Runs", "Success"].map((name) => h("th", { scope: "col" }, name));
  return h("details", {},
    h("summary", {}, "Runs by platform"),
    h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, heads)),
      h("tbody", {}, rows.map(([name, span]) => h("tr", { "data-key": name },
        h("th", { scope: "row", class: "told", dir: "auto" }, name),
        h("td", {}, count(span.count)), h("td", {}, percent(span.successRate))))))));
}

function spell(span) {
  return span.executions ? `${percent(span.successRate)} of ${plural(span.executions, "run")}` : "no runs";
}
