// What changed just now, the newest first.
//
// Invariant: bounded; a line never changes once it stands there; a number that only trembles is no
// news, and one that moves is never said aloud.

import { h, show, told } from "./dom.js";
import { count, time } from "./format.js";
import { badge } from "./parts.js";

const KEPT = 40;
const WORTH_SAYING = 5; // points of confidence
const SAID_EVERY_MS = 20_000; // of one skill's confidence
const WORDS = {
  new: "new", confidence: "confidence", trial: "trial", stage: "trial", promoted: "promoted", ended: "ended",
  draft: "draft", version: "stable", asked: "asked", gateway: "gateway",
};

export class Feed {
  #element;
  #announcer;
  #items = [];
  #said = new Map();
  #number = 0;

  constructor(element, announcer) {
    this.#element = element;
    this.#announcer = announcer;
  }

  /** Take news in, the oldest first. */
  add(news, now) {
    for (const one of news) {
      const item = one.kind === "confidence" ? this.#moved(one, now) : one;
      if (item === null) continue;
      this.#items.unshift({ ...item, at: now, number: this.#number++ });
      if (item.matters) this.#announcer.textContent = `${item.skill}: ${item.text}`;
    }
    this.#items.length = Math.min(KEPT, this.#items.length);
  }

  render() {
    show(this.#element, h("h2", {}, "Just now"), this.#items.length === 0
      ? h("p", { class: "note" }, "Nothing has changed since you opened this page. ",
        "Whatever changes appears here by itself.")
      : h("ol", { class: "plain" }, this.#items.map(item)));
  }

  /** A line about a skill's confidence once it has moved far enough from what was said last. */
  #moved({ kind, skill, from, to }, now) {
    const last = this.#said.get(skill) ?? { value: from, at: 0 };
    this.#said.set(skill, last);
    if (Math.abs(to - last.value) < WORTH_SAYING || now - last.at < SAID_EVERY_MS) return null;
    this.#said.set(skill, { value: to, at: now });
    const isUp = to > last.value;
    const text = `confidence ${isUp ? "rose" : "fell"} from ${count(last.value)} to ${count(to)}`;
    return { kind, skill, text, tone: isUp ? "good" : "bad", matters: false };
  }
}

function item(one) {
  return h("li", { "data-key": one.number, class: one.kind },
    h("p", { class: "top" }, badge(WORDS[one.kind], one.tone), h("span", { class: "note" }, time(one.at))),
    h("p", {}, h("a", { href: `#/skills/${encodeURIComponent(one.skill)}` }, told(one.skill)), " ",
      told(one.text)));
}
