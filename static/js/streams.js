/**
 * The front page: plays a stream that hardly anybody watches, brings the next, surfs, and keeps
 * filter, layout and history in this browser. Without it the page is the same with links.
 */

import { forgetHistory, history, keep, keyOf, recall, record, see, seen } from "./streams_memory.js";
import { some, Upcoming } from "./streams_next.js";
import { mayStart } from "./streams_play.js";
import { card, describe, languageName, titleOf, watching } from "./streams_show.js";
import { pageOf, share, Stage } from "./streams_stage.js";
import { surfing } from "./streams_surf.js";

const find = (selector, root = document) => root.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const stage = find("[data-stage]");
const filter = stage?.dataset.filter ?? "";
const LAYOUTS = ["columns", "wide", "minimal"];
const SWIPE_PX = 60;

for (const element of all("[data-js]")) element.hidden = false;

// -- dialogs ---------------------------------------------------------------------------------

let offered = false;

/** Names for the filter's fields, from the statistics; asked for when the dialog opens first. */
async function offerNames() {
  if (offered) return;
  offered = true;
  for (const [path, id] of [
    ["/stats/games", "categories"],
    ["/stats/tags", "tag-names"],
  ]) {
    const answer = await fetch(path).catch(() => null);
    const names = answer?.ok ? await answer.json() : [];
    const options = names.slice(0, 300).map(({ name }) => Object.assign(new Option(), { value: name }));
    document.getElementById(id).replaceChildren(...options);
  }
}

function open(name) {
  const dialog = document.getElementById(name);
  if (!dialog || find("dialog[open]")) return;
  if (name === "filter") offerNames();
  if (name === "history") listHistory();
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-open]");
  const closer = event.target.closest?.("[data-close]");
  if (opener) {
    event.preventDefault();
    open(opener.dataset.open);
  } else if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
  } else if (event.target instanceof HTMLDialogElement && event.target.classList.contains("sheet")) {
    event.target.close(); // beside it, on the backdrop
  }
});
if (location.hash === "#filter") open("filter");

// -- filter ----------------------------------------------------------------------------------

const form = find("[data-filter-form]");
const remember = find("[data-remember]");

/** What a form asks for, as short as it can be. */
function asked(data) {
  const given = new Map();
  for (const [name, value] of data) {
    const text = value.trim();
    if (text) given.set(name, given.has(name) ? `${given.get(name)},${text}` : text);
  }
  if (given.get("search_operator") !== "any" || !given.has("include")) given.delete("search_operator");
  return new URLSearchParams([...given]).toString();
}

remember.checked = Boolean(recall("filter"));
for (const note of all("[data-remembered]")) note.hidden = recall("filter") !== filter;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = asked(new FormData(form));
  keep("filter", remember.checked && wanted ? wanted : null);
  form.closest("dialog").close();
  location.assign(wanted ? `/?${wanted}` : "/");
});

find("[role=search]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = asked(new FormData(event.target));
  if (!wanted) keep("filter", null);
  location.assign(wanted ? `/?${wanted}` : "/");
});

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-clear]")) keep("filter", null);
  const looser = event.target.closest?.("[data-loosen]");
  if (looser && recall("filter")) keep("filter", new URL(looser.href).search.slice(1) || null);
});

find("[data-share]")?.addEventListener("click", (event) => {
  event.preventDefault();
  share(event.target, event.target.href);
});

// -- layout ----------------------------------------------------------------------------------

const layoutChoice = find("[data-layout-choice]");

function setLayout(name) {
  document.documentElement.dataset.layout = name;
  if (layoutChoice) layoutChoice.value = name;
  keep("layout", name);
}

if (layoutChoice) {
  layoutChoice.value = document.documentElement.dataset.layout ?? "columns";
  layoutChoice.addEventListener("change", () => setLayout(layoutChoice.value));
}

// -- history ---------------------------------------------------------------------------------

const addressOf = (key) => `/?${filter}${filter ? "&" : ""}watch=${encodeURIComponent(key)}`;

