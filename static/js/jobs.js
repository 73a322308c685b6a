/**
 * Jobs as they change. The server sends a job as a piece of its own page; only the parts that
 * differ are swapped, so a button does not vanish from under a finger.
 */
import { listen } from "./site.js";

const LONGEST = 100; // rows of a page that grows

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

function update(shown, fresh) {
  for (const part of shown.querySelectorAll("[data-part]")) {
    const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (next && !part.isEqualNode(next)) part.replaceWith(next);
  }
}

function grow(place, fresh) {
  const body = place.querySelector("tbody");
  if (!body) {
    location.reload(); // the list was empty
    return;
  }
  body.prepend(fresh);
  while (body.rows.length > LONGEST) body.lastElementChild.remove();
}

for (const place of document.querySelectorAll("[data-jobs]")) {
  listen(place.dataset.jobs, {
    job({ id, html }) {
      const shown = place.querySelector(`[data-job="${id}"]`);
      const newest = Number(place.querySelector("[data-job]")?.dataset.job ?? 0);
      if (shown) update(shown, parse(html));
      else if ("jobsGrow" in place.dataset && id > newest) grow(place, parse(html));
    },
  });
}
