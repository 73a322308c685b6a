/** The streams that come next: asked for ahead, so that the next one is there at once. */

import { keyOf, see, seen, unsee } from "./streams_memory.js";
import { picture } from "./streams_play.js";

const AHEAD = 3;
const GOOD_MS = 45_000;

/** Ask the site for streams that were not seen. */
async function ask(filter, body) {
  const answer = await fetch(`/api/v1/streams/next?${filter}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const found = await answer.json().catch(() => null);
  if (answer.ok && found) return found;
  throw new Error(found?.error?.message ?? "the site does not answer");
}

/** Some for the grid: none of `known`, none that was seen. */
export async function some(filter, known, count) {
  const left = [...new Set([...seen(), ...known])].slice(-5000);
  const { items, forget } = await ask(filter, { seen: left, count, lease: false });
  return forget.length ? [] : items;
}

/** The queue for one filter. */
export class Upcoming {
  #filter;
  #queue = [];
  #asking = null;
  /** Whether the last answer began again, because all that match were seen. */
  again = false;

  constructor(filter) {
    this.#filter = filter;
  }

  /** Have some ready for when `current` is over. */
  prepare(current) {
    this.#tidy(current);
    if (!this.#queue.length) this.#refill(current).catch(() => {}); // said when it is needed
  }

  /** The next stream; null when no other matches. Raises when the site does not answer. */
  async take(current) {
    this.#tidy(current);
    if (!this.#queue.length) await this.#refill(current);
    this.#tidy(current);
    return this.#queue.shift()?.stream ?? null;
  }

  /** Leave out what is too old, and what is on already. */
  #tidy(current) {
    const since = Date.now() - GOOD_MS;
    const fits = ({ stream, at }) => at > since && keyOf(stream) !== keyOf(current);
    this.#queue = this.#queue.filter(fits);
  }

  #refill(current) {
    this.#asking ??= this.#ask(current).finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask(current) {
    const mine = keyOf(current);
    const known = [...seen().filter((key) => key !== mine), mine].slice(-5000);
    const { items, forget } = await ask(this.#filter, { seen: known, count: AHEAD });
    this.again = forget.length > 0;
    if (this.again) {
      unsee(forget);
      see(mine);
    }
    for (const stream of items) {
      if (keyOf(stream) === mine) continue;
      this.#queue.push({ stream, at: Date.now() });
      const image = picture(stream, 1280);
      if (image) Object.assign(new Image(), { referrerPolicy: "no-referrer", src: image });
    }
  }
}
