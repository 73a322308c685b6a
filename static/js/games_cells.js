/**
 * The territory of each star: what lies nearer to it than to any other known one, within its reach.
 *
 * Worked out once for the places of the stars; who owns them changes colours only. A star that is
 * seen for the first time takes what is its own from those beside it, and only these are worked
 * out again.
 */

/** How far territory reaches from a star, in units of the map. */
export const REACH = 0.6;
const CORNERS = 64;
/** The edge of a cell where no other star is near. */
export const OPEN = -1;

// As large as the disc, so that its flat edges take away as much as they add.
const RADIUS = REACH * Math.sqrt((2 * Math.PI) / CORNERS / Math.sin((2 * Math.PI) / CORNERS));

/**
 * A cell: `points` x0, y0, x1, y1 …; `outward` how each point moves when the cell grows by one
 * unit on all sides; `beside` the star beyond the edge from each point to the next (or OPEN); `box`
 * least x, least y, most x, most y.
 *
 * @typedef {{points: Float64Array, outward: Float64Array, beside: number[], box: number[]}} Cell
 */

export class Territory {
  /** @param {Float64Array} x @param {Float64Array} y */
  constructor(x, y) {
    this.x = x;
    this.y = y;
    this.grid = new Grid(x, y);
    this.known = new Uint8Array(x.length);
    /** @type {(Cell | null)[]} null for a star that is not known, or stands where another one does */
    this.cells = new Array(x.length).fill(null);
  }

  /**
   * Learn of stars, or forget them.
   *
   * @param {Iterable<number>} stars
   * @param {function(number): boolean} isKnown
   * @returns {number[]} those of them that are another's case now
   */
  update(stars, isKnown) {
    const other = [...stars].filter((star) => Boolean(this.known[star]) !== isKnown(star));
    const touched = new Set(other);
    for (const star of other) this.known[star] = isKnown(star) ? 1 : 0;
    if (other.length * 4 > this.x.length) for (let star = 0; star < this.x.length; star += 1) touched.add(star);
    else for (const star of other) for (const { star: near } of this.grid.near(star, 2 * RADIUS)) touched.add(near);
    for (const star of touched) this.cells[star] = this.known[star] ? this.#cell(star) : null;
    return other;
  }

  /** All that can ever be a star's: the box of its disc. */
  disc(star) {
    const [x, y] = [this.x[star], this.y[star]];
    return [x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS];
  }

  /** The known star whose cell holds a point; -1 where there is none. */
  at(px, py) {
    let best = -1;
    let least = REACH * REACH;
    for (let star = 0; star < this.x.length; star += 1) {
      const far = (this.x[star] - px) ** 2 + (this.y[star] - py) ** 2;
      if (this.known[star] && far < least) {
        least = far;
        best = star;
      }
    }
    return best;
  }

  #cell(star) {
    const cx = this.x[star];
    const cy = this.y[star];
    let points = [];
    let beside = [];
    for (let corner = 0; corner < CORNERS; corner += 1) {
      const angle = (2 * Math.PI * corner) / CORNERS;
      points.push(cx + RADIUS * Math.cos(angle), cy + RADIUS * Math.sin(angle));
      beside.push(OPEN);
    }
    for (const { star: other, far } of this.grid.near(star, 2 * RADIUS)) {
      if (!this.known[other]) continue;
      if (far === 0) {
        if (other < star) return null;
        continue;
      }
      if (far / 2 > farthest(points, cx, cy)) break; // nor can any that is farther away cut it
      ({ points, beside } = cut(points, beside, other, this.x[other] - cx, this.y[other] - cy, cx, cy));
    }
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let at = 0; at < points.length; at += 2) {
      left = Math.min(left, points[at]);
      right = Math.max(right, points[at]);
      top = Math.min(top, points[at + 1]);
      bottom = Math.max(bottom, points[at + 1]);
    }
    const box = [left, top, right, bottom];
    return { points: Float64Array.from(points), outward: outward(points), beside, box };
  }
}

function farthest(points, cx, cy) {
  let most = 0;
  for (let at = 0; at < points.length; at += 2) {
    most = Math.max(most, (points[at] - cx) ** 2 + (points[at + 1] - cy) ** 2);
  }
  return Math.sqrt(most);
}

