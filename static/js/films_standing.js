/** The page of a standing film: plays its newest film, also while that grows. */

const video = document.querySelector("[data-standing]");
const Hls = window.Hls;

// A film that is one file plays by itself; so does a playlist where the browser knows them.
if (video && !video.querySelector("source:not([type])") && Hls?.isSupported()) {
  const player = new Hls({ startPosition: 0, liveDurationInfinity: false, backBufferLength: 60 });
  player.on(Hls.Events.ERROR, (_, data) => {
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) player.recoverMediaError();
    else setTimeout(() => player.loadSource(video.dataset.standing), 3000);
  });
  player.loadSource(video.dataset.standing);
  player.attachMedia(video);
}
