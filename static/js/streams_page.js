/** The page of a stream: plays it, and remembers in this browser that it was seen. */

import { keyOf, recall, record, see } from "./streams_memory.js";
import { pageOf, share, Stage } from "./streams_stage.js";

const root = document.querySelector("[data-stage]");
const stream = JSON.parse(root.dataset.stream);
const stage = new Stage(root);
const another = document.querySelector("[data-next]");

for (const element of document.querySelectorAll("[data-js]")) element.hidden = false;
document.querySelector("[data-share-stream]").addEventListener("click", (event) =>
  share(event.target, new URL(pageOf(keyOf(stream)), location.href).href),
);

const KEYS = { n: () => another.click(), m: () => stage.sound() };

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing) return;
  if (event.repeat || !recall("keys", true) || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
});

window.addEventListener("pageshow", (event) => event.persisted && stage.put(stream));
see(keyOf(stream));
record(stream);
stage.put(stream);
