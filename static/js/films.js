/** A film's page: plays it while it grows, shows how far it is and what moment is on the screen. */

import { Player } from "./films_player.js";
import { Slider } from "./films_slider.js";
import { Thumbs } from "./films_thumbs.js";
import { FilmTime, inWords as momentInWords } from "./films_time.js";
import { listen, setProgress, setTime } from "./site.js";

const LOOK_MS = 3000; // a film that grows quickly is looked at no more often

const root = document.querySelector("[data-film]");
const id = root.dataset.film;
const api = `/api/v1/films/${id}`;
const video = root.querySelector("[data-video]");
const part = (name) => root.querySelector(`[data-${name}]`);

const player = new Player(video, `${api}/playlist.m3u8`);
const time = new FilmTime(api);
const thumbs = new Thumbs(`${api}/thumbnails.vtt`);
/** Film time of the player's 0: the beginning of a film may have left it. */
let base = null;
const now = () => video.currentTime + (base ?? 0);

/** Seek to the picture at a time of the film: a little behind its beginning. */
function seek(seconds) {
  const wanted = seconds - (base ?? 0) + (time.line?.picture_s ?? 0) / 4;
  video.currentTime = Math.max(0, Math.min(wanted, video.duration || Infinity));
}

const slider = new Slider(part("line"), time, thumbs, { seek, now });

/** Also what may yet change: the piece that the film is growing by. */
async function showTail() {
  time.tail = "tail=1";
  player.source = `${api}/playlist.m3u8?tail=1`;
  thumbs.url = `${api}/thumbnails.vtt?tail=1`;
  const before = time.line?.duration_s ?? 0;
  await look(true);
  player.again(Math.max(0, before - (base ?? 0)));
}

let looking = false;
let missed = false;

/** Learn what the film shows now, at most every few seconds. */
async function look(now = false) {
  if (looking && !now) {
    missed = true;
    return;
  }
  looking = true;
  const began = performance.now();
  try {
    if (await time.load()) {
      base ??= time.begin;
      await thumbs.load();
      slider.refresh();
      showMoment();
      showMore();
    }
  } finally {
    setTimeout(() => {
      looking = false;
      if (missed) {
        missed = false;
        look();
      }
    }, Math.max(LOOK_MS, 10 * (performance.now() - began)));
  }
}

function showMoment() {
  part("shown").hidden = !time.line;
  if (!time.line) return;
  const moment = time.momentAt(now());
  if (time.real) setTime(part("moment"), new Date(moment / 1000).toISOString());
  else part("moment").textContent = momentInWords(moment, false);
  slider.follow();
}

