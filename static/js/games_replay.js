/**
 * A recorded game as numbers: where the stars are, and who owned which at any tick.
 *
 *   const replay = new Replay(await (await fetch("/api/game/7")).json());
 *   const changed = replay.seek(120); // indexes of the stars whose owner is another one now
 *   replay.owners[3]; // of the fourth star
 *
 * Going from a tick to another costs what changed between the two, forwards and backwards.
 */

export const NOBODY = -1;
/** The star was not seen yet. */
export const UNSEEN = -2;

export class Replay {
  /** @param {object} game what `GET /api/game/<id>` answers */
  constructor(game) {
    this.name = game.name;
    const stars = Object.entries(game.stars);
    /** Ids of the stars; everywhere else a star is its place in this list. */
    this.ids = stars.map(([id]) => id);
    this.x = Float64Array.from(stars, ([, star]) => Number(star.x));
    this.y = Float64Array.from(stars, ([, star]) => Number(star.y));
    /** For each star its [tick, owner] pairs, the oldest first. */
    this.histories = stars.map(([, star]) =>
      Object.entries(star.owners)
        .map(([tick, owner]) => [Number(tick), Number(owner)])
        .sort((one, other) => one[0] - other[0]),
    );
    const changes = [];
    this.histories.forEach((history, star) => {
      let before = UNSEEN;
      for (const [tick, owner] of history) {
        if (owner !== before) changes.push({ tick, star, before, owner });
        before = owner;
      }
    });
    changes.sort((one, other) => one.tick - other.tick || one.star - other.star);
    this.changes = changes;
    this.first = changes.length ? changes[0].tick : 0;
    this.last = Math.max(this.first, changes.length ? changes.at(-1).tick : 0);
    this.owners = new Int32Array(stars.length).fill(UNSEEN);
    /** Stars by player, at the present tick. */
    this.counts = new Map();
    this.players = [...new Set(changes.map((change) => change.owner))]
      .filter((owner) => owner >= 0)
      .sort((one, other) => one - other);
    this.tick = -Infinity;
    this.done = 0; // how many of the changes are applied
    this.seek(this.first);
  }

  get size() {
    return this.ids.length;
  }

  /** Let the game go on to a later tick than its last change: nothing happened since. */
  extend(last) {
    if (Number.isFinite(last)) this.last = Math.max(this.last, last);
  }

  /**
   * Go to a tick.
   *
   * @param {number} tick
   * @returns {Set<number>} the stars whose owner changed
   */
  seek(tick) {
    const touched = new Map();
    while (this.done < this.changes.length && this.changes[this.done].tick <= tick) {
      const { star, owner } = this.changes[this.done++];
      this.#give(star, owner, touched);
    }
    while (this.done > 0 && this.changes[this.done - 1].tick > tick) {
      const { star, before } = this.changes[--this.done];
      this.#give(star, before, touched);
    }
    this.tick = tick;
    const changed = new Set();
    for (const [star, owner] of touched) if (this.owners[star] !== owner) changed.add(star);
    return changed;
  }

  #give(star, owner, touched) {
    const before = this.owners[star];
    if (!touched.has(star)) touched.set(star, before);
    if (before >= 0) this.counts.set(before, this.counts.get(before) - 1);
    if (owner >= 0) this.counts.set(owner, (this.counts.get(owner) ?? 0) + 1);
    this.owners[star] = owner;
  }

  /** The next tick, in that direction, at which something changes; null where nothing does. */
  nextChange(direction) {
    if (direction > 0) return this.changes[this.done]?.tick ?? null;
    let at = this.done - 1;
    while (at >= 0 && this.changes[at].tick >= this.tick) at -= 1;
    return at >= 0 ? this.changes[at].tick : null;
  }
}
