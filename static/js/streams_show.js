/** Fills a stream into what the server has drawn: the text beside the player, and cards. */

import { keyOf } from "./streams_memory.js";
import { picture } from "./streams_play.js";

const languages = new Intl.DisplayNames(undefined, { type: "language", fallback: "code" });
const MOST_TAGS = 12;

const field = (root, name) => root.querySelector(`[data-f="${name}"]`);
const query = (name, value) => `/?${new URLSearchParams({ [name]: value })}`;

/** Name of a language in the visitor's own. */
export function languageName(code) {
  try {
    return languages.of(code) ?? code;
  } catch {
    return code;
  }
}

/** "nobody watching" or "3 watching". */
export const watching = (count) =>
  count === 0 ? "nobody watching" : `${count.toLocaleString()} watching`;

export const titleOf = (stream) => stream.title || stream.user_name || stream.url;

/** An address that may stand in a link: nothing but the web. */
const webOnly = (address) => (/^https?:/i.test(address) ? address : "#");

function isolated(text) {
  const made = document.createElement("bdi");
  made.dir = "auto";
  made.textContent = text;
  return made;
}

function common(root, stream) {
  field(root, "title").textContent = titleOf(stream);
  field(root, "name").textContent = stream.user_name;
  const viewers = field(root, "watching");
  viewers.textContent = watching(stream.viewer_count);
  viewers.classList.toggle("ok", stream.viewer_count < 2);
  field(root, "mature").hidden = !stream.is_mature;
  field(root, "category-part").hidden = !stream.game_name;
  const since = field(root, "since");
  since.dateTime = stream.started_at ?? "";
  since.hidden = !stream.started_at;
}

/** The text beside the player; `page`: address of the stream's own page. */
export function describe(root, stream, page) {
  common(root, stream);
  const category = field(root, "category");
  category.replaceChildren(isolated(stream.game_name));
  category.href = query("category", stream.game_name);
  field(root, "since-part").hidden = !stream.started_at;
  field(root, "source").textContent = stream.source;
  const language = field(root, "language");
  language.hidden = !stream.language;
  language.textContent = stream.language && languageName(stream.language);
  language.href = query("languages", stream.language);
  const tags = field(root, "tags");
  tags.hidden = !stream.tags.length;
  tags.replaceChildren(
    ...stream.tags.slice(0, MOST_TAGS).map((tag) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = query("tags", tag);
      link.append(isolated(tag));
      item.append(link);
      return item;
    }),
  );
  field(root, "url").href = webOnly(stream.url);
  field(root, "page").href = page;
}

/** A card of the grid, made of the page's template. */
export function card(template, stream, address) {
  const made = template.content.firstElementChild.cloneNode(true);
  common(made, stream);
  made.dataset.key = keyOf(stream);
  field(made, "category").textContent = stream.game_name;
  const link = made.querySelector("[data-watch]");
  link.href = address;
  link.dataset.watch = keyOf(stream);
  const source = picture(stream, 440);
  if (source) {
    const image = document.createElement("img");
    Object.assign(image, { className: "thumb", alt: "", width: 440, height: 247 });
    image.loading = "lazy";
    image.referrerPolicy = "no-referrer";
    image.src = source;
    made.querySelector(".thumb").replaceWith(image);
  }
  return made;
}
