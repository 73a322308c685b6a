/**
 * Looking at frames: one as close as one likes, two one over the other, the next one by a key.
 * Without this the links lead to the picture itself, and two stand side by side.
 */

const MOST = 16;
const STEP = 1.25;

/** The dialog in which a picture is moved and sized by wheel, fingers, mouse and keys. */
function zoom(dialog) {
  const pane = dialog.querySelector(".zoom-pane");
  const picture = dialog.querySelector("[data-zoom-picture]");
  const level = dialog.querySelector("[data-zoom-level]");
  const fingers = new Map();
  const view = { scale: 1, x: 0, y: 0 };

  const show = () => {
    // What is larger than the pane is never dragged out of sight.
    const room = (size, full) => Math.max(0, (size * view.scale - full) / 2);
    const x = room(picture.clientWidth, pane.clientWidth);
    const y = room(picture.clientHeight, pane.clientHeight);
    view.x = Math.min(x, Math.max(-x, view.x));
    view.y = Math.min(y, Math.max(-y, view.y));
    picture.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    const shown = (picture.clientWidth * view.scale) / (picture.naturalWidth || 1);
    level.textContent = `${Math.round(shown * 100)} %`;
  };
  /** Size it, what lies under a point of the window staying there. */
  const size = (factor, at) => {
    const box = pane.getBoundingClientRect();
    const x = (at?.x ?? box.left + box.width / 2) - box.left - box.width / 2;
    const y = (at?.y ?? box.top + box.height / 2) - box.top - box.height / 2;
    const next = Math.min(MOST, Math.max(1, view.scale * factor));
    const real = next / view.scale;
    view.x = x - (x - view.x) * real;
    view.y = y - (y - view.y) * real;
    view.scale = next;
    show();
  };
  const fit = () => {
    Object.assign(view, { scale: 1, x: 0, y: 0 });
    show();
  };
  const middle = () => {
    const all = [...fingers.values()];
    return {
      x: all.reduce((sum, one) => sum + one.x, 0) / all.length,
      y: all.reduce((sum, one) => sum + one.y, 0) / all.length,
      apart: all.length > 1 ? Math.hypot(all[0].x - all[1].x, all[0].y - all[1].y) : 0,
    };
  };

  pane.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      size(Math.exp(-event.deltaY / 400), { x: event.clientX, y: event.clientY });
    },
    { passive: false },
  );
  pane.addEventListener("pointerdown", (event) => {
    pane.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  pane.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = middle();
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const after = middle();
    view.x += after.x - before.x;
    view.y += after.y - before.y;
    if (before.apart) size(after.apart / before.apart, after);
    else show();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    pane.addEventListener(name, (event) => fingers.delete(event.pointerId));
  }
  pane.addEventListener("dblclick", () => (view.scale > 1 ? fit() : size(3)));
  dialog.addEventListener("keydown", (event) => {
    const far = 60;
    const keys = {
      "+": () => size(STEP),
      "=": () => size(STEP),
      "-": () => size(1 / STEP),
      0: fit,
      ArrowLeft: () => (view.x += far),
      ArrowRight: () => (view.x -= far),
      ArrowUp: () => (view.y += far),
      ArrowDown: () => (view.y -= far),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
    show();
  });
  dialog.querySelector("[data-zoom-in]").addEventListener("click", () => size(STEP));
  dialog.querySelector("[data-zoom-out]").addEventListener("click", () => size(1 / STEP));
  dialog.querySelector("[data-zoom-fit]").addEventListener("click", fit);
  dialog.querySelector("[data-zoom-close]").addEventListener("click", () => dialog.close());
  picture.addEventListener("load", fit);
  window.addEventListener("resize", show);
  return (url) => {
    picture.src = url;
    dialog.showModal();
    fit();
    pane.focus();
  };
}

/** Two pictures one over the other; a slider, also dragged on the picture, divides them. */
function compare(root) {
  const slider = root.querySelector("input");
  const first = root.querySelector("figure:first-of-type img");
  root.classList.add("over");
  slider.closest("label").hidden = false;
  const divide = () => {
    first.style.clipPath = `inset(0 ${100 - slider.value}% 0 0)`;
    root.style.setProperty("--at", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${slider.value} percent of the first picture`);
  };
  const drag = (event) => {
    const box = first.getBoundingClientRect();
    slider.value = ((event.clientX - box.left) / box.width) * 100;
    divide();
  };
  root.addEventListener("pointerdown", (event) => {
    if (event.target.closest("figcaption, label")) return;
    root.setPointerCapture(event.pointerId);
    drag(event);
  });
  root.addEventListener("pointermove", (event) => {
    if (root.hasPointerCapture(event.pointerId)) drag(event);
  });
  slider.addEventListener("input", divide);
  divide();
}

/** ← and → lead where the links say "previous" and "next". */
function turnPages(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest?.("input, select, textarea, dialog, [data-compare]")) return;
  const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const link = rel && document.querySelector(`a[rel=${rel}]`);
  if (link) location.assign(link.href);
}

const dialog = document.querySelector("dialog.zoom");
if (dialog) {
  const open = zoom(dialog);
  for (const link of document.querySelectorAll("[data-zoom]")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(link.href);
    });
  }
}
document.querySelectorAll("[data-compare]").forEach(compare);
document.addEventListener("keydown", turnPages);
