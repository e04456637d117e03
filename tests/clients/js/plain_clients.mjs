// ConvexHttpClient and ConvexClient, each behind the same few verbs (see host.mjs).

import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { failure, toJson, tokenSource } from "./telling.mjs";

// Node's fetch waits for ever when the server closes a connection just as it has been opened, as a
// server that stops does; so whoever calls it sets a limit.
const patientFetch = (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(5_000) });

export function openHttp(url) {
  const client = new ConvexHttpClient(url, { fetch: patientFetch });
  return {
    query: (path, args) => client.query(path, args),
    mutation: (path, args) => client.mutation(path, args, { skipQueue: true }),
    action: (path, args) => client.action(path, args),
    consistent: (path, args) => client.consistentQuery(path, args),
    authenticate: ([token]) => client.setAuth(token),
    administer: (key) => client.setAdminAuth(key),
    logOut: () => client.clearAuth(),
    close: () => {},
  };
}

export function openLive(url, tell) {
  const client = new ConvexClient(url);
  const watched = new Map();
  const delivered = {};
  let source = tokenSource([]);

  const told = (sub, beside) => (value) => {
    delivered[sub] = toJson(value);
    tell({ sub, value: delivered[sub], beside: beside ? now() : undefined });
  };
  const now = () =>
    Object.fromEntries([...watched].map(([sub, watch]) => [sub, toJson(watch.getCurrentValue())]));
  const refused = (sub) => (error) => tell({ sub, error: failure(error) });
  return {
    query: (path, args) => client.query(path, args),
    mutation: (path, args) => client.mutation(path, args),
    action: (path, args) => client.action(path, args),
    seen: () => ({ ...delivered }),
    subscribe(sub, path, args, beside) {
      watched.set(sub, client.onUpdate(path, args, told(sub, beside), refused(sub)));
    },
    paginate(sub, path, args, items) {
      const show = (pages) => {
        watched.get(sub).pages = pages;
        told(sub)({ results: pages.results, status: pages.status });
      };
      const options = { initialNumItems: items };
      watched.set(
        sub,
        client.onPaginatedUpdate_experimental(path, args, options, show, refused(sub)),
      );
    },
    loadMore: (sub, items) => watched.get(sub).pages.loadMore(items),
    unsubscribe(sub) {
      watched.get(sub).unsubscribe();
      watched.delete(sub);
    },
    authenticate(tokens) {
      source = tokenSource(tokens);
      client.setAuth(source.fetch, (auth) => tell({ auth }));
    },
    administer: (key) => client.client.setAdminAuth(key),
    logOut: () => client.client.clearAuth(),
    state: () => ({ asked: source.asked, connection: client.connectionState() }),
    close: () => client.close(),
  };
}
