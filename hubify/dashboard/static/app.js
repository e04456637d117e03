// The page: one connection, one view at a time, and beside it what changed just now.
//
// Invariant: everything shown comes by subscription; nothing asks twice, and drawing is at most
// four times a second, so that a busy hub stays readable.

import { h, show, told } from "./dom.js";
import { Feed } from "./feed.js";
import { time } from "./format.js";
import { decisionArguments, openGateway } from "./gateway.js";
import { keptKey, wireKey } from "./key.js";
import { look, newsBetween } from "./news.js";
import { openSkill } from "./skill.js";
import { listArguments, openSkills } from "./skills.js";
import { SyncClient } from "./sync.js";
import { Trails } from "./trails.js";

const DRAWN_EVERY_MS = 250;

const find = (id) => document.getElementById(id);
const begunAt = Date.now();
const client = new SyncClient(new URL("../api/sync", document.baseURI), changed);
const feed = new Feed(find("feed"), find("announcer"));
const drawKey = wireKey(client);
const listed = client.watch("skills:list", listArguments());
const decided = client.watch("gateway:listDecisions", decisionArguments());
const evolving = client.watch("evolution:overview", {});
const trails = new Trails();

let view = null;
let seen = null;
let drawnAt = 0;
let isDue = false;

/** Something has changed: take its news at once, and draw soon. */
function changed() {
  notice();
  invalidate();
}

function invalidate() {
  if (isDue) return;
  isDue = true;
  setTimeout(draw, Math.max(0, drawnAt + DRAWN_EVERY_MS - Date.now()));
}

function draw() {
  isDue = false;
  drawnAt = Date.now();
  drawConnection();
  drawKey();
  show(find("page"), view.render());
  feed.render();
}

function notice() {
  if ([listed, evolving, decided].some((watch) => watch.value === undefined)) return;
  const now = look(listed.value.page, evolving.value, decided.value.page);
  if (seen !== null) feed.add(newsBetween(seen, now, begunAt), Date.now());
  trails.add(listed.value.page, Date.now());
  seen = now;
}

// The connection.

const PHASES = { connecting: "Connecting", live: "Live", waiting: "Not connected", ended: "Stopped" };

function drawConnection() {
  const sign = find("connection");
  const text = PHASES[client.phase];
  if (sign.textContent !== text) sign.textContent = text;
  sign.dataset.phase = client.phase;
  const said = trouble();
  find("banner").hidden = said === null;
  show(find("banner"), said ?? []);
}

/** What the reader has to know about the connection or the key, and what to do. */
function trouble() {
  if (client.phase === "ended") {
    return [told(`The server does not understand this page: ${client.trouble}. Load it again.`, "p")];
  }
  if (client.phase === "waiting" || (client.phase === "connecting" && seen !== null)) {
    const what = seen === null ? "The server does not answer." : "The connection is lost; what you see may be out of date.";
    const next = client.phase === "connecting" ? "now" : ["at ", time(client.retryAt)];
    return [h("p", {}, `${what} This page tries again by itself, `, next, "."),
      h("button", { type: "button", onclick: () => client.retryNow() }, "Try now")];
  }
  if (client.keyState === "refused") {
    return [told(`The key was refused: ${client.keyTrouble}. You see what is public; use another key at the top.`, "p")];
  }
  return null;
}

// Which page.

const PAGES = [
  [/^#\/skills\/([^/]+)$/, (context, name) => openSkill(context, name)],
  [/^#\/gateway$/, (context) => openGateway(context)],
  [/.*/, (context) => openSkills(context)],
];

function navigate() {
  const isFirst = view === null;
  const next = openPage();
  view?.close();
  view = next;
  document.title = `${view.title} · Hubify`;
  for (const link of document.querySelectorAll("nav a[data-page]")) {
    if (link.dataset.page === view.page) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  show(find("page"));
  draw();
  if (!isFirst) arrive();
}

function openPage() {
  for (const [pattern, open] of PAGES) {
    const found = pattern.exec(location.hash);
    if (found) return open({ client, evolving, trails, invalidate }, ...found.slice(1).map(decoded));
  }
  throw new Error("the last pattern fits every address");
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Begin at the top, where a reader by ear hears the new page's title. */
function arrive() {
  scrollTo(0, 0);
  find("page").querySelector("h1")?.focus({ preventScroll: true });
}

find("skip").onclick = (event) => {
  event.preventDefault(); // the address says which page is open
  find("page").focus();
};
globalThis.addEventListener("hashchange", navigate);
navigate();
client.start(keptKey());
