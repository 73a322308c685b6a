/**
 * What every page does: times in the viewer's zone, questions before what cannot be undone, and
 * a line of server-sent events that mends itself.
 *
 *   import { listen } from "./site.js";
 *   listen("/cameras/garden/events", { frame: (frame) => …, reopened: () => … });
 */

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "always", style: "short" });
const STEPS = [
  ["second", 1, 90],
  ["minute", 60, 90 * 60],
  ["hour", 3600, 36 * 3600],
  ["day", 86400, Infinity],
];

/** "12 sec. ago" or "in 3 min." in the viewer's language; `moment` is a Date or an ISO string. */
export function ago(moment) {
  const seconds = (new Date(moment) - Date.now()) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  const [unit, length] = STEPS.find(([, , most]) => Math.abs(seconds) < most);
  return relative.format(Math.trunc(seconds / length), unit);
}

function showTime(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const text = element.hasAttribute("data-ago") ? ago(moment) : absolute.format(moment);
  if (element.textContent !== text) element.textContent = text;
  element.title = `${absolute.format(moment)} (${moment.toISOString()})`;
}

/** Show every <time> below `root` in the viewer's zone; new ones are found by themselves. */
export function localise(root = document) {
  if (root instanceof HTMLTimeElement) showTime(root);
  root.querySelectorAll?.("time[datetime]").forEach(showTime);
}

/** Set a <time> element to another moment, or say "never". */
export function setTime(element, moment) {
  if (element) element.dateTime = moment ?? "";
  if (element && !moment) element.textContent = "never";
}

/** Set what the macro `progress` made: `done` of `total` (null: unknown) `unit`. */
export function setProgress(element, done, total, unit) {
  const bar = element?.querySelector("progress");
  if (!bar) return;
  if (total) {
    bar.max = total;
    bar.value = Math.min(done, total);
  } else {
    bar.removeAttribute("value");
  }
  const text = total ? `${done} of ${total} ${unit}` : `${done} ${unit}`;
  element.querySelector("[data-progress-text]").textContent = text;
}

const cut = new Set();

function showConnection() {
  const notice = document.querySelector(".connection");
  if (notice) notice.hidden = cut.size === 0;
}

/**
 * Listen to server-sent events. Opens the line again for ever, also where EventSource itself
 * gives up (an HTTP error while the site restarts), and lets go of it while nobody looks: a
 * browser allows only six lines to one site.
 *
 * @param {string} url
 * @param {Object<string, function(any): void>} handlers event name → function of the JSON value;
 *   `reopened` is called when the line was cut and is back: look again, something may be missed.
 * @returns {{close: function(): void}}
 */
export function listen(url, handlers) {
  const me = {};
  let source = null;
  let timer = null;
  let opened = false;
  let closed = false;
  let failures = 0;

  const drop = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const open = () => {
    if (closed || source || document.hidden) return;
    source = new EventSource(url);
    source.onopen = () => {
      failures = 0;
      cut.delete(me);
      showConnection();
      if (opened) handlers.reopened?.();
      opened = true;
    };
    source.onerror = () => {
      if (++failures > 1 || source?.readyState === EventSource.CLOSED) cut.add(me);
      showConnection();
      if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
      drop();
      timer = setTimeout(open, Math.min(15000, 500 * 2 ** failures) * (0.5 + Math.random() / 2));
    };
    for (const [name, handler] of Object.entries(handlers)) {
      if (name !== "reopened") source.addEventListener(name, (e) => handler(JSON.parse(e.data)));
    }
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? drop() : open()));
  window.addEventListener("pagehide", drop);
  window.addEventListener("pageshow", open);
  open();
  return {
    close() {
      closed = true;
      drop();
      cut.delete(me);
      showConnection();
    },
  };
}

/** Ask before a form with data-confirm is sent; the text is the question. */
function confirmFirst(event) {
  const form = event.target;
  const question = form.dataset?.confirm;
  const dialog = document.querySelector("dialog.confirm");
  if (!question || !dialog || form.dataset.confirmed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  dialog.querySelector("#confirm-text").textContent = question;
  dialog.querySelector("[value=yes]").textContent = event.submitter?.textContent.trim() || "Yes";
  dialog.returnValue = "";
  dialog.addEventListener(
    "close",
    () => {
      if (dialog.returnValue !== "yes") return;
      form.dataset.confirmed = "yes";
      form.requestSubmit(event.submitter);
      delete form.dataset.confirmed;
    },
    { once: true },
  );
  dialog.showModal();
}

/** A picture that cannot be loaded makes room for what stands behind it. */
function pictureFailed(event) {
  if (event.target instanceof HTMLImageElement) event.target.classList.add("failed");
}

function pictureCame(event) {
  if (event.target instanceof HTMLImageElement) event.target.classList.remove("failed");
}

/** <button data-copy="#id"> copies the text of an element. */
async function copy(event) {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const text = document.querySelector(button.dataset.copy)?.textContent.trim() ?? "";
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(document.querySelector(button.dataset.copy));
  }
}

document.addEventListener("submit", confirmFirst, true);
document.addEventListener("error", pictureFailed, true);
document.addEventListener("load", pictureCame, true);
for (const image of document.images) {
  if (image.complete && image.naturalWidth === 0 && image.src) image.classList.add("failed");
}
document.addEventListener("click", copy);
localise();
new MutationObserver((changes) => {
  for (const change of changes) {
    if (change.type === "attributes") showTime(change.target);
    else change.addedNodes.forEach((node) => localise(node));
  }
}).observe(document.body, { childList: true, subtree: true, attributeFilter: ["datetime"] });
setInterval(() => {
  if (!document.hidden) document.querySelectorAll("time[data-ago]").forEach(showTime);
}, 1000);
