/** The small pictures along a film: cues of WebVTT that name pieces of sheets. */

import { lastAtMost } from "./films_time.js";

const CUE = /^([\d:.]+) --> ([\d:.]+)\s+(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;

function seconds(clock) {
  return clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

export class Thumbs {
  constructor(url) {
    this.url = url;
    this.starts = [];
    this.cues = [];
  }

  async load() {
    const answer = await fetch(this.url);
    if (!answer.ok) return;
    const text = await answer.text();
    const cues = [...text.matchAll(CUE)].map((m) => ({
      start: seconds(m[1]),
      sheet: new URL(m[3], answer.url).href,
      box: m.slice(4).map(Number),
    }));
    this.cues = cues;
    this.starts = cues.map((cue) => cue.start);
  }

  /** Show the picture of a time of the film in an element; false when there is none. */
  show(element, at) {
    const cue = this.cues[Math.max(0, lastAtMost(this.starts, at))];
    if (!cue) return false;
    const [x, y, width, height] = cue.box;
    element.style.width = `${width}px`;
    element.style.height = `${height}px`;
    element.style.backgroundImage = `url("${cue.sheet}")`;
    element.style.backgroundPosition = `-${x}px -${y}px`;
    element.dataset.sheet = cue.sheet;
    return true;
  }
}
