// One skill: how far it is trusted and why, what is asked of it, what is on trial, how it evolved.

import { confidence } from "./confidence.js";
import { Decisions } from "./decide.js";
import { h, told } from "./dom.js";
import { count, time } from "./format.js";
import { decisionArguments, gatewayOf } from "./gateway.js";
import { history, lineage } from "./history.js";
import { improvements } from "./improvements.js";
import { advice, badge, facts, isPlain, section, standIn, trend } from "./parts.js";
import { trial } from "./trial.js";
import { inUse } from "./watch.js";

const SHOWN_EVOLUTIONS = 20;
const SHOWN_DECISIONS = 10;
const LINEAGE_DEPTH = 3;

/** The page: `{title, render, close}`. */
export function openSkill({ client, trails, invalidate }, name) {
  const watched = watchSkill(client, name);
  const details = new Map();
  const decisions = new Decisions(client, name, invalidate);

  function openDetail(evolutionId) {
    if (details.has(evolutionId)) return;
    details.set(evolutionId, client.watch("evolution:get", { evolutionId }));
    invalidate();
  }

  return {
    title: name,
    page: "skills",
    close() {
      for (const watch of [...Object.values(watched), ...details.values()]) client.release(watch);
    },
    render() {
      const { skill } = watched;
      if (skill.value === undefined || skill.error !== null) return absent(skill, name);
      const countBy = skill.value.evolution.countBy;
      return [
        heading(skill.value),
        confidence(watched.explained, watched.stats, trails.get(name)),
        inUse(watched.watch),
        trial(watched.canary, watched.status, decisions),
        improvements(watched.pending, countBy),
        history(watched.history, details, openDetail),
        lineage(watched.lineage),
        gatewayOf(watched.decisions),
        about(skill.value),
      ];
    },
  };
}

function watchSkill(client, name) {
  const skillName = name;
  return {
    skill: client.watch("skills:getByName", { name }),
    explained: client.watch("skills:explainConfidence", { name }),
    stats: client.watch("learning:getStats", { skillName }),
    watch: client.watch("verification:getWatch", { skillName }),
    status: client.watch("evolution:getStatus", { skillName }),
    canary: client.watch("evolution:getCanaryStatus", { skillName }),
    pending: client.watch("evolution:getPendingImprovements", { skillName }),
    history: client.watch("evolution:getHistory", { skillName, limit: SHOWN_EVOLUTIONS }),
    lineage: client.watch("skills:lineage", { name, depth: LINEAGE_DEPTH }),
    decisions: client.watch("gateway:listDecisions", decisionArguments(SHOWN_DECISIONS, { skill: name })),
  };
}

function absent(skill, name) {
  if (skill.error === null) return [h("h1", { tabindex: "-1" }, told(name)), standIn(skill)];
  const isGone = skill.error.code === "NOT_FOUND" || skill.error.code === "SKILL_NOT_FOUND";
  return [
    back(),
    h("h1", { tabindex: "-1" }, told(name)),
    isGone
      ? h("p", {}, "There is no such skill, or it is not yours to see. A private skill shows once you use ",
        "a key of its owner; “Use a key” is at the top.")
      : told(advice(skill.error), "p", { class: "trouble" }),
  ];
}

function heading(skill) {
  return h("header", { class: "skill-head", "data-key": "head" },
    back(),
    h("h1", { tabindex: "-1" }, told(skill.displayName || skill.name)),
    h("p", { class: "badges" },
      badge(skill.version ? `stable ${skill.version}` : "nothing stable yet", skill.version ? "good" : "warn"),
      skill.canaryVersion ? [" ", badge(`on trial ${skill.canaryVersion}`, "trial")] : null,
      skill.betaVersion ? [" ", badge(`beta ${skill.betaVersion}`, "quiet")] : null,
      isPlain(skill.status) ? null : [" ", badge(skill.status, "warn")],
      skill.visibility === "public" ? null : [" ", badge(skill.visibility, "warn")],
      " ", trend(skill.trend)),
    told(skill.description, "p", { class: "lead" }),
    skill.alert ? told(skill.alert.message, "p", { class: "trouble" }) : null,
    skill.notice ? told(skill.notice, "p", { class: "trouble" }) : null);
}

function back() {
  return h("a", { class: "back", href: "#/" }, "← All skills");
}

function about(skill) {
  return section("About", { value: skill, isLoaded: true, error: null }, () => facts(
    ["Name", told(skill.name)],
    ["Owner", told(skill.owner)],
    skill.author ? ["Author, as imported", told(skill.author)] : null,
    ["Category", told(skill.category)],
    skill.tags.length ? ["Tags", told(skill.tags.join(", "))] : null,
    skill.platforms.length ? ["Platforms", told(skill.platforms.join(", "))] : null,
    skill.license ? ["Licence", told(skill.license)] : null,
    skill.compatibility ? ["Needs", told(skill.compatibility)] : null,
    ["Verification", `level ${count(skill.verificationLevel)}`],
    ["Stars", count(skill.stars)],
    ["Published", time(skill.publishedAt)],
    ["Last run", time(skill.lastExecuted)],
    skill.digest ? ["Digest", h("code", { class: "told" }, skill.digest)] : null,
    ["Evolves when", `${count(skill.evolution.minReporters)} ${skill.evolution.countBy}s ask for the same`
      + (skill.evolution.enabled ? "" : " (switched off)")
      + (skill.evolution.manualApproval ? ", and a maintainer agrees" : "")],
  ));
}
