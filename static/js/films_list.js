/** The list of films: a card that is pointed at, or has the focus, moves; unless nothing shall. */

const still = matchMedia("(prefers-reduced-motion: reduce)");

function move(image) {
  if (still.matches || image.dataset.poster) return;
  image.dataset.poster = image.src;
  image.src = image.dataset.preview;
}

function rest(image) {
  if (!image.dataset.poster) return;
  image.src = image.dataset.poster;
  delete image.dataset.poster;
}

for (const card of document.querySelectorAll("[data-film]")) {
  const image = card.querySelector("img[data-preview]");
  if (!image) continue;
  card.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && move(image));
  card.addEventListener("pointerleave", () => card.matches(":focus-within") || rest(image));
  card.addEventListener("focusin", () => move(image));
  card.addEventListener("focusout", () => card.matches(":hover") || rest(image));
}
