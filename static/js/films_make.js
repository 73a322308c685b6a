/**
 * Asking for a film: the plan beside the form while it is filled in, boxes drawn over a frame,
 * tags of the chosen scenes only. Without this the plan is a page, and boxes are numbers.
 */

const WAIT = 450; // ms after the last change before the plan is asked for
const EDGES = ["left", "top", "right", "bottom"];
const LEAST = 2; // percent that a box is wide and high at least

/** Keep the plan beside the form up to date. */
function livePlan(form) {
  const aside = form.querySelector("[data-plan-aside]");
  const target = form.querySelector("[data-plan]");
  let timer = null;
  let asking = null;

  const values = () => {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value !== "") fields.append(name, value);
    fields.append("part", "1");
    return fields;
  };
  const ask = async (extra = {}) => {
    clearTimeout(timer);
    asking?.abort();
    asking = new AbortController();
    const mine = asking;
    target.setAttribute("aria-busy", "true");
    const fields = values();
    for (const [name, value] of Object.entries(extra)) fields.set(name, value);
    try {
      const answer = await fetch("/films/plan", { method: "POST", body: fields, signal: mine.signal });
      const text = await answer.text();
      if (mine !== asking) return;
      if (answer.headers.get("content-type")?.startsWith("text/html") && !answer.redirected) {
        show(text);
      }
    } catch (error) {
      if (error.name !== "AbortError") timer = setTimeout(ask, 5000);
    } finally {
      if (mine === asking) target.removeAttribute("aria-busy");
    }
  };
  const show = (text) => {
    const parsed = new DOMParser().parseFromString(text, "text/html");
    const failed = parsed.querySelector("[data-error-field], .notice.error");
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    if (failed) {
      // What was excluded stays in the form; only the words change.
      const old = target.querySelector(".notice.error[data-live]");
      old?.remove();
      failed.dataset.live = "";
      failed.removeAttribute("role");
      target.prepend(failed);
      const name = failed.dataset.errorField;
      const found = name && form.querySelectorAll(`[name="${CSS.escape(name)}"], [name="${CSS.escape(name)}_left"]`);
      for (const field of found || []) field.setAttribute("aria-invalid", "true");
    } else {
      const open = [...target.querySelectorAll("details")].map((one) => one.open);
      const focused = document.activeElement?.id;
      const scrolled = target.querySelector(".film-strip")?.scrollTop ?? 0;
      const plan = parsed.querySelector("[data-planned]");
      if (!plan) return;
      plan.querySelectorAll("details").forEach((one, n) => (one.open = open[n] ?? one.open));
      target.replaceChildren(plan);
      form.querySelector("[data-sum]").textContent = plan.querySelector(".film-sum").textContent.replace(/\s+/g, " ").trim();
      form.querySelectorAll("[data-carried]").forEach((one) => one.remove());
      const strip = target.querySelector(".film-strip");
      if (strip) strip.scrollTop = scrolled;
      if (focused) target.querySelector(`#${CSS.escape(focused)}`)?.focus({ preventScroll: true });
    }
    aside.hidden = false;
    target.dataset.shown = String(Number(target.dataset.shown ?? 0) + 1);
  };
  const soon = (event) => {
    if (event.target.name === "title") return;
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  target.addEventListener("click", (event) => {
    const turn = event.target.closest("button[name=strip]");
    if (!turn) return;
    event.preventDefault();
    ask({ strip: turn.value });
  });
  ask();
}

