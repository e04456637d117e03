// A small client of the public sync protocol: live queries, mutations, one credential.
//
// Invariant: after every transition all watched values are true at one timestamp; when anything on
// the wire does not fit, the socket is dropped and everything is asked for again.

const START = { querySet: 0, identity: 0, ts: "AAAAAAAAAAA=" };
const SILENCE_MS = 45_000; // the server says something at least every 15 seconds
const FIRST_WAIT_MS = 500;
const BUSY_WAIT_MS = 3_000;
const LONGEST_WAIT_MS = 16_000;
const TRY_LATER = 1013;
const GROWN = 4; // a page keeps its end and grows at its start; this many times is enough

/** A function's refusal: `code` is stable, `message` is for people. */
export class Refused extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/** One watched query. `value` stays what it was while the connection is lost. */
class Watch {
  value = undefined;
  error = null;
  isLoaded = false;
  id = null;
  holders = 0;

  constructor(path, args) {
    this.path = path;
    this.args = args;
  }

  get hasOutgrown() {
    const asked = this.args.paginationOpts?.numItems;
    return asked > 0 && this.value?.page?.length > GROWN * asked;
  }
}

export class SyncClient {
  /** `connecting`, `live`, `waiting` (until `retryAt`, ms) or `ended` (the page must be reloaded). */
  phase = "connecting";
  retryAt = 0;
  trouble = "";
  /** The credential in use: `none`, `checking`, `accepted` or `refused` (`keyTrouble` says why). */
  keyState = "none";
  keyTrouble = "";

  #url;
  #onChange;
  #socket = null;
  #key = null;
  #sessionId = uuid();
  #connections = 0;
  #lastClose = "InitialConnect";
  #failures = 0;
  #isBusy = false;
  #version = START;
  #observed = START.ts;
  #sent = { querySet: 0, identity: 0 };
  #watches = new Map();
  #byId = new Map();
  #modifications = [];
  #nextQuery = 0;
  #requests = new Map();
  #nextRequest = 0;
  #silence = 0;
  #retry = 0;

  /** `onChange()` is called whenever a watched value, the phase or the key's state has changed. */
  constructor(url, onChange) {
    this.#url = new URL(url);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#onChange = onChange;
  }

  /** Connect with a key or without, and keep connected. */
  start(key) {
    this.#key = key || null;
    globalThis.addEventListener("online", () => this.retryNow());
    this.#open();
  }

  /** The values of a query from now on; the same query is asked once however often it is watched. */
  watch(path, args = {}) {
    const name = `${path} ${JSON.stringify(args)}`;
    let watch = this.#watches.get(name);
    if (watch === undefined) {
      watch = new Watch(path, args);
      this.#watches.set(name, watch);
      this.#add(watch);
    }
    watch.holders += 1;
    return watch;
  }

  /** Watch no longer; its last holder ends it. */
  release(watch) {
    watch.holders -= 1;
    if (watch.holders > 0) return;
    this.#watches.delete(`${watch.path} ${JSON.stringify(watch.args)}`);
    this.#remove(watch);
  }

  /** Call a mutation, once, across lost connections; its answer comes after its effects show. */
  mutate(path, args = {}) {
    return new Promise((resolve, reject) => {
      const requestId = this.#nextRequest++;
      const message = { type: "Mutation", requestId, udfPath: path, args: [args] };
      this.#requests.set(requestId, { message, resolve, reject, ts: null, result: undefined });
      this.#send(message);
    });
  }

  /** Call as somebody else from now on; null for nobody in particular. */
  authenticate(key) {
    this.#key = key || null;
    this.#sendIdentity();
    this.#onChange();
  }

  /** Do not wait any longer before trying to connect. */
  retryNow() {
    if (this.phase === "waiting") this.#open();
  }

  // The connection.

