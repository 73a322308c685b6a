/**
 * The interactive timelapse of a game: plays, steps, zooms, follows, tells of stars.
 *
 *   import { Player } from "./games_player.js";
 *   const player = await Player.open(document.querySelector("[data-game-player]"));
 *
 * The element names what is shown: data-game, the address of `GET /api/game/<id>`, is enough;
 * data-about may hold, as JSON, players' and stars' names, the last tick, when ticks were and gaps.
 * It sends "tick" events, whose detail is the tick, when it shows another one.
 */

import { Gestures } from "./games_gestures.js";
import { GameMap } from "./games_map.js";
import { colour, shapeOf, SHAPE_CORNERS } from "./games_palette.js";
import { NOBODY, Replay, UNSEEN } from "./games_replay.js";

const SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200];
const FIRST_RUN_S = 45; // as long as a game should take at the speed that is set at first
const PAN = 60; // pixels a key press
const TELL_MS = 100; // what stands beside the map is brought up to date no more often
const PREFIX = "vigil.games.";
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Player {
  /** Read the game and show it. */
  static async open(root) {
    const answer = await fetch(root.dataset.game);
    if (!answer.ok) throw new Error(`the game cannot be read: ${answer.status}`);
    return new Player(root, new Replay(await answer.json()));
  }

  constructor(root, replay) {
    this.root = root;
    this.replay = replay;
    this.about = JSON.parse(root.dataset.about || "{}");
    replay.extend(this.about.last_tick);
    this.view = this.part("view");
    this.map = new GameMap(this.part("ground"), this.part("overlay"), replay);
    const names = this.about.stars ?? {};
    this.starNames = replay.ids.map((id) => names[id] || `Star ${id}`);
    this.map.names = this.starNames;
    this.aliases = new Map(Object.entries(this.about.players ?? {}).map(([uid, alias]) => [Number(uid), alias]));
    this.players = [...new Set([...replay.players, ...this.aliases.keys()])].sort((a, b) => a - b);
    this.playing = false;
    this.leads = false; // whether the map goes where the followed player is
    this.exact = replay.tick;
    this.drawn = null; // what must be drawn at the next frame: "overlay", "all", or nothing
    this.told = -Infinity;
    this.view.hidden = false;
    for (const element of root.querySelectorAll("[data-js]")) element.hidden = false;
    this.#controls();
    this.#standings();
    this.gestures = new Gestures(this.view, this);
    this.map.resize();
    new ResizeObserver(() => this.#resized()).observe(this.view);
    this.seek(Number(root.dataset.tick ?? replay.last));
    root.player = this;
  }

  part(name) {
    return this.root.querySelector(`[data-${name}]`);
  }

  // -- time ----------------------------------------------------------------------------------

  /** Show a tick. */
  seek(tick) {
    const { first, last } = this.replay;
    this.exact = Math.min(last, Math.max(first, tick));
    const whole = Math.floor(this.exact);
    if (whole !== this.replay.tick || this.told === -Infinity) {
      this.map.drawChanged(this.replay.seek(whole));
      if (this.leads) this.#aim();
      this.#tell(!this.playing);
    }
  }

  /** Go some ticks on, or back. */
  step(ticks) {
    this.pause();
    this.seek(this.replay.tick + ticks);
  }

  /** Go where the next star changes hands. */
  jump(direction) {
    this.pause();
    const tick = this.replay.nextChange(direction);
    if (tick !== null) this.seek(tick);
  }

  play() {
    if (this.playing) return;
    if (this.replay.tick >= this.replay.last) this.seek(this.replay.first);
    this.playing = true;
    this.before = null;
    this.#showPlaying();
    this.#ask();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.#showPlaying();
    this.#tell(true);
  }

  /** Once a frame: go on, move, draw what must be drawn. */
  #frame(now) {
    this.asked = false;
    if (this.playing) {
      const passed = this.before === null ? 0 : Math.min(0.25, (now - this.before) / 1000);
      this.before = now;
      this.seek(this.exact + passed * this.speed);
      if (this.replay.tick >= this.replay.last) this.pause();
    }
    if (this.target) this.#approach();
    if (this.drawn === "all") this.map.drawAll();
    else if (this.drawn === "overlay") this.map.drawOverlay();
    this.drawn = null;
    if (this.playing || this.target) this.#ask();
  }

  #ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame((now) => this.#frame(now));
  }

  #draw(what) {
    if (this.drawn !== "all") this.drawn = what;
    this.#ask();
  }

  // -- place ---------------------------------------------------------------------------------

  zoomBy(factor, x, y) {
    this.#hold();
    this.map.zoomBy(factor, x, y);
    this.#moved();
  }

  panBy(x, y) {
    this.#hold();
    this.map.panBy(x, y);
    this.#moved();
  }

  fit() {
    this.#hold();
    this.map.look(this.map.middle, 1);
    this.#moved();
  }

  /** Whoever moves the map by hand is not moved any more. */
  #hold() {
    this.target = null;
    this.leads = false;
  }

  get zoom() {
    return this.map.zoom;
  }

  #moved() {
    this.view.classList.toggle("near", this.map.zoom > 1);
    this.#draw("all");
  }

  #resized() {
    const box = this.view.getBoundingClientRect();
    if (box.width && box.height) {
      this.map.resize();
      this.drawn = null;
    }
  }

  /** Follow a player: the others fade, and the map goes where it is; null: nobody. */
  follow(player) {
    this.map.followed = player;
    this.part("follow").value = player ?? "";
    for (const row of this.part("standings").children) {
      row.classList.toggle("followed", Number(row.dataset.player) === player);
    }
    this.leads = player !== null;
    this.target = null;
    if (this.leads) this.#aim();
    this.#draw("all");
  }

  #aim() {
    const target = this.map.around(this.map.followed);
    if (!target) return;
    this.target = target;
    this.#ask();
  }

  /** Come nearer to where the followed player is. */
  #approach() {
    const { map, target } = this;
    const share = calm.matches ? 1 : 0.12;
    const zoom = map.zoom * (target.zoom / map.zoom) ** share;
    const middle = map.middle.map((value, axis) => value + share * (target.middle[axis] - value));
    const far = Math.hypot(...middle.map((value, axis) => target.middle[axis] - value)) * map.scale;
    map.look(middle, zoom);
    if (far < 0.5 && Math.abs(Math.log(target.zoom / zoom)) < 0.002) this.target = null;
    this.#moved();
  }

  // -- stars ---------------------------------------------------------------------------------

  /** Whom one points at. */
  hover(x, y) {
    const star = x === null ? -1 : this.map.starAt(x, y);
    const tip = this.part("tip");
    tip.hidden = star < 0;
    if (star >= 0) {
      tip.textContent = `${this.starNames[star]} · ${this.nameOf(this.replay.owners[star])}`;
      const [left, top] = this.map.toPage(star);
      const wide = tip.offsetWidth / 2;
      const box = this.view.getBoundingClientRect();
      const at = Math.min(box.width - wide - 4, Math.max(wide + 4, left));
      tip.style.transform = `translate(${at - wide}px, ${top > 48 ? top - 44 : top + 16}px)`;
    }
    if (star !== this.map.hovered) {
      this.map.hovered = star;
      this.#draw("overlay");
    }
  }

  tap(x, y) {
    this.select(this.map.starAt(x, y));
  }

  /** Choose a star and tell its history; -1: none. @param {boolean} [go] bring it into the middle */
  select(star, go = false) {
    this.map.selected = star;
    if (star >= 0 && go) {
      this.#hold();
      this.map.look([this.replay.x[star], this.replay.y[star]], Math.max(3, this.map.zoom));
      this.#moved();
    }
    this.#draw("overlay");
    const card = this.part("star");
    card.hidden = star < 0;
    if (star < 0) return;
    card.querySelector("[data-star-name]").textContent = this.starNames[star];
    card.querySelector("[data-star-history]").replaceChildren(
      ...this.replay.histories[star].map(([tick, owner], number) => this.#happening(tick, owner, number)),
    );
    this.#showHolder();
  }

  /** A line of a star's history, which leads to its tick. */
  #happening(tick, owner, number) {
    const line = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet small";
    button.textContent = `Tick ${tick}`;
    button.addEventListener("click", () => this.step(tick - this.replay.tick));
    const what = number === 0 ? `first seen: ${this.nameOf(owner)}` : this.nameOf(owner);
    line.append(button, mark(owner, this.map.palette), document.createTextNode(what));
    return line;
  }

  nameOf(player) {
    if (player === UNSEEN) return "not seen yet";
    if (player === NOBODY) return "nobody";
    return this.aliases.get(player) || `Player ${player}`;
  }

  // -- what stands beside --------------------------------------------------------------------

  #controls() {
    const { replay } = this;
    const slider = this.part("slider");
    slider.min = replay.first;
    slider.max = replay.last;
    slider.addEventListener("input", () => {
      this.pause();
      this.seek(Number(slider.value));
    });
    const speed = this.part("speed");
    const wanted = (replay.last - replay.first) / FIRST_RUN_S;
    this.speed = recall("speed", null) ?? SPEEDS.find((one) => one >= wanted) ?? SPEEDS.at(-1);
    if (!SPEEDS.includes(this.speed)) this.speed = 10;
    speed.append(...SPEEDS.map((one) => new Option(`${one} ticks a second`, one)));
    speed.value = this.speed;
    speed.addEventListener("change", () => this.#setSpeed(Number(speed.value)));
    const follow = this.part("follow");
    follow.append(new Option("nobody", ""), ...this.players.map((one) => new Option(this.nameOf(one), one)));
    follow.addEventListener("change", () => this.follow(follow.value === "" ? null : Number(follow.value)));
    const palette = this.part("palette");
    palette.value = this.map.palette = recall("palette", "safe") === "bright" ? "bright" : "safe";
    palette.addEventListener("change", () => this.#setPalette(palette.value));
    const names = this.part("names");
    names.checked = this.map.showNames = recall("names", true) !== false;
    names.addEventListener("change", () => this.#setNames(names.checked));
    const find = this.part("find");
    this.part("star-list").append(
      ...this.starNames.map((name) => Object.assign(document.createElement("option"), { value: name })),
    );
    find.addEventListener("change", () => {
      const wanted = find.value.trim().toLowerCase();
      const star = this.starNames.findIndex((name) => name.toLowerCase() === wanted);
      if (star >= 0) this.select(star, true);
      find.setCustomValidity(star < 0 && wanted ? "There is no star of this name." : "");
      find.reportValidity();
    });
    find.addEventListener("input", () => find.setCustomValidity(""));
    this.part("star-close").addEventListener("click", () => this.select(-1));
    this.root.addEventListener("click", (event) => this.#pressed(event));
    this.root.addEventListener("keydown", (event) => this.#key(event));
  }

  #pressed(event) {
    const button = event.target.closest?.("[data-do]");
    if (button) this.#actions[button.dataset.do]?.();
  }

  #actions = {
    toggle: () => (this.playing ? this.pause() : this.play()),
    first: () => this.step(-Infinity),
    last: () => this.step(Infinity),
    back: () => this.step(-1),
    forward: () => this.step(1),
    in: () => this.zoomBy(1.5),
    out: () => this.zoomBy(1 / 1.5),
    fit: () => this.fit(),
  };

  /** Keys that work while something of the player has the focus. */
  #keys = {
    " ": "toggle",
    k: "toggle",
    ",": "back",
    ".": "forward",
    Home: "first",
    End: "last",
    "+": "in",
    "=": "in",
    "-": "out",
    0: "fit",
  };

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const field = event.target.closest("input, select, textarea");
    const slides = field?.type === "range";
    const onMap = event.target === this.view;
    if (field && !slides && field.type !== "checkbox") return;
    if (event.key === " " && (event.target.closest("button, summary, a") || field?.type === "checkbox")) return;
    const act = () => {
      const arrows = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] };
      if (onMap && arrows[event.key]) return this.panBy(...arrows[event.key]) ?? true;
      if (slides && ["Home", "End"].includes(event.key)) return false;
      if (this.#keys[event.key]) return this.#actions[this.#keys[event.key]]() ?? true;
      switch (event.key) {
        case "[":
          return this.#faster(-1) ?? true;
        case "]":
          return this.#faster(1) ?? true;
        case "<":
          return this.jump(-1) ?? true;
        case ">":
          return this.jump(1) ?? true;
        case "n":
          return this.#setNames(!this.map.showNames) ?? true;
        case "f":
          return this.#followNext() ?? true;
        case "s":
          return this.#selectMiddle() ?? true;
        case "Escape":
          return this.#letGo();
        default:
          return false;
      }
    };
    if (act()) event.preventDefault();
  }

  #faster(steps) {
    const at = SPEEDS.indexOf(this.speed) + steps;
    this.#setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at))]);
  }

  #setSpeed(speed) {
    this.speed = speed;
    this.part("speed").value = speed;
    keep("speed", speed);
  }

  #setNames(shown) {
    this.map.showNames = this.part("names").checked = shown;
    keep("names", shown);
    this.#draw("overlay");
  }

  #setPalette(name) {
    this.map.palette = name;
    keep("palette", name);
    this.#standings();
    if (this.map.selected >= 0) this.select(this.map.selected);
    this.#tell(true);
    this.#draw("all");
  }

  #followNext() {
    const at = this.map.followed === null ? -1 : this.players.indexOf(this.map.followed);
    this.follow(this.players[at + 1] ?? null);
  }

  #selectMiddle() {
    const box = this.view.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const star = this.map.starAt(x, y);
    this.select(star >= 0 ? star : this.map.nearest(x, y));
  }

  /** Escape: a chosen star first, then whom one follows. */
  #letGo() {
    if (this.map.selected >= 0) this.select(-1);
    else if (this.map.followed !== null) this.follow(null);
    else return false;
    return true;
  }

  /** The table of players; numbers are filled in by #tell. */
  #standings() {
    const body = this.part("standings");
    body.replaceChildren(
      ...this.players.map((player) => {
        const row = document.createElement("tr");
        row.dataset.player = player;
        row.classList.toggle("followed", player === this.map.followed);
        const head = document.createElement("th");
        head.scope = "row";
        const button = document.createElement("button");
        button.type = "button";
        button.className = "quiet small";
        button.title = "Follow";
        button.append(mark(player, this.map.palette), document.createTextNode(this.nameOf(player)));
        button.addEventListener("click", () => this.follow(this.map.followed === player ? null : player));
        head.append(button);
        const cell = document.createElement("td");
        cell.className = "number";
        cell.dataset.label = "Stars";
        row.append(head, cell);
        return row;
      }),
    );
  }

  /** Tell what tick it is; while playing only now and then, for more nobody could read. */
  #tell(now) {
    const moment = performance.now();
    if (!now && moment - this.told < TELL_MS) return;
    this.told = moment;
    const slider = this.part("slider");
    const { tick, counts } = this.replay;
    slider.value = tick;
    this.part("tick").textContent = `Tick ${tick} of ${this.replay.last}`;
    slider.setAttribute("aria-valuetext", this.part("tick").textContent);
    const when = this.momentOf(tick);
    const time = this.part("when");
    time.hidden = !when;
    if (when) time.dateTime = when;
    const gap = (this.about.gaps ?? []).find((one) => one.from_tick <= tick && tick <= one.to_tick);
    this.part("missed").hidden = !gap;
    say(this.part("missed"), gap ? `not recorded (${gap.message}); the map is that of before` : "");
    const body = this.part("standings");
    for (const row of body.children) say(row.lastChild, counts.get(Number(row.dataset.player)) ?? 0);
    const before = [...body.children];
    const after = [...before].sort(
      (one, other) =>
        (counts.get(Number(other.dataset.player)) ?? 0) - (counts.get(Number(one.dataset.player)) ?? 0) ||
        one.dataset.player - other.dataset.player,
    );
    // Rows stay where they are while one of them has the focus: nothing jumps away from a key.
    if (!body.contains(document.activeElement) && after.some((row, at) => row !== before[at])) {
      body.replaceChildren(...after);
    }
    if (this.map.selected >= 0) this.#showHolder();
    this.root.dispatchEvent(new CustomEvent("tick", { detail: tick }));
  }

  #showHolder() {
    const owner = this.replay.owners[this.map.selected];
    this.part("star-owner").replaceChildren(mark(owner, this.map.palette), document.createTextNode(this.nameOf(owner)));
  }

  /** About when a tick was, as ISO 8601; null where it is not known. */
  momentOf(tick) {
    const span = (this.about.spans ?? []).findLast((one) => one.from_tick <= tick);
    if (!span || tick > span.to_tick) return null;
    const [from, to] = [Date.parse(span.from_at), Date.parse(span.to_at)];
    const share = span.to_tick > span.from_tick ? (tick - span.from_tick) / (span.to_tick - span.from_tick) : 1;
    return new Date(from + share * (to - from)).toISOString();
  }

  #showPlaying() {
    const button = this.part("toggle");
    button.textContent = this.playing ? "Pause" : "Play";
  }
}

/** Set a text, if it is another one: what stays as it was is not laid out again. */
export function say(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

/** A small picture of a player's colour and mark. */
export function mark(player, palette) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "-8 -8 16 16");
  svg.setAttribute("class", "mark");
  svg.setAttribute("aria-hidden", "true");
  const ground = document.createElementNS(ns, "circle");
  ground.setAttribute("r", 7.2);
  ground.setAttribute("fill", colour(palette, player));
  const corners = SHAPE_CORNERS[shapeOf(player)];
  const shape = document.createElementNS(ns, corners ? "polygon" : "circle");
  if (corners) shape.setAttribute("points", corners.map(([x, y]) => `${x * 3},${y * 3}`).join(" "));
  else shape.setAttribute("r", 3);
  shape.setAttribute("fill", "#ffffff");
  shape.setAttribute("stroke", "#000000");
  svg.append(ground, shape);
  return svg;
}

function recall(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // a browser that keeps nothing asks again next time
  }
}
