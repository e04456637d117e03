// A version on trial: its stages, both arms, and what the judge says.
//
// Invariant: an arm's band is for the eye; what decides is the judge's proof, and what is open is the
// judge's own interval, both shown beside the arms.

import { h, told } from "./dom.js";
import { count, finePercent, hours, names, odds, percent, plural, time } from "./format.js";
import { badge, between, points, range, section, state, wilson } from "./parts.js";

const REASONS = {
  collecting: "The evidence is still being collected.",
  paused: "Paused: several owners call the new version a regression.",
  not_worse: "It is proved not to be worse.",
  worse: "It is proved to be worse.",
  unproven: "Promoted without proof, as the skill's settings allow.",
  horizon: "The time is over and neither side is proved: a maintainer has to decide.",
  missing_reports: "Its runs report back less often than the stable version's.",
  critical: "Too many owners call it a regression.",
  gateway: "The gateway refuses it.",
  sandbox: "The sandbox found a fault.",
  maintainer: "A maintainer decided.",
};
const NOT_COUNTED = {
  unticketed: "without a ticket", overOwnerCap: "beyond their owner's share",
  overOwnerLimit: "from owners beyond the limit", late: "too late",
};

export function trial(canary, status, decide) {
  return section("Trial of a new version", canary, (view) =>
    view.active ? running(view, decide) : idle(status.value, decide));
}

function idle(status, decide) {
  const waiting = status?.pendingEvolution;
  if (!waiting) {
    return h("p", {}, "No version is on trial. ",
      h("span", { class: "note" }, status ? told(`${capital(status.reason)}.`) : null));
  }
  return [
    h("p", {}, h("strong", {}, waiting.version ? `Version ${waiting.version}` : "A new version"),
      " waits for ", told(waiting.waitsFor), "."),
    changes(waiting.changes),
    decide.forDraft(waiting),
  ];
}

function running(view, decide) {
  const { evidence } = view;
  return [
    h("p", { class: "versus" }, h("strong", {}, view.version), " against ",
      h("strong", {}, view.baselineVersion), " ", state(view.status),
      h("span", { class: "note" }, " since ", time(view.startedAt))),
    stages(view),
    arms(view, evidence.counted),
    difference(evidence.effect, view.interval),
    returned(view),
    judge(evidence),
    decide.forTrial(view),
  ];
}

function stages(view) {
  const last = { stage: view.stages.length + 1, traffic: 100, status: "pending" };
  const done = view.stages.filter((one) => one.status === "passed").length;
  return [
    h("ol", { class: "stages" }, [...view.stages, last].map((one) =>
      h("li", {
        class: `stage ${one.status}`, "data-key": one.stage,
        "aria-current": one.status === "running" ? "step" : null,
      },
      h("span", { class: "share" }, percent(one.traffic / 100)),
      h("span", { class: "note" }, one === last ? "for everybody" : word(one))))),
    h("p", { class: "note" }, done === view.stages.length
      ? "Every stage is over: the proof alone decides."
      : ["Every stage is over at ", time(view.estimatedCompletion), " at the earliest."]),
  ];
}

function word(stage) {
  if (stage.status === "running") return `now, at least ${hours(stage.duration)}`;
  return stage.status === "pending" ? `at least ${hours(stage.duration)}` : state(stage.status);
}

function arms(view, counted) {
  return h("div", { class: "arms" },
    arm("canary", view.version, "on trial", counted.canary),
    arm("stable", view.baselineVersion, "stable", counted.stable));
}

/** What the trial says of the versions' difference, and what it leaves open: the judge's own. */
function difference(effect, interval) {
  if (effect === null || interval === null) return h("p", {}, "Difference: not known yet");
  const scale = (share) => 50 + 50 * share;
  const estimate = Math.max(-1, Math.min(1, effect)); // early on it overshoots
  return h("div", { class: "difference", "data-key": "difference" },
    h("p", {}, "Difference: ", h("strong", { class: "number" }, points(estimate)),
      h("span", { class: "note" }, ` of success, both arms weighed alike. What ${plural(interval.runs, "run")} `
        + `leave open, however often one looks: ${points(interval.lower)} to ${points(interval.upper)}.`)),
    range({ lower: scale(interval.lower), upper: scale(interval.upper), value: scale(estimate), tone: "canary" }));
}