  #open() {
    clearTimeout(this.#retry);
    this.phase = "connecting";
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    const ifCurrent = (handle) => (event) => {
      if (socket === this.#socket) handle(event); // one that was dropped is not listened to
    };
    socket.onopen = ifCurrent(() => this.#begin());
    socket.onmessage = ifCurrent((event) => this.#receive(event.data));
    socket.onclose = ifCurrent((event) => this.#closed(event));
    this.#hear();
    this.#onChange();
  }

  #begin() {
    this.#version = START;
    this.#sent = { querySet: 0, identity: 0 };
    this.#modifications = [];
    this.#send({
      type: "Connect",
      sessionId: this.#sessionId,
      connectionCount: this.#connections++,
      lastCloseReason: this.#lastClose,
      clientTs: Date.now(),
      ...(this.#observed === START.ts ? {} : { maxObservedTimestamp: this.#observed }),
    });
    if (this.#key !== null) this.#sendIdentity();
    for (const watch of this.#watches.values()) this.#modifications.push(addition(watch));
    this.#sendModifications();
    for (const request of this.#requests.values()) this.#send(request.message);
  }

  #closed(event) {
    this.#socket = null;
    clearTimeout(this.#silence);
    this.#lastClose = event.reason || `closed with code ${event.code}`;
    this.#isBusy = event.code === TRY_LATER;
    this.#waitAndRetry();
  }

  #waitAndRetry() {
    if (this.phase === "ended") return;
    const first = this.#isBusy ? BUSY_WAIT_MS : FIRST_WAIT_MS;
    const wait = Math.min(LONGEST_WAIT_MS, first * 2 ** this.#failures) * (0.5 + Math.random());
    this.#failures = Math.min(this.#failures + 1, 10);
    this.phase = "waiting";
    this.retryAt = Date.now() + wait;
    this.#retry = setTimeout(() => this.#open(), wait);
    this.#onChange();
  }

  #drop(reason) {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#silence);
    socket?.close();
    this.#lastClose = reason;
    this.#waitAndRetry();
  }

  #hear() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#drop("InactiveServer"), SILENCE_MS);
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  // What the server says.

  #receive(text) {
    this.#hear();
    const message = JSON.parse(text, reviveValue);
    switch (message.type) {
      case "Transition":
        this.#move(message);
        break;
      case "MutationResponse":
        this.#answered(message);
        break;
      case "AuthError":
        this.#refuseKey(message);
        break;
      case "FatalError":
        this.phase = "ended";
        this.trouble = String(message.error);
        this.#socket.close();
        this.#onChange();
        break;
      default: // a Ping, or something newer than this page
    }
  }

  #move({ startVersion, endVersion, modifications }) {
    if (!sameVersion(startVersion, this.#version)) {
      this.#drop("a transition was missing");
      return;
    }
    for (const modification of modifications) this.#apply(modification);
    this.#version = endVersion;
    if (timestamp(endVersion.ts) > timestamp(this.#observed)) this.#observed = endVersion.ts;
    const isCurrent = endVersion.querySet === this.#sent.querySet;
    if (isCurrent && endVersion.identity === this.#sent.identity) this.#caughtUp();
    this.#settle(timestamp(endVersion.ts));
    this.#onChange();
  }

  #apply(modification) {
    const watch = this.#byId.get(modification.queryId);
    if (watch === undefined) return;
    if (modification.type === "QueryUpdated") {
      watch.value = modification.value;
      watch.error = null;
      watch.isLoaded = true;
      if (watch.hasOutgrown) this.#renew(watch);
    } else if (modification.type === "QueryFailed") {
      watch.error = refusal(modification.errorData, modification.errorMessage);
      watch.isLoaded = true;
    }
  }

  #caughtUp() {
    this.#failures = 0;
    this.phase = "live";
    if (this.keyState === "checking") this.keyState = "accepted";
  }

  #answered(message) {
    const request = this.#requests.get(message.requestId);
    if (request === undefined) return;
    if (!message.success) {
      this.#requests.delete(message.requestId);
      request.reject(refusal(message.errorData, message.result));
      return;
    }
    request.ts = timestamp(message.ts);
    request.result = message.result;
    if (request.ts <= timestamp(this.#version.ts)) this.#settle(timestamp(this.#version.ts));
  }

  #settle(ts) {
    for (const [id, request] of this.#requests) {
      if (request.ts === null || request.ts > ts) continue;
      this.#requests.delete(id);
      request.resolve(request.result);
    }
  }

  // What is asked of it.

  #add(watch) {
    watch.id = this.#nextQuery++;
    this.#byId.set(watch.id, watch);
    this.#modify(addition(watch));
  }

  #remove(watch) {
    this.#byId.delete(watch.id);
    this.#modify({ type: "Remove", queryId: watch.id });
  }

  #renew(watch) {
    this.#remove(watch);
    this.#add(watch);
  }

  #modify(modification) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return; // all is told when it opens
    this.#modifications.push(modification);
    if (this.#modifications.length === 1) queueMicrotask(() => this.#sendModifications());
  }

  #sendModifications() {
    const modifications = this.#modifications;
    this.#modifications = [];
    if (modifications.length === 0 && this.#sent.querySet > 0) return;
    const baseVersion = this.#sent.querySet++;
    this.#send({
      type: "ModifyQuerySet", baseVersion, newVersion: baseVersion + 1, modifications,
    });
  }

  // Who asks.

  #sendIdentity() {
    this.keyState = this.#key === null ? "none" : "checking";
    this.keyTrouble = "";
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const who = this.#key === null
      ? { tokenType: "None" }
      : { tokenType: "User", value: this.#key };
    this.#send({ type: "Authenticate", baseVersion: this.#sent.identity++, ...who });
  }

  #refuseKey({ error, baseVersion }) {
    if (baseVersion + 1 < this.#sent.identity) return; // about a key that was replaced since
    this.#key = null;
    this.keyState = "refused";
    this.keyTrouble = String(error);
    this.#drop("AuthError");
    this.retryNow();
  }
}

function addition(watch) {
  return { type: "Add", queryId: watch.id, udfPath: watch.path, args: [watch.args] };
}

function refusal(data, message) {
  return new Refused(String(data?.message ?? message), String(data?.code ?? "INTERNAL_ERROR"));
}

function sameVersion(one, other) {
  return one.querySet === other.querySet
    && one.identity === other.identity
    && timestamp(one.ts) === timestamp(other.ts);
}

/** A timestamp of the wire: eight bytes, the lowest first, in base64. */
function timestamp(text) {
  return bytesOf(text).getBigUint64(0, true);
}

function bytesOf(base64) {
  return new DataView(Uint8Array.from(atob(base64), (one) => one.charCodeAt(0)).buffer);
}

/** Values that JSON cannot say travel as objects with one key. */
function reviveValue(_name, value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  if (keys.length !== 1 || typeof value[keys[0]] !== "string") return value;
  switch (keys[0]) {
    case "$float":
      return bytesOf(value.$float).getFloat64(0, true);
    case "$integer":
      return bytesOf(value.$integer).getBigInt64(0, true);
    case "$bytes":
      return bytesOf(value.$bytes).buffer;
    default:
      return value;
  }
}

/** A random UUID; `crypto.randomUUID` exists on https and on localhost only. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
