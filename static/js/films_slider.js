/**
 * A slider in real time: days and gaps are marked, a small picture shows what is where.
 *
 * Keys: ← → a picture (with Shift: a second of film), Page up and down a day, Home, End.
 */

import { inWords } from "./films_time.js";

const HOUR = 3_600_000_000;
const STEPS = [HOUR / 60, HOUR / 12, HOUR / 4, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];
const CLOSEST = 52; // pixels between two words under the line
const dayName = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const monthName = new Intl.DateTimeFormat(undefined, { month: "short", year: "2-digit", timeZone: "UTC" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export class Slider {
  /**
   * @param {HTMLElement} root holds [data-slider] (a range), [data-days] (a canvas), [data-thumb]
   * @param {FilmTime} time of the film
   * @param {Thumbs} thumbs of the film
   * @param {{seek: function(number): void, now: function(): number}} film seeks to a time of it, and
   *   says at which it is
   */
  constructor(root, time, thumbs, film) {
    this.root = root;
    this.time = time;
    this.thumbs = thumbs;
    this.film = film;
    this.range = root.querySelector("[data-slider]");
    this.canvas = root.querySelector("[data-days]");
    this.thumb = root.querySelector("[data-thumb]");
    this.wish = 0; // counts what was asked for, so that an answer that comes late is left
    this.held = false;
    this.range.addEventListener("input", () => this.slide());
    this.range.addEventListener("change", () => this.settle());
    this.range.addEventListener("keydown", (event) => this.key(event));
    this.range.addEventListener("pointermove", (event) => this.hover(event));
    this.range.addEventListener("pointerleave", () => this.hide());
    this.range.addEventListener("blur", () => this.hide());
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** The film's timeline is another. */
  refresh() {
    const { time, range } = this;
    this.root.hidden = !time.line;
    if (!time.line) return;
    range.min = time.first;
    range.max = Math.max(time.last, time.first + 1);
    range.step = "any";
    for (const [name, moment] of [["first", time.first], ["last", time.last]]) {
      this.root.querySelector(`[data-line-${name}]`).textContent = inWords(moment, time.real);
    }
    this.draw();
    this.follow();
  }

  /** Stand where the film is. */
  follow() {
    if (!this.time.line || this.held) return;
    this.stand(this.time.momentAt(this.film.now()));
  }

  stand(moment) {
    this.range.value = moment;
    this.range.setAttribute("aria-valuetext", inWords(moment, this.time.real));
  }

  /** While the thumb is dragged: at once, as well as it is known. */
  slide() {
    this.held = true;
    this.wish += 1;
    const moment = Number(this.range.value);
    this.range.setAttribute("aria-valuetext", inWords(moment, this.time.real));
    this.show(moment);
    this.film.seek(this.time.secondsOf(moment));
  }

  /** When it is let go: exactly. */
  async settle() {
    this.held = false;
    const wish = ++this.wish;
    const seconds = await this.time.exactly(Number(this.range.value));
    if (wish === this.wish) this.film.seek(seconds);
  }

  key(event) {
    const { time, film } = this;
    if (!time.line || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = event.shiftKey ? 1 : time.line.picture_s;
    const steps = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step };
    const days = { PageUp: -1, PageDown: 1 };
    let wanted = null;
    if (event.key in steps) wanted = this.picture() + steps[event.key];
    else if (event.key in days) wanted = this.day(days[event.key]);
    else if (event.key === "Home") wanted = time.begin;
    else if (event.key === "End") wanted = time.line.duration_s - time.line.picture_s;
    if (wanted === null) return;
    event.preventDefault();
    this.wish += 1;
    const most = time.line.duration_s - time.line.picture_s;
    wanted = Math.max(time.begin, Math.min(wanted, most));
    film.seek(wanted);
    this.stand(time.momentAt(wanted));
  }

  /** When the picture began that is on. */
  picture() {
    const { begin, line } = this.time;
    const number = Math.floor((this.film.now() - begin) / line.picture_s + 1e-3);
    return begin + number * line.picture_s;
  }

  /** Where the day before or after this one begins; a tenth of the film where it has one day. */
  day(direction) {
    const { days, duration_s } = this.time.line;
    const now = this.film.now();
    if (days.length < 2) return now + (direction * (duration_s - this.time.begin)) / 10;
    const starts = days.map((day) => day.at_s);
    if (direction > 0) return starts.find((at) => at > now + 1e-3) ?? duration_s;
    return starts.findLast((at) => at < now - 0.25) ?? this.time.begin;
  }

  hover(event) {
    if (!this.time.line || event.pointerType === "touch") return;
    const box = this.range.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    this.show(this.time.first + share * (this.time.last - this.time.first));
  }

  /** The small picture of a moment, above it. */
  show(moment) {
    const { time, thumb } = this;
    const there = this.thumbs.show(thumb.querySelector("[data-picture]"), time.secondsOf(moment));
    thumb.querySelector("[data-thumb-moment]").textContent = inWords(moment, time.real);
    thumb.querySelector("[data-picture]").hidden = !there;
    thumb.hidden = false;
    const width = this.range.clientWidth;
    const share = (moment - time.first) / Math.max(1, time.last - time.first);
    const half = thumb.offsetWidth / 2;
    thumb.style.left = `${Math.min(Math.max(share * width, half), Math.max(half, width - half))}px`;
  }

  hide() {
    this.thumb.hidden = true;
  }

  draw() {
    const { canvas, time } = this;
    if (!time.line || !canvas.clientWidth) return;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const dots = window.devicePixelRatio || 1;
    canvas.width = width * dots;
    canvas.height = height * dots;
    const pen = canvas.getContext("2d");
    pen.scale(dots, dots);
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const x = (moment) => ((moment - time.first) / Math.max(1, time.last - time.first)) * width;
    const bar = height - 16;
    pen.fillStyle = colour("--sunken");
    pen.fillRect(0, 0, width, bar);
    const marks = this.marks(width);
    marks.forEach(({ moment }, i) => {
      const end = marks[i + 1]?.moment ?? time.last;
      pen.fillStyle = colour("--line");
      if (i % 2) pen.fillRect(x(moment), 0, x(end) - x(moment), bar);
    });
    pen.fillStyle = colour("--bad-back");
    pen.strokeStyle = colour("--bad");
    for (const { since, until } of time.line.gaps) {
      const left = x(since);
      const right = Math.max(left + 1, x(until));
      pen.fillRect(left, 0, right - left, bar);
      pen.beginPath();
      for (let at = left; at < right; at += 5) {
        pen.moveTo(at, bar);
        pen.lineTo(Math.min(right, at + 4), 0);
      }
      pen.stroke();
    }
    pen.fillStyle = colour("--muted");
    pen.font = `11px ${style.fontFamily}`;
    let free = 0;
    for (const { moment, name } of marks) {
      const left = x(moment);
      const long = pen.measureText(name).width;
      if (left < free || left + long > width) continue;
      pen.fillText(name, left, height - 3);
      free = left + long + 10;
    }
  }

  /** Where days, or months, or hours begin, as many as there is room for. */
  marks(width) {
    const { time } = this;
    const { days } = time.line;
    const most = Math.max(2, width / CLOSEST);
    if (!time.real) return [];
    if (days.length > 2) {
      const date = (day) => new Date(`${day.day}T00:00Z`);
      if (days.length <= 4 * most) {
        return days.map((day) => ({ moment: day.moment, name: dayName.format(date(day)) }));
      }
      const months = days.filter((day, i) => !i || day.day.slice(0, 7) !== days[i - 1].day.slice(0, 7));
      return months.map((day) => ({ moment: day.moment, name: monthName.format(date(day)) }));
    }
    const length = time.last - time.first;
    const step = STEPS.find((one) => length / one <= most);
    if (!step) return days.map((day) => ({ moment: day.moment, name: day.day }));
    const shift = new Date(time.first / 1000).getTimezoneOffset() * 60_000_000;
    const found = [];
    let at = Math.ceil((time.first - shift) / step) * step + shift;
    for (; at <= time.last; at += step) found.push({ moment: at, name: clock.format(new Date(at / 1000)) });
    return found;
  }
}