/** For each corner of a convex polygon: where it goes when its two edges move out by one. */
function outward(points) {
  const length = points.length;
  const found = new Float64Array(length);
  const normal = (at) => {
    const to = (at + 2) % length;
    const [dx, dy] = [points[to] - points[at], points[to + 1] - points[at + 1]];
    const long = Math.hypot(dx, dy) || 1;
    return [dy / long, -dx / long];
  };
  let before = normal(length - 2);
  for (let at = 0; at < length; at += 2) {
    const after = normal(at);
    // Of a sharp corner not all of its tip: it would reach far into others.
    const share = Math.max(0.2, 1 + before[0] * after[0] + before[1] * after[1]);
    found[at] = (before[0] + after[0]) / share;
    found[at + 1] = (before[1] + after[1]) / share;
    before = after;
  }
  return found;
}

/** Keep of a convex polygon what is nearer to (cx, cy) than to the point (dx, dy) from there. */
function cut(points, beside, other, dx, dy, cx, cy) {
  const half = (dx * dx + dy * dy) / 2;
  const outside = (at) => (points[at] - cx) * dx + (points[at + 1] - cy) * dy - half;
  const kept = [];
  const edges = [];
  const length = points.length;
  let here = outside(0);
  for (let at = 0; at < length; at += 2) {
    const to = (at + 2) % length;
    const there = outside(to);
    const side = beside[at / 2];
    if (here <= 0) {
      kept.push(points[at], points[at + 1]);
      edges.push(side);
    }
    if (here <= 0 !== there <= 0) {
      const share = here / (here - there);
      kept.push(
        points[at] + share * (points[to] - points[at]),
        points[at + 1] + share * (points[to + 1] - points[at + 1]),
      );
      edges.push(here <= 0 ? other : side);
    }
    here = there;
  }
  return { points: kept, beside: edges };
}

/** Finds the stars around one, the nearest first. */
class Grid {
  constructor(x, y) {
    this.x = x;
    this.y = y;
    this.boxes = new Map();
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let star = 0; star < x.length; star += 1) {
      left = Math.min(left, x[star]);
      right = Math.max(right, x[star]);
      top = Math.min(top, y[star]);
      bottom = Math.max(bottom, y[star]);
    }
    // About two stars a box, however dense they are.
    const area = Math.max(right - left, REACH) * Math.max(bottom - top, REACH);
    this.step = Math.min(REACH, Math.sqrt((2 * area) / Math.max(1, x.length)));
    for (let star = 0; star < x.length; star += 1) {
      const key = this.#key(Math.floor(x[star] / this.step), Math.floor(y[star] / this.step));
      if (!this.boxes.has(key)) this.boxes.set(key, []);
      this.boxes.get(key).push(star);
    }
  }

  #key(column, row) {
    return column * 2 ** 26 + row;
  }

  /** The others within `reach` of a star, ring by ring, so that who asks may stop early. */
  *near(star, reach) {
    const column = Math.floor(this.x[star] / this.step);
    const row = Math.floor(this.y[star] / this.step);
    let waiting = [];
    for (let ring = 0; ; ring += 1) {
      for (const other of this.#ring(column, row, ring)) {
        const far = Math.hypot(this.x[other] - this.x[star], this.y[other] - this.y[star]);
        if (other !== star && far < reach) waiting.push({ star: other, far });
      }
      waiting.sort((one, two) => one.far - two.far || one.star - two.star);
      // Whatever is in the next rings is at least so far away.
      const sure = ring * this.step;
      let at = 0;
      while (at < waiting.length && (waiting[at].far <= sure || sure >= reach)) yield waiting[at++];
      waiting = waiting.slice(at);
      if (sure >= reach) return;
    }
  }

  *#ring(column, row, ring) {
    for (let across = -ring; across <= ring; across += 1) {
      const whole = Math.abs(across) === ring;
      for (let down = -ring; down <= ring; down += whole ? 1 : 2 * ring || 1) {
        yield* this.boxes.get(this.#key(column + across, row + down)) ?? [];
      }
    }
  }
}
