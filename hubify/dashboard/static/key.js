// The credential: pasted by the reader, kept for this tab, shown to nobody.
//
// Invariant: the key is in sessionStorage and on the wire, never in the page, an address or a log.

const NAME = "hubify.key";
const SHOWN = 12; // characters, as the server itself shows keys in lists

export const keptKey = () => sessionStorage.getItem(NAME);

/** Wire the button and the dialog; gives a function that shows how the key stands. */
export function wireKey(client) {
  const find = (id) => document.getElementById(id);
  const [button, dialog, form, field] = ["key-button", "key-dialog", "key-form", "key-field"].map(find);
  const [trouble, forget] = ["key-trouble", "key-forget"].map(find);

  function use(key) {
    if (key) sessionStorage.setItem(NAME, key);
    else sessionStorage.removeItem(NAME);
    client.authenticate(key);
    field.value = "";
    dialog.close();
  }

  button.onclick = () => {
    trouble.hidden = true;
    forget.hidden = client.keyState === "none" || client.keyState === "refused";
    dialog.showModal();
  };
  find("key-cancel").onclick = () => dialog.close();
  dialog.onclose = () => { field.value = ""; };
  forget.onclick = () => use(null);
  form.onsubmit = (event) => {
    event.preventDefault();
    const key = field.value.trim();
    if (key) use(key);
    else say(trouble, "Paste a key first. “hubify keys create” makes one.");
  };

  return () => {
    if (client.keyState === "refused") sessionStorage.removeItem(NAME);
    button.textContent = labelOf(client.keyState);
    button.classList.toggle("refused", client.keyState === "refused");
  };
}

function labelOf(state) {
  if (state === "checking") return "Checking the key";
  if (state === "refused") return "Key refused";
  const key = keptKey();
  return state === "accepted" && key ? `Key ${key.slice(0, SHOWN)}…` : "Use a key";
}

function say(element, text) {
  element.textContent = text;
  element.hidden = false;
}
