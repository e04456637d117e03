// What each skill's confidence has been while this page was open.
//
// Invariant: bounded; a long trail gets coarser, its first and its newest point stay.

const KEPT_POINTS = 300;
const POINT_EVERY_MS = 1_000;

class Trail {
  points = [];

  add(value, at) {
    const last = this.points.at(-1);
    const isFresh = this.points.length > 1 && at - this.points.at(-2).at < POINT_EVERY_MS;
    const isSame = this.points.length > 1 && this.points.at(-2).value === value && last.value === value;
    if (isFresh || isSame) this.points.pop();
    this.points.push({ value, at });
    if (this.points.length > KEPT_POINTS) {
      this.points = this.points.filter((_, place, { length }) => place % 2 === 0 || place === length - 1);
    }
  }

  get moved() {
    return this.points.length === 0 ? 0 : this.points.at(-1).value - this.points[0].value;
  }
}

export class Trails {
  /** When the first point was taken (ms); null before. */
  since = null;
  #bySkill = new Map();

  get(name) {
    return this.#bySkill.get(name);
  }

  /** Take in what a list of skills shows. */
  add(skills, at) {
    this.since ??= at;
    for (const { name, confidence, executions } of skills) {
      if (executions === 0) continue; // nothing has been measured yet
      if (!this.#bySkill.has(name)) this.#bySkill.set(name, new Trail());
      this.#bySkill.get(name).add(confidence, at);
    }
  }
}
