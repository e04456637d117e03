// What changed just now: the newest first, small moves of one number in one line.
//
// Invariant: bounded, and what is only a number moving is never said aloud.

import { h, show, told } from "./dom.js";
import { count, plural, time } from "./format.js";
import { badge } from "./parts.js";

const KEPT = 40;
const JOINED_WITHIN_MS = 60_000;
const WORDS = {
  new: "new", confidence: "trust", trial: "trial", stage: "trial", promoted: "promoted", ended: "ended",
  draft: "draft", version: "stable", asked: "asked", gateway: "gateway",
};

export class Feed {
  #element;
  #announcer;
  #items = [];
  #number = 0;

  constructor(element, announcer) {
    this.#element = element;
    this.#announcer = announcer;
  }

  /** Take news in, the oldest first. */
  add(news, now) {
    for (const one of news) {
      if (one.kind === "confidence" && this.#join(one, now)) continue;
      this.#items.unshift({ ...one, at: now, since: now, number: this.#number++ });
      if (one.matters) this.#announcer.textContent = `${one.skill}: ${one.text}`;
    }
    this.#items.length = Math.min(KEPT, this.#items.length);
  }

  render() {
    show(this.#element, h("h2", {}, "Just now"), this.#items.length === 0
      ? h("p", { class: "note" }, "Nothing has changed since you opened this page. ",
        "Whatever changes appears here by itself.")
      : h("ol", { class: "plain" }, this.#items.map(item)));
  }

  /** Let a move of a skill's confidence go on with its last one; whether it could. */
  #join(one, now) {
    const last = this.#items.find((known) => known.skill === one.skill && known.kind === one.kind);
    if (last === undefined || now - last.since > JOINED_WITHIN_MS) return false;
    last.to = one.to;
    last.runs += one.runs;
    last.at = now;
    return true;
  }
}

function item(one) {
  return h("li", { "data-key": one.number, class: one.kind },
    h("p", { class: "top" }, badge(WORDS[one.kind], tone(one)), h("span", { class: "note" }, time(one.at))),
    h("p", {}, h("a", { href: `#/skills/${encodeURIComponent(one.skill)}` }, told(one.skill)), " ",
      one.kind === "confidence" ? moved(one) : told(one.text)));
}

function moved({ from, to, runs }) {
  const after = runs > 0 ? ` after ${plural(runs, "run")}` : "";
  return [`confidence ${count(from)} → `, h("strong", { class: "live" }, count(to)), after];
}

function tone(one) {
  if (one.kind !== "confidence") return one.tone;
  if (one.to === one.from) return "quiet";
  return one.to > one.from ? "good" : "bad";
}
