/** Plays a film while it grows: hls.js where there is Media Source, else what the browser can. */

const CODECS = { h264: "avc1.640028", vp9: "vp09.00.40.08", av1: "av01.0.08M.08" };

export class Player {
  /**
   * @param {HTMLVideoElement} video
   * @param {string} source address of the playlist
   */
  constructor(video, source) {
    this.video = video;
    this.source = source;
    this.hls = null;
    this.attached = false;
    this.failing = false;
    this.names = new Map();
    this.at = 0;
    this.gone = new Set();
  }

  /** Whether this browser can play a film encoded like that. */
  can(codec) {
    const type = `video/mp4; codecs="${CODECS[codec] ?? CODECS.h264}"`;
    const media = window.MediaSource ?? window.ManagedMediaSource;
    return Boolean(media?.isTypeSupported(type) || this.video.canPlayType(type));
  }

  /** Begin, as soon as there is something. */
  attach() {
    if (this.attached) return;
    this.attached = true;
    if (window.Hls?.isSupported()) this.again(); // the file may be playing already
    else if (this.video.canPlayType("application/vnd.apple.mpegurl")) this.video.src = this.source;
  }

  begin(at) {
    const { Hls } = window;
    // A growing film is not a live one: it is watched from its beginning.
    const hls = new Hls({ startPosition: at, liveDurationInfinity: false, backBufferLength: 60 });
    hls.on(Hls.Events.ERROR, (_, data) => {
      if (data.frag && data.response?.code === 404) this.lost(data.frag.url);
      else if (!data.fatal) return;
      else if (data.type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
      else {
        this.failing = true; // the first piece may not be there yet, though others are
        setTimeout(() => hls === this.hls && this.retry(), 1000);
      }
    });
    hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => this.compare(details));
    this.failing = false;
    this.at = at;
    hls.loadSource(this.source);
    hls.attachMedia(this.video);
    this.hls = hls;
  }

  /** A late frame may have put another segment where one was: what is buffered is no longer so. */
  compare(details) {
    const names = new Map(details.fragments.map((one) => [one.sn, one.relurl]));
    const changed = [...names].some(([sn, name]) => (this.names.get(sn) ?? name) !== name);
    this.names = names;
    if (changed) this.again();
  }

  /**
   * A piece is not where the playlist says. The site may have been changed since that was read: a new
   * one has other addresses. If it has the same, there is nothing to do but what hls.js does, and
   * to look again when the server says that there is more.
   */
  lost(url) {
    if (this.gone.has(url)) this.failing = true;
    else {
      this.gone.add(url);
      this.again();
    }
  }

  /** Load everything anew, and go on from where it is, or from elsewhere. */
  again(at = this.video.currentTime) {
    const { video } = this;
    const playing = !video.paused && !video.ended;
    this.hls?.destroy();
    this.names = new Map();
    this.begin(at);
    if (playing) video.play().catch(() => {});
  }

  /** The server has said that there is more; the player looks for it only now and then. */
  more() {
    if (this.failing) this.retry();
    else this.hls?.startLoad(this.video.currentTime, true);
  }

  /** Load again what could not be loaded, and go on from where it is. */
  retry() {
    if (this.failing) this.again(this.video.currentTime || this.at);
  }
}
