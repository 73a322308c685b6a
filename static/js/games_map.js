/**
 * The map of a game on two canvases: territory and stars below, names and what is pointed at above.
 *
 * When the owner of stars changes, only the rectangles around their cells are drawn again, by the
 * same function that draws everything, clipped, so that the same comes out. All of it is drawn
 * again only when one zooms, pans, or looks at somebody else.
 */

import { OPEN, REACH, Territory } from "./games_cells.js";
import { BORDER, colour, faint, shapeOf, SHAPE_CORNERS, VOID } from "./games_palette.js";
import { NOBODY, UNSEEN } from "./games_replay.js";

const CLOSEST = 40; // times larger than all of the map
const MARGIN = 6; // pixels of CSS around the map
const MOST_RECTANGLES = 60; // with more of them, all at once is cheaper
const MOST_NAMES = 160;
const FIRST_NAMES = 60; // where all of the map is seen: more come as it gets larger
const SEAM = 0.6; // pixels that a cell is larger on all sides, so that no line shows between two

export class GameMap {
  /**
   * @param {HTMLCanvasElement} ground
   * @param {HTMLCanvasElement} overlay the same size, over it
   * @param {import("./games_replay.js").Replay} replay
   */
  constructor(ground, overlay, replay) {
    this.ground = ground;
    this.overlay = overlay;
    this.replay = replay;
    // The ground is opaque, and nobody reads it while it is shown.
    this.pen = ground.getContext("2d", { alpha: false });
    this.over = overlay.getContext("2d");
    this.territory = new Territory(replay.x, replay.y);
    this.territory.update(replay.owners.keys(), (star) => replay.owners[star] !== UNSEEN);
    this.cells = this.territory.cells;
    this.bounds = bounds(this.territory);
    this.palette = "safe";
    this.followed = null;
    this.names = null;
    this.showNames = true;
    this.selected = -1;
    this.hovered = -1;
    this.zoom = 1;
    this.middle = [
      (this.bounds[0] + this.bounds[2]) / 2,
      (this.bounds[1] + this.bounds[3]) / 2,
    ];
    this.width = 0;
    this.height = 0;
  }

  /** Take the size of the element on the page. */
  resize() {
    const box = this.ground.getBoundingClientRect();
    this.labels = new Map();
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    this.width = Math.max(1, Math.round(box.width * this.ratio));
    this.height = Math.max(1, Math.round(box.height * this.ratio));
    for (const canvas of [this.ground, this.overlay]) {
      canvas.width = this.width;
      canvas.height = this.height;
    }
    this.#place();
    this.drawAll();
  }

  // -- where things are ----------------------------------------------------------------------