/** Shift ticks all frames of the strip between two. */
function tickRange(root) {
  let last = null;
  root.addEventListener("click", (event) => {
    const box = event.target.closest(".film-strip input[type=checkbox]");
    if (!box) return;
    const boxes = [...root.querySelectorAll(".film-strip input[type=checkbox]")];
    const [from, to] = [boxes.findIndex((one) => one.value === last), boxes.indexOf(box)];
    if (event.shiftKey && from >= 0) {
      for (const one of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
    }
    last = box.value;
  });
}

/** Only the tags of scenes that are chosen. */
function tagsOfScenes(form) {
  const update = () => {
    for (const group of form.querySelectorAll("[data-tags]")) {
      const scene = form.querySelector(`[name=scene][value="${CSS.escape(group.dataset.tags)}"]`);
      group.hidden = group.disabled = !scene?.checked;
    }
  };
  form.addEventListener("change", update);
  update();
}

/** A box drawn over a frame of the chosen scene, by pointer and keys; its numbers stay fields. */
function area(details, form) {
  const name = details.dataset.box;
  const inputs = EDGES.map((edge) => details.querySelector(`[name=${name}_${edge}]`));
  const stage = document.createElement("div");
  const canvas = document.createElement("canvas");
  const box = document.createElement("div");
  const picture = new Image();
  stage.className = "area-stage";
  stage.hidden = true;
  box.className = "area-box";
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  stage.append(canvas, box);
  details.append(stage);

  const number = (field, usual) => (field.value === "" ? usual : Number(field.value));
  const read = () => inputs.map((field, n) => number(field, n < 2 ? 0 : 100));
  const place = () => {
    const [left, top, right, bottom] = read();
    Object.assign(box.style, {
      left: `${left}%`,
      top: `${top}%`,
      width: `${Math.max(0, right - left)}%`,
      height: `${Math.max(0, bottom - top)}%`,
    });
    const said = `${left.toFixed(0)} to ${right.toFixed(0)} percent across, ${top.toFixed(0)} to ${bottom.toFixed(0)} down`;
    box.setAttribute("aria-label", `${details.querySelector("summary").textContent}: ${said}. Arrow keys move it, with Shift they size it.`);
  };
  const write = (edges, told = true) => {
    const bounded = edges.map((edge) => Math.min(100, Math.max(0, edge)));
    inputs.forEach((field, n) => (field.value = String(Math.round(bounded[n] * 10) / 10)));
    place();
    if (told) inputs[0].dispatchEvent(new Event("input", { bubbles: true }));
  };
  /** The picture turned, and for pan and zoom cropped, as the film will have it. */
  const draw = () => {
    if (!picture.naturalWidth) return;
    const turn = Number(form.querySelector("[name=rotate]").value);
    const across = turn % 180 !== 0;
    const size = [picture.naturalWidth, picture.naturalHeight];
    const turned = document.createElement("canvas");
    [turned.width, turned.height] = across ? [size[1], size[0]] : size;
    const pen = turned.getContext("2d");
    pen.translate(turned.width / 2, turned.height / 2);
    pen.rotate((turn * Math.PI) / 180);
    pen.drawImage(picture, -size[0] / 2, -size[1] / 2);
    const cut = name === "crop" ? [0, 0, 100, 100] : EDGES.map((edge, n) => number(form.querySelector(`[name=crop_${edge}]`), n < 2 ? 0 : 100));
    const [left, top, right, bottom] = cut.map((edge, n) => (edge / 100) * (n % 2 ? turned.height : turned.width));
    canvas.width = Math.max(1, Math.round(right - left));
    canvas.height = Math.max(1, Math.round(bottom - top));
    canvas.getContext("2d").drawImage(turned, left, top, right - left, bottom - top, 0, 0, canvas.width, canvas.height);
    stage.hidden = false;
    stage.dataset.drawn = `${canvas.width}×${canvas.height}`;
    place();
  };
  const load = () => {
    const scene = form.querySelector("[name=scene]:checked");
    if (!details.open || !scene?.dataset.frame) return;
    const url = `/api/v1/cameras/${scene.dataset.camera}/frames/${scene.dataset.frame}-640.jpg`;
    if (picture.getAttribute("src") !== url) picture.src = url;
    else draw();
  };

  let drag = null;
  const at = (event) => {
    const sides = stage.getBoundingClientRect();
    return [((event.clientX - sides.left) / sides.width) * 100, ((event.clientY - sides.top) / sides.height) * 100];
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    box.focus({ preventScroll: true });
    const [x, y] = at(event);
    const edges = read();
    const sides = stage.getBoundingClientRect();
    const near = (n, value) => Math.abs(((edges[n] - value) / 100) * (n % 2 ? sides.height : sides.width)) < 16;
    const whole = edges.join() === "0,0,100,100";
    const corner = [near(0, x) ? 0 : near(2, x) ? 2 : -1, near(1, y) ? 1 : near(3, y) ? 3 : -1];
    if (!whole && corner[0] >= 0 && corner[1] >= 0) drag = { kind: "corner", corner, edges };
    else if (!whole && x > edges[0] && x < edges[2] && y > edges[1] && y < edges[3]) drag = { kind: "move", x, y, edges };
    else drag = { kind: "new", x, y };
  });
  stage.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [x, y] = at(event).map((share) => Math.min(100, Math.max(0, share)));
    if (drag.kind === "move") {
      write(moved(drag.edges, x - drag.x, y - drag.y), false);
    } else if (drag.kind === "corner") {
      const edges = [...drag.edges];
      edges[drag.corner[0]] = x;
      edges[drag.corner[1]] = y;
      if (edges[2] - edges[0] >= LEAST && edges[3] - edges[1] >= LEAST) write(edges, false);
    } else {
      const edges = [Math.min(x, drag.x), Math.min(y, drag.y), Math.max(x, drag.x), Math.max(y, drag.y)];
      if (edges[2] - edges[0] >= LEAST && edges[3] - edges[1] >= LEAST) write(edges, false);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, () => {
      if (drag) write(read());
      drag = null;
    });
  }
  box.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const edges = read();
    if (!event.shiftKey) return write(moved(edges, ...step));
    edges[2] = Math.max(edges[0] + LEAST, edges[2] + step[0]);
    edges[3] = Math.max(edges[1] + LEAST, edges[3] + step[1]);
    return write(edges);
  });
  details.addEventListener("toggle", load);
  details.addEventListener("input", place);
  form.addEventListener("change", load);
  picture.addEventListener("load", draw);
  load();
}

/** A box moved as far as there is room. */
function moved([left, top, right, bottom], x, y) {
  const across = Math.min(100 - right, Math.max(-left, x));
  const down = Math.min(100 - bottom, Math.max(-top, y));
  return [left + across, top + down, right + across, bottom + down];
}

for (const form of document.querySelectorAll("[data-film-form]")) {
  tagsOfScenes(form);
  form.querySelectorAll("[data-box]").forEach((details) => area(details, form));
  livePlan(form);
}
for (const form of document.querySelectorAll("[data-film-form], [data-film-planned]")) tickRange(form);
