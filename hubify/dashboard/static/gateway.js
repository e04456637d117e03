// What the gateway decided on what was published, and what it found.

import { h, told } from "./dom.js";
import { plural, time } from "./format.js";
import { badge, section, standIn, state } from "./parts.js";

const SHOWN = 20;
const SHOWN_FINDINGS = 20;
const TONES = { critical: "bad", high: "bad", medium: "warn", low: "quiet", info: "quiet" };

export const decisionArguments = (numItems = SHOWN, filter = {}) => ({
  ...filter, paginationOpts: { numItems, cursor: null },
});

/** The page: `{title, render, close}`. */
export function openGateway({ client }) {
  const log = client.watch("gateway:listDecisions", decisionArguments());
  return {
    title: "Gateway",
    page: "gateway",
    close: () => client.release(log),
    render: () => [
      h("h1", { tabindex: "-1" }, "Gateway"),
      h("p", { class: "note" }, "Every version passes the gateway before anybody can get it. What it decides is public."),
      log.value === undefined ? standIn(log) : decisions(log.value.page, true),
    ],
  };
}

/** The decisions on one skill, as part of its page. */
export function gatewayOf(log) {
  return section("Gateway", log, ({ page }) => decisions(page, false));
}

function decisions(page, named) {
  if (page.length === 0) return h("p", { class: named ? "card empty" : "" }, "Nothing has been published yet.");
  return h("ol", { class: named ? "card plain timeline" : "plain timeline" },
    page.slice(0, SHOWN).map((one) => decision(one, named)));
}

function decision(one, named) {
  const findings = one.findings.length + one.omitted;
  return h("li", { "data-key": one._id },
    h("p", { class: "step" },
      named ? [h("a", { href: `#/skills/${encodeURIComponent(one.skill)}` }, told(one.skill)), " "] : null,
      h("strong", {}, one.version), " ", state(one.verdict), " ",
      one.appeal === "none" ? null : [badge(`appeal ${one.appeal}`, "warn"), " "],
      h("span", { class: "note" }, time(one.decidedAt))),
    h("p", { class: "gates note" }, one.gates.map((gate, place) => [
      place ? " · " : "", `${gate.gate} `, h("span", { class: gate.outcome }, OUTCOMES[gate.outcome] ?? gate.outcome)])),
    findings === 0 ? null : h("details", {},
      h("summary", {}, plural(findings, "finding")),
      h("ul", { class: "plain groups" }, one.findings.slice(0, SHOWN_FINDINGS).map(finding)),
      findings > SHOWN_FINDINGS ? h("p", { class: "note" }, `The first ${SHOWN_FINDINGS} are shown.`) : null));
}

const OUTCOMES = { passed: "passed", refused: "refused", skipped: "not run" };

function finding(one) {
  return h("li", {},
    h("p", {}, badge(one.severity, TONES[one.severity]), one.blocks ? [" ", badge("blocks", "bad")] : null, " ",
      told(one.message)),
    h("p", { class: "note" }, h("code", {}, one.rule), " in ", told(one.path), one.line ? `, line ${one.line}` : ""),
    one.excerpt ? told(one.excerpt, "code", { class: "excerpt" }) : null,
    one.fix ? told(one.fix, "p") : null);
}
