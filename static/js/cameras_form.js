/**
 * The form of a camera: how its test goes, the options of its kind alone, and what a turn and a
 * crop leave of the picture. Without this all options are shown, and a page loads itself again
 * until the test is over.
 */

import { listen } from "./site.js";

/** Follow a test; the page is loaded again when it is over, with all that was typed meanwhile. */
function follow(section) {
  if (!["waiting", "asking"].includes(section.dataset.state)) return;
  const line = listen(`/camera-trials/${section.dataset.trial}/events`, {
    trial: (trial) => {
      section.querySelector("[data-trial-message]").textContent = trial.message;
      if (!["done", "failed"].includes(trial.state)) return;
      line.close();
      location.reload();
    },
  });
}

/** Show the options of the chosen kind; of all while it is to be guessed. */
function choose(form) {
  const kind = form.querySelector("[data-kind]");
  const address = form.querySelector("[name=url]");
  const update = () => {
    for (const part of form.querySelectorAll("[data-options]")) {
      part.hidden = part.dataset.options !== kind.value && kind.value !== "";
    }
    const example = kind.selectedOptions[0].dataset.example;
    address.placeholder = example ?? "";
    address.closest("label").hidden = example === "";
  };
  kind.addEventListener("change", update);
  update();
}

/** Draw the picture turned, what is cut off in the shade; the frame can be drawn with the mouse. */
function crop(fields) {
  const canvas = fields.querySelector("canvas");
  if (!canvas.dataset.src) return;
  const inputs = ["left", "top", "right", "bottom"].map((name) =>
    fields.querySelector(`[name=${name}]`),
  );
  const rotation = fields.querySelector("[name=rotation]");
  const picture = new Image();
  const draw = () => {
    const turn = Number(rotation.value);
    const across = turn % 180 !== 0;
    const [width, height] = across
      ? [picture.naturalHeight, picture.naturalWidth]
      : [picture.naturalWidth, picture.naturalHeight];
    const scale = Math.min(1, 640 / Math.max(width, height));
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d");
    pen.translate(canvas.width / 2, canvas.height / 2);
    pen.rotate((turn * Math.PI) / 180);
    const drawn = [picture.naturalWidth * scale, picture.naturalHeight * scale];
    pen.drawImage(picture, -drawn[0] / 2, -drawn[1] / 2, ...drawn);
    pen.resetTransform();
    const [left, top, right, bottom] = inputs.map((input) => Number(input.value) / 100);
    pen.fillStyle = "rgb(5 8 15 / 70%)";
    pen.beginPath();
    pen.rect(0, 0, canvas.width, canvas.height);
    const box = [left * canvas.width, top * canvas.height];
    box.push((right - left) * canvas.width, (bottom - top) * canvas.height);
    pen.rect(...box);
    pen.fill("evenodd");
    pen.strokeStyle = "#ffb938";
    pen.lineWidth = 2;
    pen.strokeRect(...box);
    canvas.dataset.drawn = `${canvas.width}×${canvas.height}`;
  };
  let corner = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const share = (value, size) => Math.min(100, Math.max(0, (value / size) * 100));
    return [share(event.clientX - box.left, box.width), share(event.clientY - box.top, box.height)];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    corner = at(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!corner) return;
    const other = at(event);
    const edges = [0, 1].map((n) => Math.min(corner[n], other[n]));
    edges.push(...[0, 1].map((n) => Math.max(corner[n], other[n])));
    if (edges[2] - edges[0] < 2 || edges[3] - edges[1] < 2) return; // a click is no crop
    inputs.forEach((input, n) => (input.value = edges[n].toFixed(1)));
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => (corner = null));
  }
  fields.addEventListener("input", draw);
  picture.addEventListener("load", () => {
    canvas.hidden = false;
    draw();
  });
  picture.src = canvas.dataset.src;
}

document.querySelectorAll("[data-trial]").forEach(follow);
document.querySelectorAll("[data-camera-form]").forEach(choose);
document.querySelectorAll("[data-crop]").forEach(crop);
