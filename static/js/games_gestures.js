/** Fingers, mouse and wheel on a map: drag to move, pinch and wheel to size, point, tap. */

const TAP = 8; // pixels that a finger may slip
const OTHER_MS = 400; // a wheel that turned the page goes on doing so for that long

export class Gestures {
  /**
   * @param {HTMLElement} view
   * @param {{zoom: number, zoomBy: function, panBy: function, hover: function, tap: function}} map
   */
  constructor(view, map) {
    this.view = view;
    this.map = map;
    this.fingers = new Map();
    this.turned = -Infinity;
    document.addEventListener("wheel", (event) => this.#elsewhere(event), { passive: true });
    view.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    view.addEventListener("pointerdown", (event) => this.#down(event));
    view.addEventListener("pointermove", (event) => this.#move(event));
    view.addEventListener("pointerup", (event) => this.#up(event, true));
    view.addEventListener("pointercancel", (event) => this.#up(event, false));
    view.addEventListener("pointerleave", () => this.map.hover(null, null));
    view.addEventListener("dblclick", (event) => {
      if (!event.target.closest("button")) this.map.zoomBy(2, event.clientX, event.clientY);
    });
  }

  #elsewhere(event) {
    if (!this.view.contains(event.target)) this.turned = performance.now();
  }

  #wheel(event) {
    const now = performance.now();
    // Who scrolls past the map, or has all of it before him already, wants to scroll the page.
    if (!event.ctrlKey && (now - this.turned < OTHER_MS || (this.map.zoom <= 1 && event.deltaY > 0))) {
      this.turned = now;
      return;
    }
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const speed = event.ctrlKey ? 100 : 400;
    this.map.zoomBy(Math.exp((-event.deltaY * lines) / speed), event.clientX, event.clientY);
  }

  #down(event) {
    if (event.target.closest("button") || (event.pointerType === "mouse" && event.button !== 0)) return;
    this.view.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.slipped = this.fingers.size > 1 ? Infinity : 0;
    this.view.classList.add("held");
  }

  #move(event) {
    const known = this.fingers.get(event.pointerId);
    if (!known) {
      if (event.pointerType === "mouse") this.map.hover(event.clientX, event.clientY);
      return;
    }
    const before = this.#middle();
    this.slipped += Math.hypot(event.clientX - known.x, event.clientY - known.y);
    known.x = event.clientX;
    known.y = event.clientY;
    if (this.slipped < TAP) return;
    const after = this.#middle();
    this.map.panBy(after.x - before.x, after.y - before.y);
    if (before.apart > 0 && after.apart > 0) this.map.zoomBy(after.apart / before.apart, after.x, after.y);
  }

  #up(event, well) {
    if (!this.fingers.delete(event.pointerId)) return;
    if (well && this.slipped < TAP) this.map.tap(event.clientX, event.clientY);
    if (!this.fingers.size) this.view.classList.remove("held");
  }

  #middle() {
    const all = [...this.fingers.values()];
    return {
      x: all.reduce((sum, one) => sum + one.x, 0) / all.length,
      y: all.reduce((sum, one) => sum + one.y, 0) / all.length,
      apart: all.length > 1 ? Math.hypot(all[0].x - all[1].x, all[0].y - all[1].y) : 0,
    };
  }
}
