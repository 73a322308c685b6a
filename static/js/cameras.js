/**
 * The cameras' pages: the latest frame shows itself as it comes, on one camera's page by
 * server-sent events, in the grid by asking every few seconds.
 */

import { listen, setTime } from "./site.js";

const GRID_EACH_MS = 5000;

/** Set the text of the element with this attribute below `root`. */
function put(root, attribute, text) {
  const element = root.querySelector(`[${attribute}]`);
  if (element && element.textContent.trim() !== text) element.textContent = text;
}

/** The address of a frame as a card shows it. */
const small = (frame) => frame.thumbnails?.["640"] ?? frame.url;

/** Show a picture once it is loaded, so that nothing flickers; newer ones replace waiting ones. */
function showPicture(image, frame) {
  if (!image || image.dataset.frame === String(frame.id)) return;
  image.dataset.frame = frame.id;
  const next = new Image();
  next.onload = () => {
    if (image.dataset.frame !== String(frame.id)) return;
    image.src = next.src;
    image.width = frame.width;
    image.height = frame.height;
    image.hidden = false;
    image.classList.remove("failed");
  };
  next.src = image.closest(".card") ? small(frame) : frame.url;
}

/** Put "3 s ago" into the element with this attribute, which may hold words so far. */
function putAgo(root, attribute, moment) {
  const place = root.querySelector(`[${attribute}]`);
  if (!place || !moment) return;
  let time = place.querySelector("time");
  if (!time) {
    time = document.createElement("time");
    time.dataset.ago = "";
    place.replaceChildren(time);
  }
  setTime(time, moment);
}

function showBadge(root, state, kind) {
  const badge = root.querySelector("[data-badge] .badge");
  if (!badge) return;
  badge.className = `badge ${kind}`.trim();
  badge.textContent = state;
}

/** What is wrong and when it is tried next; nothing while all is well. */
function showTrouble(root, camera) {
  const trouble = root.querySelector("[data-trouble]");
  if (!trouble) return;
  trouble.hidden = !camera.error;
  put(trouble, "data-error", camera.error ?? "");
  put(trouble, "data-hint", camera.hint ? `(${camera.hint})` : "");
  const next = trouble.querySelector("[data-next]");
  if (!next) return;
  next.hidden = !camera.next_at;
  if (camera.next_at) {
    const time = document.createElement("time");
    time.dataset.ago = "";
    next.replaceChildren("Next try ", time);
    setTime(time, camera.next_at);
  }
}

function showCamera(root, camera) {
  showBadge(root, camera.state, camera.badge);
  showTrouble(root, camera);
  if (camera.latest) {
    showPicture(root.querySelector("[data-picture]"), camera.latest);
    putAgo(root, "data-taken", camera.latest.taken_at);
  }
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function addRow(root, frame) {
  const body = root.querySelector("[data-recent]");
  const row = document.querySelector("#frame-row")?.content.cloneNode(true).firstElementChild;
  if (!body || !row || body.querySelector(`a[href="${frame.url}"]`)) return;
  const [width, bytes] = row.querySelectorAll("td");
  setTime(row.querySelector("time"), frame.taken_at);
  width.textContent = `${frame.width} × ${frame.height}`;
  bytes.textContent = size(frame.bytes);
  row.querySelector("a").href = frame.url;
  body.prepend(row);
  while (body.rows.length > Number(body.dataset.most)) body.rows[body.rows.length - 1].remove();
}

function watchOne(root) {
  let latest = "";
  const onCamera = (camera) => {
    latest = camera.latest?.taken_at ?? latest;
    showCamera(root, camera);
    put(root, "data-frames", String(camera.frames));
    const refused = camera.refusals.map((refusal) => `${refusal.count} × ${refusal.meaning}`);
    put(root, "data-refused", refused.join(", ") || "none");
    putAgo(root, "data-failed", camera.failed_at);
  };
  const onFrame = (frame) => {
    addRow(root, frame);
    const count = root.querySelector("[data-frames]");
    if (count) count.textContent = Number(count.textContent) + 1; // a scene's page has none
    showBadge(root, "connected", "ok");
    showTrouble(root, { error: null });
    if (new Date(frame.taken_at) < new Date(latest || 0)) return; // came late, is not the latest
    latest = frame.taken_at;
    showPicture(root.querySelector("[data-picture]"), frame);
    putAgo(root, "data-taken", frame.taken_at);
  };
  listen(`/cameras/${root.dataset.live}/events`, {
    camera: onCamera,
    frame: onFrame,
    gone: () => location.assign("/cameras"),
  });
}

async function refreshGrid(grid) {
  if (document.hidden) return;
  const answer = await fetch("/api/v1/cameras", { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const { items } = await answer.json();
  const cards = new Map([...grid.children].map((card) => [card.dataset.camera, card]));
  for (const camera of items) {
    const card = cards.get(camera.name);
    if (!card || (camera.latest && !card.querySelector("[data-picture]"))) {
      if (document.querySelector("details[open]")) continue; // somebody is filling in the form
      location.reload(); // a new camera, or its first frame
      return;
    }
    showCamera(card, camera);
    cards.delete(camera.name);
  }
  cards.forEach((card) => card.remove());
}

const one = document.querySelector("[data-live]");
const grid = document.querySelector("#cameras");
if (one) watchOne(one);
if (grid) {
  setInterval(() => {
    refreshGrid(grid).catch(() => {}); // the site is away; the next round asks again
  }, GRID_EACH_MS);
}