  #place() {
    const [left, top, right, bottom] = this.bounds;
    const room = 2 * MARGIN * this.ratio;
    this.fit = Math.min(
      Math.max(1, this.width - room) / (right - left),
      Math.max(1, this.height - room) / (bottom - top),
    );
    this.zoom = Math.min(CLOSEST, Math.max(1, this.zoom));
    this.scale = this.fit * this.zoom;
    // What is larger than the canvas is never dragged out of sight.
    for (const [axis, size] of [[0, this.width], [1, this.height]]) {
      const least = this.bounds[axis];
      const most = this.bounds[axis + 2];
      const half = (size - room) / 2 / this.scale;
      this.middle[axis] =
        most - least <= 2 * half + 1e-9
          ? (least + most) / 2
          : Math.min(most - half, Math.max(least + half, this.middle[axis]));
    }
    this.dx = this.width / 2 - this.middle[0] * this.scale;
    this.dy = this.height / 2 - this.middle[1] * this.scale;
  }

  /** A point of the window in units of the map. */
  toMap(clientX, clientY) {
    const box = this.ground.getBoundingClientRect();
    return [
      ((clientX - box.left) * this.ratio - this.dx) / this.scale,
      ((clientY - box.top) * this.ratio - this.dy) / this.scale,
    ];
  }

  /** Where a star is, in pixels of CSS from the map's corner. */
  toPage(star) {
    return [
      (this.replay.x[star] * this.scale + this.dx) / this.ratio,
      (this.replay.y[star] * this.scale + this.dy) / this.ratio,
    ];
  }

  /** Size by a factor; what lies under that point of the window stays there. */
  zoomBy(factor, clientX, clientY) {
    const before = clientX === undefined ? null : this.toMap(clientX, clientY);
    this.zoom *= factor;
    this.#place();
    if (before) {
      const after = this.toMap(clientX, clientY);
      this.middle[0] += before[0] - after[0];
      this.middle[1] += before[1] - after[1];
      this.#place();
    }
  }

  /** Move by pixels of CSS. */
  panBy(x, y) {
    this.middle[0] -= (x * this.ratio) / this.scale;
    this.middle[1] -= (y * this.ratio) / this.scale;
    this.#place();
  }

  /** Look at a place. @param {number[]} middle @param {number} zoom */
  look(middle, zoom) {
    this.middle = [...middle];
    this.zoom = zoom;
    this.#place();
  }

  /** Middle and zoom that show all of a player's stars; null where it has none. */
  around(player) {
    const { owners, x, y } = this.replay;
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let star = 0; star < owners.length; star += 1) {
      if (owners[star] !== player) continue;
      left = Math.min(left, x[star]);
      right = Math.max(right, x[star]);
      top = Math.min(top, y[star]);
      bottom = Math.max(bottom, y[star]);
    }
    if (left === Infinity) return null;
    const wide = (right - left + 4 * REACH) * this.fit;
    const high = (bottom - top + 4 * REACH) * this.fit;
    const zoom = Math.max(1, Math.min(8, this.width / wide, this.height / high));
    return { middle: [(left + right) / 2, (top + bottom) / 2], zoom };
  }

  /** The star at a point of the window: the one whose cell it is. */
  starAt(clientX, clientY) {
    return this.territory.at(...this.toMap(clientX, clientY));
  }

  /** The known star that is nearest to a point of the window, however far; -1: none is known. */
  nearest(clientX, clientY) {
    const [px, py] = this.toMap(clientX, clientY);
    let best = -1;
    let least = Infinity;
    for (let star = 0; star < this.replay.size; star += 1) {
      const far = (this.replay.x[star] - px) ** 2 + (this.replay.y[star] - py) ** 2;
      if (this.replay.owners[star] !== UNSEEN && far < least) {
        least = far;
        best = star;
      }
    }
    return best;
  }

  // -- drawing -------------------------------------------------------------------------------

  /** Draw everything. */
  drawAll() {
    this.#paint(0, 0, this.width, this.height);
    this.drawOverlay();
  }

  /**
   * Draw what the changes of these stars touch.
   *
   * @param {Iterable<number>} changed what the replay's `seek` told
   */
  drawChanged(changed) {
    const { owners } = this.replay;
    const seen = new Set(this.territory.update(changed, (star) => owners[star] !== UNSEEN));
    const rectangles = [];
    for (const star of changed) {
      const box = seen.has(star) ? this.territory.disc(star) : this.cells[star]?.box;
      if (!box) continue;
      const [left, top, right, bottom] = box;
      const rectangle = this.#pixels(left, top, right, bottom);
      if (rectangle) rectangles.push(rectangle);
    }
    if (rectangles.length > MOST_RECTANGLES) this.#paint(0, 0, this.width, this.height);
    else for (const rectangle of rectangles) this.#paint(...rectangle);
  }

  /** The whole pixels around a box of the map, with room for lines and marks; null: out of sight. */
  #pixels(left, top, right, bottom) {
    const edge = 3 * this.ratio + this.#markSize() * 2;
    const x0 = Math.max(0, Math.floor(left * this.scale + this.dx - edge));
    const y0 = Math.max(0, Math.floor(top * this.scale + this.dy - edge));
    const x1 = Math.min(this.width, Math.ceil(right * this.scale + this.dx + edge));
    const y1 = Math.min(this.height, Math.ceil(bottom * this.scale + this.dy + edge));
    return x0 < x1 && y0 < y1 ? [x0, y0, x1, y1] : null;
  }

  #markSize() {
    return this.ratio * Math.min(6, 1.1 + 0.03 * (this.scale / this.ratio));
  }

  #colour(owner) {
    if (this.followed === null || owner === this.followed) return colour(this.palette, owner);
    return faint(this.palette, owner);
  }

  /** Draw a rectangle of the ground: whole pixels, so that its edge leaves no trace. */
  #paint(x0, y0, x1, y1) {
    const { pen, scale, dx, dy } = this;
    const { owners } = this.replay;
    const whole = x0 === 0 && y0 === 0 && x1 === this.width && y1 === this.height;
    pen.save();
    if (!whole) {
      pen.beginPath();
      pen.rect(x0, y0, x1 - x0, y1 - y0);
      pen.clip();
    }
    pen.fillStyle = VOID;
    pen.fillRect(x0, y0, x1 - x0, y1 - y0);
    const edge = 3 * this.ratio + this.#markSize() * 2;
    const left = (x0 - edge - dx) / scale;
    const right = (x1 + edge - dx) / scale;
    const top = (y0 - edge - dy) / scale;
    const bottom = (y1 + edge - dy) / scale;
    const inside = new Map(); // owner → stars
    for (let star = 0; star < owners.length; star += 1) {
      const owner = owners[star];
      const box = this.cells[star]?.box;
      if (!box) continue;
      if (box[0] > right || box[2] < left || box[1] > bottom || box[3] < top) continue;
      const already = inside.get(owner);
      if (already) already.push(star);
      else inside.set(owner, [star]);
    }
    const order = [...inside.keys()].sort((one, other) => one - other);
    for (const owner of order) {
      pen.fillStyle = this.#colour(owner);
      for (const star of inside.get(owner)) {
        pen.beginPath();
        this.#trace(this.cells[star]);
        pen.fill();
      }
    }
    this.#borders(inside);
    for (const owner of order) this.#marks(owner, inside.get(owner));
    pen.restore();
  }

  #trace({ points, outward }) {
    const { pen, scale, dx, dy } = this;
    for (let at = 0; at < points.length; at += 2) {
      const px = points[at] * scale + dx + SEAM * outward[at];
      const py = points[at + 1] * scale + dy + SEAM * outward[at + 1];
      if (at) pen.lineTo(px, py);
      else pen.moveTo(px, py);
    }
  }

  /** A line where two owners meet. */
  #borders(inside) {
    const { pen, scale, dx, dy } = this;
    const { owners } = this.replay;
    pen.strokeStyle = BORDER;
    pen.lineWidth = 1.5 * this.ratio;
    pen.lineCap = "round";
    for (const [owner, stars] of inside) {
      for (const star of stars) {
        const { points, beside } = this.cells[star];
        for (let edge = 0; edge < beside.length; edge += 1) {
          const other = beside[edge];
          if (other === OPEN || other < star || owners[other] === owner) continue;
          const from = 2 * edge;
          const to = (from + 2) % points.length;
          pen.beginPath();
          pen.moveTo(points[from] * scale + dx, points[from + 1] * scale + dy);
          pen.lineTo(points[to] * scale + dx, points[to + 1] * scale + dy);
          pen.stroke();
        }
      }
    }
  }

  /** A mark at each star of a player. */
  #marks(owner, stars) {
    const { pen, scale, dx, dy } = this;
    const { x, y } = this.replay;
    const size = this.#markSize();
    const corners = SHAPE_CORNERS[shapeOf(owner)];
    pen.fillStyle = owner === NOBODY ? "#9aa3b5" : "#ffffff";
    pen.strokeStyle = VOID;
    pen.lineWidth = this.ratio;
    for (const star of stars) {
      pen.beginPath();
      const px = x[star] * scale + dx;
      const py = y[star] * scale + dy;
      if (corners === null) {
        pen.moveTo(px + size, py);
        pen.arc(px, py, size, 0, 2 * Math.PI);
      } else {
        pen.moveTo(px + corners[0][0] * size, py + corners[0][1] * size);
        for (let at = 1; at < corners.length; at += 1) {
          pen.lineTo(px + corners[at][0] * size, py + corners[at][1] * size);
        }
        pen.closePath();
      }
      if (size > 2 * this.ratio) pen.stroke();
      pen.fill();
    }
  }

  /** Names of stars where there is room for them, and rings around what is pointed at. */
  drawOverlay() {
    const { over } = this;
    over.clearRect(0, 0, this.width, this.height);
    if (this.showNames && this.names) this.#labels();
    for (const [star, width] of [[this.hovered, 1.5], [this.selected, 2.5]]) {
      if (star < 0) continue;
      over.beginPath();
      const [x, y] = [this.replay.x[star] * this.scale + this.dx, this.replay.y[star] * this.scale + this.dy];
      over.arc(x, y, this.#markSize() + 5 * this.ratio, 0, 2 * Math.PI);
      over.lineWidth = (width + 2) * this.ratio;
      over.strokeStyle = "#000000";
      over.stroke();
      over.lineWidth = width * this.ratio;
      over.strokeStyle = "#ffb938";
      over.stroke();
    }
  }

  #labels() {
    const { over, scale, dx, dy, ratio } = this;
    const { x, y, owners } = this.replay;
    const taken = new Set();
    const most = Math.min(MOST_NAMES, FIRST_NAMES * this.zoom ** 2);
    const below = this.#markSize() + 2 * ratio;
    let written = 0;
    for (let star = 0; star < owners.length && written < most; star += 1) {
      const px = x[star] * scale + dx;
      const py = y[star] * scale + dy + below;
      if (!this.names[star] || owners[star] === UNSEEN) continue;
      if (px < 0 || py < 0 || px > this.width || py > this.height) continue;
      const label = this.#label(this.names[star]);
      const left = Math.round(px - label.width / 2);
      const spots = [];
      for (let column = left >> 3; column <= (left + label.width) >> 3; column += 1) {
        for (let row = py >> 3; row <= (py + label.height) >> 3; row += 1) spots.push(column * 65536 + row);
      }
      if (spots.some((spot) => taken.has(spot))) continue;
      for (const spot of spots) taken.add(spot);
      over.drawImage(label, left, Math.round(py));
      written += 1;
    }
  }

  /** A name as a picture: written once, then only put where it belongs. */
  #label(name) {
    const known = this.labels.get(name);
    if (known) return known;
    const made = document.createElement("canvas");
    const pen = made.getContext("2d");
    const size = 11.5 * this.ratio;
    const font = `600 ${size}px system-ui, sans-serif`;
    pen.font = font;
    made.width = Math.ceil(pen.measureText(name).width + 4 * this.ratio);
    made.height = Math.ceil(1.3 * size);
    Object.assign(pen, { font, textAlign: "center", textBaseline: "top", lineJoin: "round" });
    pen.lineWidth = 3 * this.ratio;
    pen.strokeStyle = VOID;
    pen.fillStyle = "#ffffff";
    pen.strokeText(name, made.width / 2, 2 * this.ratio);
    pen.fillText(name, made.width / 2, 2 * this.ratio);
    this.labels.set(name, made);
    return made;
  }
}

/** The least box that holds the discs of all stars; of a map without stars, a small one. */
function bounds(territory) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let star = 0; star < territory.x.length; star += 1) {
    const box = territory.disc(star);
    left = Math.min(left, box[0]);
    top = Math.min(top, box[1]);
    right = Math.max(right, box[2]);
    bottom = Math.max(bottom, box[3]);
  }
  return left === Infinity ? [-1, -1, 1, 1] : [left, top, right, bottom];
}
