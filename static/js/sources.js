/**
 * Sources as they change: the server says that something did, the list is fetched, and only the
 * parts that differ are swapped, so that nothing closes or vanishes from under a finger.
 */
import { listen } from "./site.js";

const place = document.getElementById("sources");
const cards = (root) => [...root.querySelectorAll("[data-source]")];
const shape = (root) =>
  cards(root)
    .map((card) => `${card.dataset.source} ${card.querySelectorAll("details").length}`)
    .join();

let busy = false;
let again = false;

function swap(fresh) {
  const working = place.contains(document.activeElement) && document.activeElement.form;
  if (shape(place) !== shape(fresh)) {
    // A source came or went; wait while somebody types.
    if (!working) place.replaceChildren(...fresh.childNodes);
    return;
  }
  const shown = cards(place);
  cards(fresh).forEach((card, index) => {
    const parts = shown[index].querySelectorAll("[data-part]");
    card.querySelectorAll("[data-part]").forEach((part, number) => {
      const old = parts[number];
      if (old.contains(document.activeElement) || part.isEqualNode(old)) return;
      old.replaceWith(part);
    });
  });
}

async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    do {
      again = false;
      const answer = await fetch("/sources/list");
      if (!answer.ok) break;
      swap(new DOMParser().parseFromString(await answer.text(), "text/html").body);
    } while (again);
  } catch {
    // The line is cut; site.js says so, and the next event asks again.
  } finally {
    busy = false;
  }
}

if (place) listen("/sources/events", { changed: refresh });
