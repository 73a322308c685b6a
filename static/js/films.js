/** A film's page: plays it while it grows, shows how far it is and what moment is on the screen. */

import { listen, setProgress, setTime } from "./site.js";

const root = document.querySelector("[data-film]");
const id = root.dataset.film;
const api = `/api/v1/films/${id}`;
const video = root.querySelector("[data-video]");
const part = (name) => root.querySelector(`[data-${name}]`);

let player = null;
let spans = [];
let reading = false;

/** Begin to play as soon as there is something. */
function attach() {
  if (player) return;
  const source = `${api}/playlist.m3u8`;
  const Hls = window.Hls;
  if (Hls?.isSupported()) {
    // A growing film is not a live one: it is watched from its beginning.
    player = new Hls({ startPosition: 0, liveDurationInfinity: false, backBufferLength: 60 });
    player.on(Hls.Events.ERROR, (_, data) => {
      if (!data.fatal) return;
      if (data.type === Hls.ErrorTypes.MEDIA_ERROR) player.recoverMediaError();
      else setTimeout(() => player.loadSource(source), 3000);
    });
    player.loadSource(source);
    player.attachMedia(video);
  } else if (video.canPlayType("application/vnd.apple.mpegurl")) {
    player = video;
    video.src = source;
  }
}

/** Learn which real time new segments show, and let the player know that they are there. */
async function readSpans(film) {
  if (reading) return;
  reading = true;
  try {
    const all = film.segments.done <= spans.length; // late frames may have changed earlier ones
    const found = all ? [] : [...spans];
    let query = all || !found.length ? "" : `after=${found.at(-1).number}`;
    do {
      const answer = await fetch(`${api}/segments?${query}`);
      if (!answer.ok) return;
      const page = await answer.json();
      found.push(...page.items);
      query = page.next ? `cursor=${page.next}` : "";
    } while (query);
    const grown = spans.length > 0 && found.length > spans.length;
    spans = found;
    showMoment();
    // The player looks for them only now and then; the server has just said that they are here.
    if (grown && film.state !== "done" && player?.startLoad) player.startLoad(video.currentTime, true);
  } finally {
    reading = false;
  }
}

/** The real time of what is on the screen. */
function momentAt(seconds, list) {
  const at = list.length ? seconds + list[0].start_s : 0;
  const span = list.findLast((one) => one.start_s <= at + 1e-6);
  if (!span) return null;
  const first = Date.parse(span.first_at);
  const share = Math.min(1, (at - span.start_s) / Math.max(span.duration_s, 1e-6));
  return new Date(first + share * (Date.parse(span.last_at) - first));
}

function showMoment() {
  const moment = momentAt(video.currentTime, spans);
  part("shown").hidden = !moment;
  if (moment) setTime(part("moment"), moment.toISOString());
}

/** A length of time in words, as the server writes them. */
function inWords(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 90) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

function inBytes(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? size.toFixed(0) : size.toFixed(1)} ${units[unit]}`;
}

const COLOURS = { growing: "ok", done: "ok", rendering: "warn", deleting: "warn", failed: "bad" };
let state = null;

/** Show a film as the server sends it. */
function show(film) {
  if (state !== null && state !== film.state && part("actions")) {
    refreshActions();
  }
  state = film.state;
  const badge = part("badge").querySelector(".badge");
  badge.textContent = film.state;
  badge.className = `badge ${COLOURS[film.state] ?? ""}`;
  part("trouble").hidden = !film.error;
  part("error").textContent = film.error ?? "";
  part("again").hidden = !film.next_at;
  setTime(part("again").querySelector("time"), film.next_at);
  const working = film.state === "waiting" || film.state === "rendering";
  part("work").hidden = !working;
  if (working) {
    setProgress(part("progress"), film.job?.done ?? 0, film.job?.total ?? null, "segments");
    part("message").textContent = film.job?.waiting_for ?? film.job?.message ?? "";
  }
  part("length").textContent = inWords(film.duration_s);
  part("frames").textContent = film.frames;
  part("segments").textContent = film.segments.done;
  moment(part("last"), film.last_at, "never");
  moment(part("next"), film.state === "growing" ? film.next_at : null, "–");
  part("download").hidden = !film.file;
  if (film.file) part("size").textContent = inBytes(film.file.bytes);
  part("nothing").hidden = Boolean(film.playlist);
  if (film.playlist) {
    attach();
    readSpans(film);
  }
}

/** Put a relative time, or words, into an element. */
function moment(element, value, otherwise) {
  if (!value) {
    element.textContent = otherwise;
    return;
  }
  let time = element.querySelector("time");
  if (!time) {
    time = document.createElement("time");
    time.dataset.ago = "";
    element.replaceChildren(time);
  }
  setTime(time, value);
}

/** Which buttons can be pressed is the server's to say: take them from a fresh page. */
async function refreshActions() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const actions = fresh.querySelector("[data-actions]");
  if (actions) part("actions").replaceChildren(...actions.children);
}

async function look() {
  const answer = await fetch(api);
  if (answer.ok) show(await answer.json());
  if (answer.status === 404) gone();
}

function gone() {
  part("badge").querySelector(".badge").textContent = "deleted";
  line.close();
}

video.addEventListener("timeupdate", showMoment);
video.requestVideoFrameCallback?.(function follow() {
  showMoment();
  video.requestVideoFrameCallback(follow);
});
const line = listen(`/films/${id}/events`, { film: show, gone, reopened: look });
