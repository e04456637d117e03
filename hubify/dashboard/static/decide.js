// What a maintainer may do about a draft or a trial, shown to whoever uses a key.
//
// Invariant: nothing is decided by one click; the server decides who may.

import { h, told } from "./dom.js";
import { advice } from "./parts.js";

const LONGEST_REASON = 500;

export class Decisions {
  #client;
  #skillName;
  #invalidate;
  #isUnderWay = false;
  #told = null;

  constructor(client, skillName, invalidate) {
    this.#client = client;
    this.#skillName = skillName;
    this.#invalidate = invalidate;
  }

  forTrial(view) {
    const { version } = view;
    return this.#form("Decide about the trial yourself", [
      ["Promote now", "evolution:promote", { version }],
      ["Roll back", "evolution:rollback", { version }],
      view.status === "paused" ? ["Let it go on", "evolution:resume", {}] : null,
    ]);
  }

  forDraft(draft) {
    const version = draft.version ? { version: draft.version } : {};
    return this.#form("Decide about the draft", [
      draft.version ? ["Accept for trial", "evolution:accept", version] : null,
      ["Reject", "evolution:reject", version],
    ]);
  }

  #form(title, choices) {
    if (this.#client.keyState !== "accepted") return null;
    return h("details", { class: "decide", "data-key": "decide" },
      h("summary", {}, title),
      h("label", { for: "reason" }, "Reason, shown in the history"),
      h("input", { id: "reason", type: "text", maxlength: LONGEST_REASON, autocomplete: "off" }),
      h("div", { class: "buttons" }, choices.filter(Boolean).map(([label, path, args]) =>
        h("button", {
          type: "button", "data-key": path, disabled: this.#isUnderWay,
          onclick: () => this.#decide(path, args),
        }, label))),
      this.#told ? told(this.#told, "p", { class: "trouble", role: "alert" }) : null);
  }

  async #decide(path, args) {
    const reason = document.getElementById("reason").value.trim();
    if (path === "evolution:reject" && reason === "") {
      this.#say("Say why, so that those who asked for it learn something.", false);
      return;
    }
    this.#say(null, true);
    const takesReason = path !== "evolution:accept" && path !== "evolution:resume";
    const why = takesReason && reason ? { reason } : {};
    try {
      await this.#client.mutate(path, { skillName: this.#skillName, ...args, ...why });
      this.#say(null, false);
    } catch (refused) {
      this.#say(advice(refused), false);
    }
  }

  #say(text, isUnderWay) {
    this.#told = text;
    this.#isUnderWay = isUnderWay;
    this.#invalidate();
  }
}
