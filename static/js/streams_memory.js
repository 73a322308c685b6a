/**
 * What this browser remembers of the front page: what was seen, the last streams, the filter, the
 * layout. Nothing of it is sent anywhere but the keys of what was seen, to get something else.
 */

const PREFIX = "vigil.streams.";
const MOST_SEEN = 5000;
const MOST_HISTORY = 50;
const instead = new Map();

/** A value that was kept; `fallback` where there is none or the browser keeps nothing. */
export function recall(name, fallback = null) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return instead.get(name) ?? fallback;
  }
}

/** Keep a value; null forgets it. */
export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    instead.set(name, value);
  }
}

/** A list that was kept, whatever somebody may have put there. */
function list(name) {
  const found = recall(name, []);
  return Array.isArray(found) ? found : [];
}

/** A stream's name in addresses. */
export const keyOf = (stream) => `${stream.source}:${stream.id}`;

/** Keys of what was seen, the newest last. */
export const seen = () => list("seen").filter((key) => typeof key === "string" && key.length <= 400);

export function see(key) {
  keep("seen", [...seen().filter((other) => other !== key), key].slice(-MOST_SEEN));
}

/** Count these as not seen: all that match were, and it begins again. */
export function unsee(keys) {
  const gone = new Set(keys);
  keep("seen", seen().filter((key) => !gone.has(key)));
}

/** The last streams, the newest first: {key, title, name, category, at}. */
export const history = () => list("history").filter((entry) => typeof entry?.key === "string");

export function record(stream) {
  const entry = {
    key: keyOf(stream),
    title: stream.title || stream.user_name,
    name: stream.user_name,
    category: stream.game_name,
    at: new Date().toISOString(),
  };
  const others = history().filter((other) => other.key !== entry.key);
  keep("history", [entry, ...others].slice(0, MOST_HISTORY));
}

export function forgetHistory() {
  keep("history", null);
  keep("seen", null);
}
