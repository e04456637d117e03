// ConvexReactClient in a page of jsdom: what its hooks render is what is told (see host.mjs).

import { JSDOM } from "jsdom";

const page = new JSDOM("<div id='root'></div>", { url: "http://127.0.0.1/" });
globalThis.navigator ??= page.window.navigator;
for (const name of ["window", "document", "WebSocket"]) {
  globalThis[name] = name === "window" ? page.window : page.window[name];
}

const { Component, createElement: h, useEffect, useRef } = await import("react");
const { createRoot } = await import("react-dom/client");
const convex = await import("convex/react");
const { ConvexProviderWithAuth, ConvexReactClient, useConvexAuth } = convex;
const { getFunctionName } = await import("convex/server");
const { failure, toJson, tokenSource } = await import("./telling.mjs");

const HOOKS = { mutation: convex.useMutation, action: convex.useAction };

// What stands in the page is read back from it: the text of an element, after each rendering.
function Shown({ value, tell }) {
  const element = useRef(null);
  useEffect(() => {
    if (value !== undefined) tell({ value: JSON.parse(element.current.textContent) });
  }, [value]);
  return h("output", { ref: element }, value === undefined ? "" : JSON.stringify(toJson(value)));
}

function Watch({ path, args, tell }) {
  return h(Shown, { value: convex.useQuery(path, args), tell });
}

function Pages({ path, args, items, tell, offer }) {
  const { results, status, loadMore } = convex.usePaginatedQuery(path, args, {
    initialNumItems: items,
  });
  useEffect(() => offer(loadMore), [loadMore]);
  return h(Shown, { value: { results, status }, tell });
}

function Caller({ kind, path, offer }) {
  const call = HOOKS[kind](path);
  useEffect(() => offer(call), [call]);
  return null;
}

function AuthState({ tell }) {
  const { isLoading, isAuthenticated } = useConvexAuth();
  useEffect(() => {
    if (!isLoading) tell({ auth: isAuthenticated });
  }, [isLoading, isAuthenticated]);
  return null;
}

class Boundary extends Component {
  state = { failed: false };
  static getDerivedStateFromError = () => ({ failed: true });
  componentDidCatch(error) {
    this.props.tell({ error: failure(error) });
  }
  render() {
    return this.state.failed ? null : this.props.children;
  }
}

export async function openReact(url, tellAll) {
  const client = new ConvexReactClient(url, { unsavedChangesWarning: false });
  const element = document.body.appendChild(document.createElement("div"));
  const root = createRoot(element, { onCaughtError: () => {} });
  const parts = new Map();
  const watches = new Map();
  const slots = new Map();
  let source = tokenSource([]);
  let auth = { isLoading: false, isAuthenticated: false, fetchAccessToken: source.fetch };

  // The first thing that a page tells is that nobody is logged in; until then it is not ready.
  let tell;
  const ready = new Promise((resolve) => {
    tell = (event) => {
      resolve();
      tellAll(event);
    };
  });
  const render = () => {
    const held = auth;
    const useAuth = () => held;
    const children = [h(AuthState, { key: "auth", tell }), ...parts.values()];
    root.render(h(ConvexProviderWithAuth, { client, useAuth }, children));
  };
  let shown = 0;
  const show = (sub, element) => {
    const guarded = { key: `${sub} ${++shown}`, tell: (event) => tell({ sub, ...event }) };
    parts.set(sub, h(Boundary, guarded, element));
    render();
  };
  const now = () =>
    Object.fromEntries(
      [...watches].map(([sub, watch]) => [sub, toJson(watch.localQueryResult())]),
    );
  // A slot for the function that a hook gives out once its component has been rendered.
  const slotOf = (name, elementOf) => {
    if (!slots.has(name)) {
      const slot = {};
      slot.filled = new Promise((filled) => {
        slot.offer = (given) => filled((slot.given = given));
      });
      slots.set(name, slot);
      elementOf(slot.offer);
    }
    return slots.get(name);
  };
  const hooked = async (kind, path) => {
    const name = `${kind} ${getFunctionName(path)}`;
    const slot = slotOf(name, (offer) => {
      parts.set(name, h(Caller, { key: name, kind, path, offer }));
      render();
    });
    await slot.filled;
    return slot.given;
  };
  render();
  await ready;

  return {
    query: (path, args) => client.query(path, args),
    mutation: async (path, args) => (await hooked("mutation", path))(args),
    action: async (path, args) => (await hooked("action", path))(args),
    seen: now,
    subscribe(sub, path, args, beside) {
      watches.set(sub, client.watchQuery(path, args));
      const told = (event) => tell({ sub, ...event, beside: beside ? now() : undefined });
      show(sub, h(Watch, { path, args, tell: told }));
    },
    // A component that threw is rendered anew, as a page's "try again" does.
    retry(sub) {
      show(sub, parts.get(sub).props.children);
    },
    paginate(sub, path, args, items) {
      const told = (event) => tell({ sub, ...event });
      slotOf(sub, (offer) => show(sub, h(Pages, { path, args, items, tell: told, offer })));
    },
    loadMore: (sub, items) => slots.get(sub).given(items),
    unsubscribe(sub) {
      watches.delete(sub);
      parts.delete(sub);
      render();
    },
    authenticate(tokens) {
      source = tokenSource(tokens);
      auth = { isLoading: false, isAuthenticated: true, fetchAccessToken: source.fetch };
      render();
    },
    administer: (key) => client.setAdminAuth(key),
    logOut() {
      auth = { ...auth, isAuthenticated: false };
      render();
    },
    state: () => ({ asked: source.asked, connection: client.connectionState() }),
    async close() {
      root.unmount();
      element.remove();
      await client.close();
    },
  };
}
