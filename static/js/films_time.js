/**
 * Film time and what it shows. Moments are microseconds since 1970, or ticks of a game.
 *
 * The timeline of a film says it for its stretches, in between by rule of three; what is asked of
 * /moments is exact, for each picture of the segment around it, and is remembered.
 */

const REMEMBERED = 60;

/** The last index whose value is at most `wanted`; -1 when there is none. */
export function lastAtMost(values, wanted) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export class FilmTime {
  constructor(api) {
    this.api = api;
    this.line = null;
    this.tail = ""; // or "tail=1": also what may yet change
    this.exact = new Map();
    this.asking = false;
  }

  /** Look again at what the film shows; false when there is nothing yet. */
  async load() {
    const answer = await fetch(`${this.api}/timeline?${this.tail}`);
    if (!answer.ok) return false;
    this.line = await answer.json();
    this.exact.clear();
    return true;
  }

  get first() {
    return this.line.spans.first[0];
  }

  get last() {
    return this.line.spans.last.at(-1);
  }

  /** Where the film begins: not at 0 when its beginning has left it. */
  get begin() {
    return this.line.spans.at_s[0];
  }

  get real() {
    return this.line.unit === "microseconds";
  }

  /** The moment that is shown at a time of the film, as well as it is known here. */
  momentAt(seconds) {
    for (const { start_s, picture_s, moments } of this.exact.values()) {
      const picture = Math.floor((seconds - start_s) / picture_s + 1e-3);
      if (picture >= 0 && picture < moments.length) return moments[picture];
    }
    const { at_s, first, last } = this.line.spans;
    const i = Math.max(0, lastAtMost(at_s, seconds + 1e-6));
    const share = (seconds - at_s[i]) / Math.max(1e-6, this.end(i) - at_s[i]);
    return first[i] + Math.min(1, Math.max(0, share)) * (last[i] - first[i]);
  }

  /** When the film shows a moment, as well as it is known here. */
  secondsOf(moment) {
    const { at_s, first, last } = this.line.spans;
    const i = Math.max(0, lastAtMost(first, moment));
    const next = first[i + 1];
    if (moment > last[i] && next !== undefined && next - moment < moment - last[i]) return at_s[i + 1];
    const share = (moment - first[i]) / Math.max(1, last[i] - first[i]);
    const most = this.end(i) - this.line.picture_s;
    return Math.min(most, at_s[i] + Math.max(0, share) * (this.end(i) - at_s[i]));
  }

  /** Where a stretch ends. */
  end(i) {
    return this.line.spans.at_s[i + 1] ?? this.line.duration_s;
  }

  /** Exactly when the picture closest to a moment is shown. */
  async exactly(moment) {
    const found = await this.ask(`at=${Math.round(moment)}`);
    return found ? found.at_s : this.secondsOf(moment);
  }

  /** Learn what exactly is shown around a time of the film, unless that is known. */
  async learn(seconds) {
    for (const { start_s, picture_s, moments } of this.exact.values()) {
      if (seconds >= start_s - 1e-6 && seconds < start_s + moments.length * picture_s) return false;
    }
    if (this.asking) return false;
    return Boolean(await this.ask(`at_s=${Math.max(0, seconds).toFixed(6)}`));
  }

  async ask(query) {
    this.asking = true;
    try {
      const answer = await fetch(`${this.api}/moments?${query}&${this.tail}`);
      if (!answer.ok) return null;
      const found = await answer.json();
      this.exact.set(found.start_s, found);
      if (this.exact.size > REMEMBERED) this.exact.delete(this.exact.keys().next().value);
      return found;
    } catch {
      return null; // the line is cut; what is known stays
    } finally {
      this.asking = false;
    }
  }
}

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** A moment in words. */
export function inWords(moment, real) {
  return real ? full.format(new Date(moment / 1000)) : `tick ${Math.round(moment)}`;
}