function listHistory() {
  const entries = history().map(({ key, title, name, category, at }) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const words = document.createElement("bdi");
    words.dir = "auto";
    words.textContent = title || key;
    link.href = pageOf(key, filter);
    link.dataset.watch = key;
    link.append(words);
    const about = document.createElement("p");
    about.className = "small muted clip";
    const time = document.createElement("time");
    time.dateTime = at;
    time.dataset.ago = "";
    const who = document.createElement("bdi");
    who.dir = "auto";
    who.textContent = [name, category].filter(Boolean).join(" · ");
    about.append(who, " ", time);
    item.append(link, about);
    return item;
  });
  find("[data-history]").replaceChildren(...entries);
  find("[data-forget]").hidden = !entries.length;
  if (!entries.length) find("[data-history]").append("Nothing yet.");
}

find("[data-forget]").addEventListener("click", () => {
  forgetHistory();
  if (current) see(keyOf(current));
  listHistory();
});

// -- the stream that is on -------------------------------------------------------------------

let current = null;
let player = null;
let upcoming = null;
let surf = null;
let shown = 0;
const box = find("[data-player]");
const about = find("[data-about]");
const nextButton = find("[data-next]");
const backButton = find("[data-back]");

function announce(text) {
  find("[data-announce]").textContent = text;
}

/** Put a stream on; `how` says what becomes of the browser's history: push, replace or keep. */
function put(stream, how) {
  current = stream;
  describe(about, stream, pageOf(keyOf(stream), filter));
  if (how !== "keep") {
    const position = how === "push" ? ++shown : shown;
    const address = how === "push" ? addressOf(keyOf(stream)) : location.href;
    window.history[`${how}State`]({ stream, position }, "", address);
  }
  backButton.hidden = shown === 0;
  see(keyOf(stream));
  record(stream);
  player.put(stream);
  surf?.again();
  upcoming.prepare(stream);
}

function tellOf(stream) {
  document.title = `${titleOf(stream)} · Vigil`;
  const parts = [titleOf(stream)];
  if (stream.user_name) parts.push(`by ${stream.user_name}`);
  if (stream.game_name) parts.push(`in ${stream.game_name}`);
  if (stream.language) parts.push(languageName(stream.language));
  announce(`Now on: ${[...parts, watching(stream.viewer_count)].join(", ")}`);
}

let taking = false;

async function next(how = "push") {
  if (taking) return;
  taking = true;
  nextButton.setAttribute("aria-busy", "true");
  try {
    const stream = await upcoming.take(current);
    if (stream) {
      put(stream, how);
      tellOf(stream);
    } else {
      player.problem("No other stream matches. Loosen the filter to see more.");
    }
  } catch (error) {
    player.problem(`Could not get another one: ${error.message}. Try again in a moment.`);
  } finally {
    taking = false;
    nextButton.removeAttribute("aria-busy");
  }
}

/** Put on the stream with that key, if it is still live; else go `elsewhere`, where that is given. */
async function watch(key, elsewhere = null) {
  find("dialog[open]")?.close();
  const answer = await fetch(`/stream/${encodeURIComponent(key)}`).catch(() => null);
  if (answer?.status === 410 && elsewhere) return location.assign(elsewhere);
  if (!answer?.ok) {
    player.problem(answer?.status === 410 ? "That stream is over." : "The site does not answer just now.");
    stage.scrollIntoView({ block: "nearest" });
    return;
  }
  const stream = await answer.json();
  put(stream, "push");
  tellOf(stream);
  stage.scrollIntoView({ block: "start", behavior: mayStart() ? "smooth" : "auto" });
  find("#top-title").focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-watch]");
  const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!link || !stage || !plain || event.button !== 0) return;
  event.preventDefault();
  // What was seen before and is over has a page that says so.
  watch(link.dataset.watch, link.closest("[data-history]") && link.href);
});

// -- more of them ----------------------------------------------------------------------------

const more = find("[data-more]");

more?.addEventListener("click", async (event) => {
  event.preventDefault();
  if (more.getAttribute("aria-busy")) return;
  more.setAttribute("aria-busy", "true");
  const known = [keyOf(current), ...all("[data-grid] [data-key]").map((item) => item.dataset.key)];
  try {
    const found = await some(filter, known, 24);
    const template = find("[data-card]");
    const cards = found
      .filter((stream) => !known.includes(keyOf(stream)))
      .map((stream) => card(template, stream, pageOf(keyOf(stream), filter)));
    find("[data-grid]").append(...cards);
    cards[0]?.querySelector("a").focus();
    announce(`${cards.length} more streams`);
    if (!cards.length) more.replaceWith("That is all there is to see.");
  } catch (error) {
    player.problem(`Could not get more: ${error.message}.`);
  } finally {
    more.removeAttribute("aria-busy");
  }
});

