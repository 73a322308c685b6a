/**
 * Plays a stream in the page with its source's own player: Twitch's embed, a page in a frame, or
 * HLS. It begins without sound, and by itself only where nobody asked for calm or for less data.
 */

const ALLOWED = "autoplay; fullscreen; encrypted-media; picture-in-picture";
const asks = (what) => matchMedia(`(${what}: reduce)`).matches;

/** Whether a player may start without being asked to. */
export const mayStart = () =>
  !asks("prefers-reduced-motion") && !asks("prefers-reduced-data") && !navigator.connection?.saveData;

let muted = true;
let reader = null;
let library = null;

/** Turn the sound on or off; false where only the player itself can. */
export function toggleSound(box) {
  const video = box.querySelector("video");
  if (!video) return false;
  video.muted = !video.muted;
  return true;
}

function frame(address, title) {
  const made = document.createElement("iframe");
  made.src = address;
  made.title = `Player: ${title}`;
  made.allow = ALLOWED;
  made.allowFullscreen = true;
  return made;
}

/** Twitch plays only inside a page whose host name it is told. */
function twitch(channel, title) {
  const address = new URL("https://player.twitch.tv/");
  address.searchParams.set("channel", channel);
  address.searchParams.set("parent", location.hostname);
  address.searchParams.set("autoplay", "true");
  address.searchParams.set("muted", String(muted));
  return frame(address, title);
}

function embed(url, title) {
  const address = new URL(url);
  if (!/^https?:$/.test(address.protocol)) throw new Error("its address is none of the web");
  address.searchParams.set("autoplay", "1");
  address.searchParams.set("muted", muted ? "1" : "0");
  const made = frame(address, title);
  // A stranger's page: it may run its own scripts at its own origin, and not lead us away.
  made.setAttribute("sandbox", "allow-scripts allow-same-origin allow-popups allow-forms");
  return made;
}

/** hls.js, loaded once, for browsers that do not play HLS themselves. */
function loadHls(address) {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(globalThis.Hls);
    script.onerror = () => {
      library = null;
      reject(new Error("the player could not be loaded"));
    };
    document.head.append(script);
  });
  return library;
}

function video(stream, title, failed) {
  const made = document.createElement("video");
  made.controls = true;
  made.autoplay = true;
  made.playsInline = true;
  made.muted = muted;
  made.setAttribute("aria-label", `Player: ${title}`);
  made.addEventListener("volumechange", () => (muted = made.muted));
  made.addEventListener("error", () => made.isConnected && failed("it cannot be played"));
  return made;
}

async function hls(url, made, address, failed) {
  if (made.canPlayType("application/vnd.apple.mpegurl")) {
    made.src = url;
    return;
  }
  const Hls = await loadHls(address);
  if (!made.isConnected) return; // another stream is on by now
  if (!Hls?.isSupported()) throw new Error("this browser cannot play it");
  const mine = new Hls();
  reader = mine;
  mine.on(Hls.Events.ERROR, (_, problem) => {
    if (!problem.fatal || reader !== mine) return;
    stop();
    failed("its source does not deliver it");
  });
  mine.loadSource(url);
  mine.attachMedia(made);
}

/** Let go of what plays. */
export function stop() {
  reader?.destroy();
  reader = null;
}

/** The stream's picture, 16:9 and so wide where the source offers sizes; null when there is none. */
export function picture(stream, width) {
  return (
    stream.thumbnail_url
      ?.replaceAll("{width}", width)
      .replaceAll("{height}", Math.floor((width * 9) / 16)) ?? null
  );
}

/** Show the picture only. */
export function still(box, stream) {
  stop();
  const address = picture(stream, 1280);
  if (!address) return box.replaceChildren();
  const image = document.createElement("img");
  image.className = "thumb";
  image.alt = "";
  image.referrerPolicy = "no-referrer";
  image.src = address;
  return box.replaceChildren(image);
}

/**
 * Play a stream in `box`; `failed` is called with the reason when it cannot be.
 *
 * @param {Element} box
 * @param {object} stream as /stream gives it
 * @param {{hls: string, failed: function(string): void}} options `hls`: address of hls.js
 */
export async function play(box, stream, options) {
  stop();
  const title = stream.title || stream.user_name;
  try {
    if (stream.player === "twitch") box.replaceChildren(twitch(stream.player_url, title));
    else if (stream.player === "embed") box.replaceChildren(embed(stream.player_url, title));
    else {
      const made = video(stream, title, options.failed);
      const address = picture(stream, 1280);
      if (address) made.poster = address;
      box.replaceChildren(made);
      await hls(stream.player_url, made, options.hls, options.failed);
    }
  } catch (error) {
    options.failed(error.message);
  }
}
