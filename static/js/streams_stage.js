/** The stage: a player, the button that starts it, and what is said where it does not play. */

import { mayStart, play, still, stop, toggleSound } from "./streams_play.js";

/** Put a link where it can be pasted; says so in its own place. */
export async function share(element, address) {
  try {
    if (navigator.share && matchMedia("(pointer: coarse)").matches) {
      await navigator.share({ url: address });
      return;
    }
    await navigator.clipboard.writeText(address);
    const before = element.textContent;
    element.textContent = "Link copied";
    setTimeout(() => (element.textContent = before), 2500);
  } catch (error) {
    if (error.name !== "AbortError") prompt("The link:", address);
  }
}

/** Address of a stream's own page; `filter`: of the front page that it leads back to. */
export function pageOf(key, filter = "") {
  const [, source, id] = key.match(/^([^:]*):(.*)$/s) ?? [null, "", key];
  const path = `/streams/${encodeURIComponent(source)}/${encodeURIComponent(id)}`;
  return filter ? `${path}?${filter}` : path;
}

export class Stage {
  #root;
  #box;
  #button;
  #started = mayStart();
  #stream = null;

  constructor(root) {
    this.#root = root;
    this.#box = root.querySelector("[data-player]");
    this.#button = root.querySelector("[data-play]");
    this.#button.addEventListener("click", () => {
      this.#started = true;
      this.#start();
    });
    window.addEventListener("pagehide", stop);
  }

  /** Put a stream on; it plays where nobody asked for calm, or once somebody pressed the button. */
  put(stream) {
    this.#stream = stream;
    this.problem("");
    // Grown-up things begin when somebody presses the button; Twitch asks by itself.
    if (this.#started && (!stream.is_mature || stream.player === "twitch")) {
      this.#start();
    } else {
      still(this.#box, stream);
      this.#button.hidden = false;
    }
  }

  /** Say what is wrong; nothing is with an empty text. */
  problem(text) {
    const notice = this.#root.querySelector("[data-problem]");
    notice.textContent = text;
    notice.hidden = !text;
  }

  /** Turn the sound on or off. */
  sound() {
    toggleSound(this.#box);
  }

  #start() {
    const stream = this.#stream;
    this.#button.hidden = true;
    play(this.#box, stream, {
      hls: this.#root.dataset.hls,
      failed: (why) => {
        still(this.#box, stream);
        this.problem(`Not here: ${why}. It may play at its own place.`);
      },
    });
  }
}