// -- keys and fingers ------------------------------------------------------------------------

const keysWork = find("[data-keys]");
keysWork.checked = recall("keys", true);
keysWork.addEventListener("change", () => keep("keys", keysWork.checked));

const KEYS = {
  n: () => stage && next(),
  b: () => shown > 0 && window.history.back(),
  s: () => find("[data-surf]")?.click(),
  f: () => open("filter"),
  h: () => open("history"),
  "/": () => find("[role=search] [type=search]").focus(),
  l: () => layoutChoice && setLayout(LAYOUTS[(LAYOUTS.indexOf(layoutChoice.value) + 1) % 3]),
  m: () => player?.sound(),
  g: () => find("[data-grid] a")?.focus(),
  "?": () => open("keys"),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing) return;
  if (!keysWork.checked || find("dialog[open]") || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  if (!event.repeat) KEYS[event.key]();
});

let touch = null;

stage?.addEventListener("touchstart", (event) => {
  const one = event.touches.length === 1 && !event.target.closest("select, input");
  touch = one ? { x: event.touches[0].clientX, y: event.touches[0].clientY } : null;
}, { passive: true });

stage?.addEventListener("touchend", (event) => {
  if (!touch) return;
  const { clientX, clientY } = event.changedTouches[0];
  const [right, down] = [clientX - touch.x, clientY - touch.y];
  touch = null;
  if (Math.abs(right) < SWIPE_PX || Math.abs(right) < 2 * Math.abs(down)) return;
  if (right < 0) next();
  else if (shown > 0) window.history.back();
}, { passive: true });

// -- the beginning ---------------------------------------------------------------------------

function begin() {
  upcoming = new Upcoming(filter);
  player = new Stage(stage);
  current = JSON.parse(stage.dataset.stream);
  const seconds = find("[data-surf-seconds]");
  const surfButton = find("[data-surf]");
  const line = find("[data-surf-line]");
  if ([...seconds.options].some(({ value }) => value === String(recall("surf")))) {
    seconds.value = recall("surf");
  }
  surf = surfing({
    seconds: () => Number(seconds.value),
    paused: () =>
      document.hidden ||
      Boolean(find("dialog[open]")) ||
      [box, about].some((part) => part.contains(document.activeElement)) ||
      (matchMedia("(hover: hover)").matches && [box, about].some((part) => part.matches(":hover"))),
    next,
    tell({ on, paused, left, of }) {
      surfButton.setAttribute("aria-pressed", String(on));
      surfButton.textContent = on ? "Stop" : "Surf";
      line.hidden = !on;
      line.value = on ? 1 - left / of : 0;
      find("[data-surf-state]").textContent = !on ? "" : paused ? "waiting while you look" : `next in ${Math.ceil(left)} s`;
    },
  });
  surfButton.addEventListener("click", () => surf.toggle());
  seconds.addEventListener("change", () => {
    keep("surf", Number(seconds.value));
    surf.again();
  });
  nextButton.addEventListener("click", (event) => {
    event.preventDefault();
    next();
  });
  backButton.addEventListener("click", () => window.history.back());
  find("[data-share-stream]").addEventListener("click", (event) =>
    share(event.target, new URL(pageOf(keyOf(current)), location.href).href),
  );
  window.addEventListener("popstate", (event) => {
    if (!event.state?.stream) return;
    shown = event.state.position;
    put(event.state.stream, "keep");
    tellOf(event.state.stream);
  });
  window.addEventListener("pageshow", (event) => event.persisted && put(current, "keep"));

  const arrived = window.history.state;
  const named = new URLSearchParams(location.search).has("watch");
  if (arrived?.stream && named) shown = arrived.position;
  if (!named && seen().includes(keyOf(current))) arrive();
  else put(current, "replace");
}

/** Who comes back gets something new; where all was seen, at least not the same as last. */
async function arrive() {
  const same = history()[0]?.key === keyOf(current);
  const other = await upcoming.take(current).catch(() => null);
  if (!other || (!same && upcoming.again)) return put(current, "replace");
  // The grid below shows all but the one on top.
  const known = all("[data-grid] [data-key]").find(({ dataset }) => dataset.key === keyOf(other));
  known?.replaceWith(card(find("[data-card]"), current, pageOf(keyOf(current), filter)));
  return put(other, "replace");
}

if (stage) begin();
