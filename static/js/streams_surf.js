/** Surfing: another stream every so many seconds, except while somebody looks closer. */

const STEP_MS = 250;
const LONGEST_STEP_MS = 1000; // a browser calls less often while the page is hidden: no time passes

/**
 * @param {{seconds: function(): number, paused: function(): boolean, next: function(): Promise<void>,
 *   tell: function({on: boolean, paused: boolean, left: number, of: number}): void}} options
 * @returns {{toggle: function(): boolean, again: function(): void, on: function(): boolean}}
 */
export function surfing(options) {
  let timer = null;
  let left = 0;
  let last = 0;
  let busy = false;

  const tell = (paused) =>
    options.tell({ on: timer !== null, paused, left: Math.max(0, left), of: options.seconds() });

  async function step() {
    const now = performance.now();
    const paused = busy || options.paused();
    if (!paused) left -= Math.min(now - last, LONGEST_STEP_MS) / 1000;
    last = now;
    if (left <= 0 && !paused) {
      busy = true;
      left = options.seconds();
      await options.next().catch(() => {});
      busy = false;
    }
    if (timer !== null) tell(paused);
  }

  return {
    /** Begin or stop; returns whether it surfs now. */
    toggle() {
      clearInterval(timer);
      timer = timer === null ? setInterval(step, STEP_MS) : null;
      last = performance.now();
      left = options.seconds();
      tell(false);
      return timer !== null;
    },
    /** Stay the whole time from now on: the stream, or the time to stay, was changed. */
    again() {
      left = options.seconds();
      if (timer !== null) tell(false);
    },
    on: () => timer !== null,
  };
}
