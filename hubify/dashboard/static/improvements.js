// What agents ask of a skill, and what each request still lacks.

import { h, told } from "./dom.js";
import { count, names, plural, time } from "./format.js";
import { badge, section, state } from "./parts.js";

const MOST_PIPS = 10;

export function improvements(pending, countBy) {
  return section("What agents ask for", pending, ({ improvements: groups, threshold }) => {
    if (groups.length === 0) {
      return h("p", {}, "No suggestions are open. ", h("span", { class: "note" },
        `When ${plural(threshold, countBy)} ask for the same change in their reports, `,
        "a new version is drafted and tried."));
    }
    return h("ul", { class: "plain groups" },
      groups.map((group) => request(group, threshold, countBy)));
  });
}

function request(group, threshold, countBy) {
  const behind = countBy === "owner" ? group.ownerCount : group.agentCount;
  return h("li", { "data-key": group.groupId },
    told(group.suggestion, "p", { class: "quote" }),
    h("p", { class: "standing" },
      pips(behind, threshold), " ",
      h("strong", {}, `${count(behind)} of ${plural(threshold, countBy)}`), " ",
      group.status === "drafting" ? badge("being followed", "trial") : state(group.status)),
    group.missing ? told(sentence(group.missing), "p") : null,
    h("p", { class: "note" }, "Asked by ", told(names(group.agents)), ", first ",
      time(group.firstSeen), ", last ", time(group.lastSeen)));
}

function pips(have, need) {
  if (need > MOST_PIPS) return null;
  const marks = Array.from({ length: need }, (_, place) =>
    h("span", { class: place < have ? "pip on" : "pip" }));
  return h("span", { class: "pips", "aria-hidden": "true" }, marks);
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