/** What is on the screen, exactly, once it is known. */
async function showExactly() {
  showMoment();
  if (time.line && (await time.learn(now()))) showMoment();
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
let seen = null;

/** Show a film as the server sends it. */
function show(film) {
  if (seen && JSON.stringify(seen.actions) !== JSON.stringify(film.actions)) refreshActions();
  const badge = part("badge").querySelector(".badge");
  badge.textContent = film.state;
  badge.className = `badge ${COLOURS[film.state] ?? ""}`;
  part("trouble").hidden = !film.error;
  part("error").textContent = film.error ?? "";
  part("again").hidden = !film.next_at;
  setTime(part("again").querySelector("time"), film.next_at);
  showWork(film);
  showTroubles(film);
  part("length").textContent = inWords(film.duration_s);
  part("frames").textContent = film.frames.toLocaleString("en");
  part("segments").textContent = film.segments.done.toLocaleString("en");
  moment(part("last"), film.last_at, "never");
  if (part("next")) moment(part("next"), film.state === "growing" ? film.next_at : null, "–");
  showFile(film);
  part("nothing").hidden = Boolean(film.playlist);
  part("cannot").hidden = player.can(film.codec);
  if (film.playlist) {
    const grown = seen?.segments.done !== film.segments.done || seen?.state !== film.state;
    player.attach();
    if (grown) {
      if (seen) player.more();
      look();
    }
  }
  seen = film;
  showMore();
}

/** More is rendered than is shown: the piece that it is growing by. */
function showMore() {
  const grows = seen && (!seen.to || new Date(seen.to) > new Date());
  const going = grows && ["growing", "rendering", "waiting"].includes(seen.state);
  part("more").hidden = !going || !time.line || seen.segments.done <= time.line.segments;
}

/** How far it is, how quickly it goes, and who is at it. */
function showWork(film) {
  const working = film.state === "waiting" || film.state === "rendering";
  part("work").hidden = !working;
  if (!working) return;
  const { done, planned } = film.segments;
  setProgress(part("progress"), done, planned || null, "segments");
  const { work } = film;
  const said = [film.job?.waiting_for ?? film.job?.message, work?.error];
  if (film.planned_frames) said.push(`${film.frames} of ${film.planned_frames} frames`);
  if (work?.frames_per_s) said.push(`${work.frames_per_s} frames a second`);
  if (work?.left_s != null) said.push(`${inWords(work.left_s)} left`);
  if (work?.renderers.length) {
    const names = work.renderers.map(({ host, jobs }) => (jobs > 1 ? `${host} (${jobs} at once)` : host));
    said.push(`rendered by ${names.join(", ")}`);
  }
  part("message").textContent = said.filter(Boolean).join(" · ");
}

/** What could not be rendered, or lacks frames. */
function showTroubles(film) {
  const list = part("troubles");
  list.hidden = !film.troubles?.length;
  const lines = (film.troubles ?? []).map((one) => {
    const line = document.createElement("li");
    const from = document.createElement("time");
    const words = one.error ?? `${one.lost} frame${one.lost === 1 ? "" : "s"} could not be read; a neighbour stands in`;
    if (one.first_at) line.append(from, ": ");
    line.append(words);
    setTime(from, one.first_at);
    if (one.again_at) {
      const again = document.createElement("time");
      again.dataset.ago = "";
      line.append("; tried again ", again);
      setTime(again, one.again_at);
    }
    return line;
  });
  list.querySelector("ul").replaceChildren(...lines);
}

/** The whole film as one file: there, on its way, or older than the film. */
function showFile(film) {
  const { file } = film;
  part("download").hidden = !file?.url;
  if (file?.url) {
    part("download").href = `${file.url}?download=1`;
    part("size").textContent = inBytes(file.bytes);
  }
  part("old").hidden = !file?.url || file.current;
  const job = file?.job;
  part("joining").hidden = !job;
  if (!job) return;
  const share = job.total ? ` ${Math.floor((100 * job.done) / job.total)}%` : "";
  const words = job.state === "failed" ? "The file could not be made" : `Making one file…${share}`;
  part("joining").textContent = [words, job.error, job.waiting_for].filter(Boolean).join(" · ");
}

/** Put a relative time, or words, into an element. */
function moment(element, value, otherwise) {
  if (!value) {
    element.textContent = otherwise;
    return;
  }
  let shown = element.querySelector("time");
  if (!shown) {
    shown = document.createElement("time");
    shown.dataset.ago = "";
    element.replaceChildren(shown);
  }
  setTime(shown, value);
}

/** Which buttons can be pressed is the server's to say: take them from a fresh page. */
async function refreshActions() {
  if (!part("actions")) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const actions = fresh.querySelector("[data-actions]");
  if (actions) part("actions").replaceChildren(...actions.children);
}

async function reload() {
  const answer = await fetch(api);
  if (answer.ok) show(await answer.json());
  if (answer.status === 404) gone();
}

function gone() {
  part("badge").querySelector(".badge").textContent = "deleted";
  line.close();
}

part("more").querySelector("button").addEventListener("click", showTail);
for (const name of ["timeupdate", "seeked", "pause"]) video.addEventListener(name, showExactly);
video.requestVideoFrameCallback?.(function follow() {
  showMoment();
  video.requestVideoFrameCallback(follow);
});
const line = listen(`/films/${id}/events`, { film: show, gone, reopened: reload });
