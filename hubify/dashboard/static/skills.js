// The list of skills, live.
//
// Invariant: rows do not change places under the reader's pointer or focus.

import { h, told } from "./dom.js";
import { count, percent, time } from "./format.js";
import { badge, bar, isPlain, standIn, trend } from "./parts.js";

const SHOWN_AT_FIRST = 25;
const SHOWN_AT_MOST = 100;
const ORDERS = { confidence: "Confidence", newest: "Newest", name: "Name" };

export const listArguments = (numItems = SHOWN_AT_FIRST, sort = "confidence") => ({
  sort, paginationOpts: { numItems, cursor: null },
});

/** The page: `{title, render, close}`. */
export function openSkills({ client, evolving, trails, invalidate }) {
  let sort = "confidence";
  let shown = SHOWN_AT_FIRST;
  let order = [];
  let list = client.watch("skills:list", listArguments());

  function ask() {
    const next = client.watch("skills:list", listArguments(shown, sort));
    if (next.value === undefined) next.value = list.value; // until it is answered
    client.release(list);
    list = next;
    order = [];
    invalidate();
  }

  function rows() {
    const skills = [...(list.value?.page ?? [])];
    if (isBeingUsed()) skills.sort(byPlaceIn(order));
    order = skills.map((skill) => skill.name);
    return skills;
  }

  return {
    title: "Skills",
    page: "skills",
    close: () => client.release(list),
    render: () => [
      h("header", { class: "page-head" }, h("h1", { tabindex: "-1" }, "Skills"), sorter(sort, (chosen) => {
        sort = chosen;
        ask();
      })),
      list.value === undefined ? standIn(list) : table(rows(), signs(evolving.value), trails),
      list.error && list.value ? standIn(list) : null,
      trails.since === null ? null
        : h("p", { class: "note" }, "+ and − : how far confidence has moved since ", time(trails.since),
          ", when you opened this page."),
      list.value && !list.value.isDone
        ? more(shown, () => {
          shown = Math.min(SHOWN_AT_MOST, shown + SHOWN_AT_FIRST);
          ask();
        })
        : null,
    ],
  };
}

function isBeingUsed() {
  const list = document.getElementById("skills");
  if (list === null) return false;
  const pointed = matchMedia("(hover: hover)").matches && list.matches(":hover");
  return pointed || list.matches(":focus-within");
}

function byPlaceIn(order) {
  const place = (skill) => {
    const found = order.indexOf(skill.name);
    return found < 0 ? order.length : found;
  };
  return (one, other) => place(one) - place(other);
}

function sorter(chosen, choose) {
  const options = Object.entries(ORDERS).map(([value, label]) =>
    h("option", { value, selected: value === chosen }, label));
  return h("label", { class: "sorter" }, "Order by ", h("select", {
    onchange: (event) => choose(event.target.value),
  }, options));
}

function more(shown, ask) {
  if (shown >= SHOWN_AT_MOST) {
    return h("p", { class: "note" }, `The first ${SHOWN_AT_MOST} are shown. `
      + "“hubify skills search” finds the others.");
  }
  return h("p", {}, h("button", { type: "button", onclick: ask }, "Show more"));
}

/** What is going on with each skill that evolves: `{version, traffic}` on trial, or a draft. */
function signs(overview) {
  const drafts = (overview?.drafts ?? []).map((draft) => [draft.skillName, { draft }]);
  const trials = (overview?.trials ?? []).map((trial) => [trial.skillName, { trial }]);
  return new Map([...drafts, ...trials]);
}

function table(skills, signs, trails) {
  if (skills.length === 0) {
    return h("div", { class: "card empty" },
      h("p", {}, "There are no skills yet."),
      h("p", { class: "note" }, "Publish some from a terminal, and they appear here: ",
        h("code", {}, "hubify skills import DIR")));
  }
  return h("div", { class: "card list" },
    h("div", { class: "row head", "aria-hidden": "true" },
      ["Skill", "Confidence", "Success", "Runs", "Trend", "Stable"].map((name) => h("span", {}, name))),
    h("ul", { id: "skills", class: "plain" }, skills.map((skill) =>
      row(skill, signs.get(skill.name), trails.get(skill.name)))));
}

function row(skill, sign, trail) {
  return h("li", { class: "row", "data-key": skill.name },
    h("div", { class: "what" },
      h("a", { class: "name", href: `#/skills/${encodeURIComponent(skill.name)}` }, told(skill.name)),
      isPlain(skill.status) ? null : [" ", badge(skill.status, "warn")],
      skill.alert ? [" ", badge("alert", "bad")] : null,
      evolutionBadge(sign),
      told(skill.description, "p", { class: "description" })),
    h("div", { class: "cell confidence" },
      h("span", { class: "label" }, "Confidence"),
      h("span", { class: "live figure" }, count(skill.confidence)),
      bar(skill.confidence, "Confidence"),
      moved(trail?.moved ?? 0)),
    cell("Success", skill.executions ? percent(skill.successRate) : null),
    cell("Runs", count(skill.executions)),
    h("div", { class: "cell" }, h("span", { class: "label" }, "Trend"), trend(skill.trend)),
    cell("Stable", skill.version));
}

function cell(label, value) {
  return h("div", { class: "cell" },
    h("span", { class: "label" }, label),
    h("span", { class: "number" }, value ?? "–"));
}

/** How far the number has moved while this page was open. */
function moved(points) {
  if (points === 0) return h("span", { class: "moved" });
  const isUp = points > 0;
  return h("span", { class: `moved ${isUp ? "good" : "bad"}` },
    `${isUp ? "+" : "−"}${count(Math.abs(points))}`, h("span", { class: "unseen" }, " since you came"));
}

function evolutionBadge(sign) {
  if (sign === undefined) return null;
  const { trial } = sign;
  if (trial === undefined) return [" ", badge("a new version is being made", "trial")];
  return [" ", badge(`trial of ${trial.version} at ${percent(trial.traffic / 100)}`, "trial")];
}
