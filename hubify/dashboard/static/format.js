// Numbers, shares and times as the reader writes them: their locale, their time zone.
//
// Invariant: a missing value is a dash, never a zero.

import { h } from "./dom.js";

const MS_PER_DAY = 86_400_000;
const NONE = "–";
const whole = new Intl.NumberFormat();
const decimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const share = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const fineShare = new Intl.NumberFormat(undefined, {
  style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1,
});
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const utcDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

const orNone = (write) => (value) =>
  value === null || value === undefined || Number.isNaN(value) ? NONE : write(value);

export const count = orNone((value) => whole.format(value));
export const number = orNone((value) => decimal.format(value));
export const percent = orNone((value) => share.format(value));
export const finePercent = orNone((value) => fineShare.format(value));

/** `1 run`, `3 runs`. */
export function plural(value, noun, nouns = `${noun}s`) {
  return `${count(value)} ${value === 1 ? noun : nouns}`;
}

/** Names in a sentence, the first few of them. */
export function names(all, most = 3) {
  const shown = all.slice(0, most);
  const rest = all.length - shown.length;
  return rest > 0 ? `${shown.join(", ")} and ${rest} more` : shown.join(", ");
}

/** A length of time given in hours. */
export function hours(value) {
  if (value >= 48) return plural(Math.round(value / 24), "day");
  if (value >= 1) return `${number(value)} h`;
  if (value >= 1 / 60) return `${number(value * 60)} min`;
  return `${number(value * 3600)} s`;
}

/** A moment (ms since 1970): the clock today, the date before; the whole of it on hover. */
export function time(ms) {
  if (ms === null || ms === undefined) return NONE;
  const moment = new Date(ms);
  const isToday = day.format(moment) === day.format(new Date());
  const text = isToday ? clock.format(moment) : minute.format(moment);
  return h("time", { datetime: moment.toISOString(), title: exact.format(moment) }, text);
}

/** A day given as days since 1970: a day of the calendar, the same in every zone. */
export function dayOf(days) {
  return utcDay.format(new Date(days * MS_PER_DAY));
}

/** An e-value: how often a fair gambler has multiplied what it bet. */
export function odds(value) {
  if (!Number.isFinite(value) || value >= 1e6) return "over a million";
  if (value >= 10) return count(Math.round(value));
  return value >= 0.05 ? number(value) : "0";
}
