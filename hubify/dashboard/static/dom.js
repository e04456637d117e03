// Building and updating the page.
//
// Invariant: what comes from outside enters as text nodes and as values of fixed attributes, never
// as markup; an update changes what differs and keeps focus, scroll and opened details.

const SVG = "http://www.w3.org/2000/svg";
const HANDLERS = ["onclick", "onchange", "onsubmit", "ontoggle"];
const KEPT = new Set(["open"]); // the reader's own: details and dialogs that they opened
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/** An element: `h("p", {class: "note"}, "text", child)`. `style` is an object; null is left out. */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for drawings. */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** Text that somebody wrote: shown as it is, and kept from turning the text around it. */
export function told(text, tag = "span", props = {}) {
  return h(tag, { ...props, class: `told ${props.class ?? ""}`.trim(), dir: "auto" }, text);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (HANDLERS.includes(name)) element[name] = value;
    else if (name === "style") setStyle(element, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

function setStyle(element, style) {
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
}

/** Let an element hold these children instead of its own, with as little change as possible. */
export function show(element, ...children) {
  const focused = document.activeElement;
  patchChildren(element, fill(element.cloneNode(false), {}, children));
  if (focused !== document.activeElement && focused?.isConnected) {
    focused.focus({ preventScroll: true });
  }
}

/** Let an old node become like a new one of the same kind. */
function patch(old, next) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data === next.data) return;
    old.data = next.data;
    flash(old.parentElement);
    return;
  }
  patchAttributes(old, next);
  for (const handler of HANDLERS) old[handler] = next[handler];
  patchChildren(old, next);
}

function patchAttributes(old, next) {
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (KEPT.has(name) || old.getAttribute(name) === value) continue;
    if (name === "style") old.style.cssText = next.style.cssText;
    else old.setAttribute(name, value);
  }
}

/** Children with a `data-key` stay themselves wherever they move; others match in order. */
function patchChildren(old, next) {
  const wanted = [...next.childNodes];
  const names = new Set(wanted.map(nameOf));
  for (const child of [...old.childNodes]) if (!names.has(nameOf(child))) child.remove();
  const spare = [...old.childNodes];
  let place = old.firstChild;
  for (const child of wanted) {
    const known = take(spare, nameOf(child));
    if (known !== undefined) patch(known, child);
    const node = known ?? child;
    if (node === place) place = place.nextSibling;
    else old.insertBefore(node, place);
  }
  for (const child of spare) child.remove();
}

function take(spare, name) {
  const place = spare.findIndex((child) => nameOf(child) === name);
  return place < 0 ? undefined : spare.splice(place, 1)[0];
}

/** What a node is matched by: its kind, and its key where it has one. */
function nameOf(node) {
  const key = node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
  return key === null ? node.nodeName : `${node.nodeName} ${key}`;
}

/** A quiet sign that a number has just changed. */
function flash(element) {
  if (CALM.matches || !element?.classList.contains("live")) return;
  element.getAnimations().forEach((animation) => animation.cancel());
  const colour = getComputedStyle(element).getPropertyValue("--flash");
  element.animate([{ backgroundColor: colour }, {}], { duration: 900, easing: "ease-out" });
}