/** How many of the tickets that were handed out have been reported: a silent version shows here. */
function returned({ version, baselineVersion, tickets: { canary, baseline } }) {
  const came = (name, arm) => `${count(arm.returned)} of ${count(arm.issued)} of ${name}`;
  return h("p", { class: "note" }, "Tickets that came back: ",
    `${came(version, canary)}, ${came(baselineVersion, baseline)}.`);
}

function arm(tone, version, role, runs) {
  const open = wilson(runs.successes, runs.runs);
  const value = runs.rate === null ? 0.5 : runs.rate;
  return h("div", { class: "arm", "data-key": tone },
    h("span", { class: "who" }, h("strong", {}, version), ` ${role}`),
    h("span", { class: "rate live figure" }, finePercent(runs.rate)),
    h("span", { class: "runs note" }, `of ${plural(runs.runs, "run")}`),
    range({ lower: 100 * open.lower, upper: 100 * open.upper, value: 100 * value, tone }),
    h("span", { class: "note between" }, runs.runs ? between(open) : "no runs yet"));
}

/** What the judge makes of it. */
export function judge(evidence) {
  const isOpen = evidence.decidedMs === null;
  return h("div", { class: "judge" },
    h("h3", {}, "What the judge says"),
    h("p", {}, REASONS[evidence.reason] ?? told(evidence.reason)),
    proof("Not worse", evidence.notWorse, isOpen ? "promotes it once every stage is over" : ""),
    proof("Worse", evidence.worse, isOpen ? "rolls it back at once" : ""),
    h("p", { class: "note" }, "A proof is what a fair gambler betting on the claim has made of 1. ",
      safety(evidence)),
    dissent(evidence),
    notCounted(evidence));
}

function proof(claim, { eValue, threshold }, effect) {
  const reached = Math.min(1, Math.max(0, Math.log(eValue) / Math.log(threshold))) || 0;
  return h("div", { class: "proof", "data-key": claim },
    h("span", { class: "claim" }, `“${claim}”`),
    h("span", {
      class: "meter", role: "meter", "aria-label": `Proof of ${claim.toLowerCase()}`,
      "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * reached),
    }, h("span", { class: "fill", style: { width: `${100 * reached}%` } })),
    h("span", { class: "number" }, h("strong", {}, odds(eValue)), ` of ${odds(threshold)} needed`,
      reached === 1 ? [" ", badge("proved", "good")] : null),
    h("span", { class: "note" }, effect));
}

function safety({ owners, dropped, survivesColluders }) {
  const seen = `The reports come from ${plural(owners, "owner")}`;
  if (dropped === 0) return `${seen} of one organisation; all are counted.`;
  const left = `the ${dropped === 1 ? "one that helps" : `${count(dropped)} that help`} a claim most `
    + "are left out of its proof, so that so many could lie together without deciding.";
  const stands = survivesColluders === null ? "" : ` It would stand without any ${count(survivesColluders)} of them.`;
  return `${seen}; ${left}${stands}`;
}

function dissent({ dissent: { worse, better, blocked }, regressionOwners }) {
  const said = [];
  if (worse.length) said.push(["These owners see a loss that the others do not: ", ownersOf(worse)]);
  if (better.length) said.push(["These owners see no loss where the others do: ", ownersOf(better)]);
  if (blocked) said.push(["Without them it would be decided: ", blocked === "promote" ? "promoted" : "rolled back"]);
  if (regressionOwners.length) said.push(["Called a regression by ", told(names(regressionOwners))]);
  return said.map((parts) => h("p", { class: "dissent" }, badge("dissent", "warn"), " ", parts, "."));
}

function ownersOf(dissenters) {
  return told(names(dissenters.map(({ owner, runs }) =>
    `${owner} (${percent(runs.canary.rate)} against ${percent(runs.stable.rate)})`)));
}

function notCounted(evidence) {
  const left = Object.entries(NOT_COUNTED)
    .filter(([name]) => evidence[name] > 0)
    .map(([name, why]) => `${count(evidence[name])} ${why}`);
  return left.length ? h("p", { class: "note" }, `Reports not counted: ${left.join(", ")}.`) : null;
}

/** What a version changes, change by change. */
export function changes(all) {
  if (all.length === 0) return null;
  return h("ul", { class: "changes" }, all.map((one) =>
    h("li", {}, told(one.summary),
      one.path ? [" ", told([one.path, one.section].filter(Boolean).join(" › "), "span", { class: "note" })] : null)));
}

function capital(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
