/** A game's page: the player, the charts that go with its tick, links that lead to a tick. */

import { mark, Player, say } from "./games_player.js";
import { listen } from "./site.js";

const root = document.querySelector("[data-game-player]");

for (const place of document.querySelectorAll("[data-mark]")) {
  place.replaceWith(mark(Number(place.dataset.mark), "safe"));
}

/** Let a chart tell what was at a tick, and show which one. */
function follow(chart) {
  const ticks = chart.dataset.ticks.split(",").map(Number);
  const slider = chart.querySelector("[data-chart-slider]");
  const line = chart.querySelector("[data-cursor]");
  const plot = chart.querySelector("[data-plot]");
  const rows = [...chart.querySelectorAll("[data-legend]")].map((row) => ({
    cell: row.querySelector("[data-value]"),
    values: row.dataset.values.split(",").map(Number),
  }));
  for (const element of chart.querySelectorAll("[data-js]")) element.hidden = false;
  const show = (tick) => {
    const [first, last] = [ticks[0], ticks.at(-1)];
    const place = ((tick - first) / (last - first)) * plot.viewBox.baseVal.width;
    line.setAttribute("x1", place);
    line.setAttribute("x2", place);
    line.setAttribute("visibility", "visible");
    slider.value = tick;
    const at = ticks.findLastIndex((one) => one <= tick);
    chart.querySelector("[data-chart-tick]").textContent = ticks[at];
    for (const { cell, values } of rows) {
      say(cell, values[at] >= 0 ? values[at].toLocaleString() : "–");
    }
  };
  const go = (tick) => (root?.player ? root.player.step(tick - root.player.replay.tick) : show(tick));
  slider.addEventListener("input", () => go(Number(slider.value)));
  plot.addEventListener("click", (event) => {
    const box = plot.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    go(Math.round(ticks[0] + share * (ticks.at(-1) - ticks[0])));
  });
  return show;
}

let charts = [];

function followAll() {
  charts = [...document.querySelectorAll("[data-chart]")].map(follow);
  if (root?.player) for (const show of charts) show(root.player.replay.tick);
}

/** Show another chart without leaving the tick that is shown. */
async function another(link) {
  const answer = await fetch(link.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return location.assign(link.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const section = document.importNode(fresh.querySelector("#totals"), true);
  for (const place of section.querySelectorAll("[data-mark]")) {
    place.replaceWith(mark(Number(place.dataset.mark), "safe"));
  }
  document.querySelector("#totals").replaceWith(section);
  history.replaceState(null, "", link.href);
  section.querySelector("[aria-current]").focus();
  return followAll();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const metric = event.target.closest?.("[data-metric]");
  const link = event.target.closest?.("[data-to-tick]");
  if (metric) {
    event.preventDefault();
    another(metric);
  } else if (link && root?.player) {
    event.preventDefault();
    const { player } = root;
    player.step(Number(link.dataset.toTick) - player.replay.tick);
    player.select(player.replay.ids.indexOf(link.dataset.toStar));
    root.scrollIntoView({ block: "start" });
  }
}

async function open() {
  try {
    await Player.open(root);
  } catch (error) {
    const notice = root.querySelector("[data-broken]");
    notice.hidden = false;
    notice.textContent = `The player cannot be shown: ${error.message}`;
    return;
  }
  for (const element of root.querySelectorAll("[data-still]")) element.hidden = true;
  root.player.map.resize(); // it has its place only now
  const all = root.querySelector("[data-stars-link]");
  root.addEventListener("tick", ({ detail }) => {
    for (const show of charts) show(detail);
    all.href = all.href.replace(/tick=\d+/, `tick=${detail}`);
  });
}

/** Say that there is more by now than this page shows. */
function changed(notice, { tick, state }) {
  const { knownTick, knownState } = notice.dataset;
  const later = String(tick ?? "") !== knownTick;
  notice.hidden = !later && state === knownState;
  const told = later ? `Tick ${tick} is recorded by now.` : "The game has changed.";
  say(notice.querySelector("[data-news-text]"), `${told} Show it`);
}

const notice = document.querySelector("[data-news]");
if (notice) listen(notice.dataset.news, { game: (game) => changed(notice, game) });
document.addEventListener("click", pressed);
if (root) open().then(followAll);
else followAll();
