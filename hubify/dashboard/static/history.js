// How a skill has evolved: every attempt, why it ended as it did, and where versions come from.

import { h, told } from "./dom.js";
import { number, time } from "./format.js";
import { section, standIn, state } from "./parts.js";
import { changes, judge } from "./trial.js";

const TRIGGERS = {
  improvement_threshold: "enough agents asked for it",
  manual_request: "a maintainer asked for it",
  confidence_decline: "the stable version broke",
  high_failure_rate: "the stable version failed too often",
  error_pattern: "the same error came again and again",
  platform_gap: "one platform fell behind",
};
const DECIDERS = { judge: "the judge", hubify: "the hub" };

export function history(evolutions, details, openDetail) {
  return section("History", evolutions, ({ evolutions: all }) => {
    if (all.length === 0) {
      return h("p", {}, "This skill has not evolved yet. ", h("span", { class: "note" },
        "Each new version that agents' suggestions lead to will be told here, with why it was kept or not."));
    }
    return h("ol", { class: "plain timeline" }, all.map((one) =>
      attempt(one, details.get(one._id), openDetail)));
  });
}

function attempt(one, detail, openDetail) {
  return h("li", { "data-key": one._id },
    h("p", { class: "step" },
      h("strong", {}, `${one.fromVersion} → ${one.toVersion ?? "…"}`), " ", state(one.status), " ",
      h("span", { class: "note" }, time(one.timestamp))),
    one.reason ? h("p", { class: "why" }, told(`${capital(one.reason)}.`)) : null,
    changes(one.changes),
    h("p", { class: "note" }, "Begun because ", TRIGGERS[one.trigger] ?? told(one.trigger),
      one.decidedBy ? [", decided by ", DECIDERS[one.decidedBy] ?? told(one.decidedBy)] : null,
      confidences(one), "."),
    h("details", {
      ontoggle: (event) => { if (event.target.open) openDetail(one._id); },
    }, h("summary", {}, "Who asked, and the evidence"), detail ? evidence(detail) : null));
}

function confidences({ confidenceBefore: before, confidenceAfter: after }) {
  if (before === null || after === null) return null;
  return `; confidence of the two ${number(before)} and ${number(after)}`;
}

function evidence(watch) {
  if (watch.value === undefined) return standIn(watch);
  const { suggestions, evidence: decision, secret } = watch.value;
  return [
    h("ul", { class: "groups plain" }, suggestions.map((one) => h("li", { "data-key": one._id },
      told(one.suggestion, "p", { class: "quote" }),
      h("p", { class: "note" }, told(one.agentId), " of ", told(one.owner), " on ", told(one.platform),
        ", ", time(one.timestamp), one.grounds ? ["; ", told(one.grounds)] : null)))),
    decision ? judge(decision) : null,
    secret ? h("p", { class: "note" }, "Who got which version can be tossed again with the secret ",
      h("code", {}, secret), ".") : null,
  ];
}

/** Versions of a skill, the newest first, each with those it was made from. */
export function lineage(graph) {
  return section("Versions and where they come from", graph, ({ name, forkOf, forks, nodes, edges, truncated }) => {
    const byId = new Map(nodes.map((node) => [node.versionId, node]));
    const called = (node) => (node.name === name ? node.version : `${node.name} ${node.version}`);
    const parentsOf = (node) => edges
      .filter((edge) => edge.childId === node.versionId && byId.has(edge.parentId))
      .map((edge) => called(byId.get(edge.parentId)));
    return [
      forkOf ? h("p", {}, "Forked from ", skillLink(forkOf), ".") : null,
      h("ol", { class: "plain timeline" }, nodes.toReversed().map((node) =>
        version(node, called(node), parentsOf(node)))),
      forks.length ? h("p", {}, "Forks: ", forks.map((fork, place) => [place ? ", " : "", skillLink(fork)])) : null,
      truncated ? h("p", { class: "note" }, "There are more versions than are shown here.") : null,
    ];
  });
}

function version(node, title, parents) {
  return h("li", { "data-key": node.versionId },
    h("p", { class: "step" }, h("strong", {}, told(title)), " ", state(node.status), " ",
      h("span", { class: "note" }, time(node.publishedAt))),
    node.changeSummary ? told(node.changeSummary, "p") : null,
    h("p", { class: "note" }, told(origin(node)), parents.length ? [", made from ", told(parents.join(" and "))] : null));
}

function origin({ origin: kind, source }) {
  const word = kind === "generated" ? "Drafted from suggestions" : `Origin: ${kind}`;
  return source ? `${word} (${source})` : word;
}

function skillLink(name) {
  return h("a", { href: `#/skills/${encodeURIComponent(name)}` }, told(name));
}

function capital(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
