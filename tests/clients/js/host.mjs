// Convex's own JavaScript clients, driven by orders that come as JSON lines on standard input.
//
// One line in: {id, op, client, ...}; one line out for it: {id, done} or {id, failed}. Between them
// come events: {client, sub, value | error, beside?}, {client, auth}, {log}. Values travel in Convex's JSON.
// `node host.mjs` offers ConvexHttpClient and ConvexClient, `node host.mjs react` the React client.
// python_host.py is its twin. A client that throws where nobody can catch it ends the process.

import { createInterface } from "node:readline";
import { anyApi, makeFunctionReference } from "convex/server";
import { jsonToConvex } from "convex/values";
import { failure, kinds, toJson } from "./telling.mjs";

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const clients = new Map();

for (const level of ["log", "info", "warn", "error", "debug"]) {
  console[level] = (...words) => say({ log: level, text: words.map(String).join(" ") });
}
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error) => {
    say({ fatal: String(error?.stack ?? error) });
    process.stdout.write("", () => process.exit(70));
  });
}

// A path is a text, or a list of steps into `anyApi`: ["learning", "default"].
const reference = (path) =>
  Array.isArray(path)
    ? path.reduce((api, step) => api[step], anyApi)
    : makeFunctionReference(path);

const kindsOfClient =
  process.argv[2] === "react"
    ? { react: (await import("./react_client.mjs")).openReact }
    : await import("./plain_clients.mjs").then((all) => ({ http: all.openHttp, live: all.openLive }));

const orders = {
  async open({ client, kind, url }) {
    const tell = (event) => say({ client, ...event });
    clients.set(client, await kindsOfClient[kind](url, tell));
  },
  async call({ client, kind, path, args }) {
    const target = clients.get(client);
    const value = await target[kind](reference(path), jsonToConvex(args));
    const seen = target.seen?.();
    return { value: toJson(value), kinds: kinds(value), seen };
  },
  subscribe: ({ client, sub, path, args, beside }) =>
    clients.get(client).subscribe(sub, reference(path), jsonToConvex(args), beside),
  retry: ({ client, sub }) => clients.get(client).retry?.(sub),
  paginate: ({ client, sub, path, args, items }) =>
    clients.get(client).paginate(sub, reference(path), jsonToConvex(args), items),
  loadMore: ({ client, sub, items }) => clients.get(client).loadMore(sub, items),
  unsubscribe: ({ client, sub }) => clients.get(client).unsubscribe(sub),
  authenticate: ({ client, tokens }) => clients.get(client).authenticate(tokens),
  administer: ({ client, key }) => clients.get(client).administer(key),
  logOut: ({ client }) => clients.get(client).logOut(),
  state: ({ client }) => clients.get(client).state(),
  async close({ client }) {
    await clients.get(client).close();
    clients.delete(client);
  },
};

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const order = JSON.parse(line);
  Promise.resolve()
    .then(() => orders[order.op](order))
    .then(
      (done) => say({ id: order.id, done: done ?? null }),
      (error) => say({ id: order.id, failed: failure(error) }),
    );
}
process.exit(0);
