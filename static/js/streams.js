/**
 * The front page: play the stream on top here, when asked to. Nothing is loaded from its source
 * (but the picture) before the button is pressed.
 */

const ALLOWED = "autoplay; fullscreen; encrypted-media; picture-in-picture";

function frame(address, title) {
  const made = document.createElement("iframe");
  made.src = address;
  made.title = title;
  made.allow = ALLOWED;
  return made;
}

/** Twitch plays only inside a page whose host name it is told. */
function twitch(channel, title) {
  const address = new URL("https://player.twitch.tv/");
  address.searchParams.set("channel", channel);
  address.searchParams.set("parent", location.hostname);
  address.searchParams.set("autoplay", "true");
  return frame(address, title);
}

function embed(url, title) {
  const address = new URL(url);
  address.searchParams.set("autoplay", "1");
  const made = frame(address, title);
  // A stranger's page: it may run its own scripts at its own origin, and not lead us away.
  made.setAttribute("sandbox", "allow-scripts allow-same-origin allow-popups allow-forms");
  return made;
}

let library = null;

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

async function hls(url, title, player, failed) {
  const video = document.createElement("video");
  video.controls = true;
  video.autoplay = true;
  video.playsInline = true;
  video.title = title;
  video.addEventListener("error", () => failed("the stream cannot be played"));
  if (video.canPlayType("application/vnd.apple.mpegurl")) {
    video.src = url;
    return video;
  }
  const Hls = await loadHls(player.dataset.hls);
  if (!Hls?.isSupported()) throw new Error("this browser cannot play it");
  const reader = new Hls();
  reader.on(Hls.Events.ERROR, (_, problem) => {
    if (!problem.fatal) return;
    reader.destroy();
    failed("its source does not deliver it");
  });
  reader.loadSource(url);
  reader.attachMedia(video);
  return video;
}

const player = document.querySelector("[data-player]");
const button = document.querySelector("[data-play]");
const notice = document.querySelector("[data-play-failed]");

function failed(why) {
  player.replaceChildren();
  notice.textContent = `Not here: ${why}. It may play at its own place.`;
  notice.hidden = false;
}

async function play() {
  const { player: kind, source, title } = player.dataset;
  button.hidden = true;
  notice.hidden = true;
  try {
    if (kind === "twitch") player.replaceChildren(twitch(source, title));
    else if (kind === "embed") player.replaceChildren(embed(source, title));
    else player.replaceChildren(await hls(source, title, player, failed));
  } catch (error) {
    failed(error.message);
  }
}

if (player && button) {
  button.hidden = false;
  button.addEventListener("click", play);
}
