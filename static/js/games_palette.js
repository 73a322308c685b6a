/**
 * Colours and marks of players, the same as in films (vigil/games/drawing/colours.py).
 *
 * A player's hue follows from its number, shade and mark from the eights of it, so that no two of
 * 64 look alike even where hues cannot be told apart. "safe" is the palette of M. Okabe and K. Ito
 * (Color Universal Design, 2008), with a violet instead of their black: space is black already.
 */

export const VOID = "#000000";
export const UNOWNED = "#404040";
export const BORDER = "#000000";

export const PALETTES = {
  safe: ["#0072b2", "#e69f00", "#009e73", "#f0e442", "#56b4e9", "#d55e00", "#cc79a7", "#7570ff"],
  bright: ["#0000ff", "#00ffff", "#00ff00", "#ffff00", "#ff8000", "#ff0000", "#ff00ff", "#8000ff"],
};
const SHADES = [1, 0.5, 0.75, 0.25, 7 / 8, 5 / 8, 3 / 8, 1 / 8];

/** The colour of a player's territory as [r, g, b]. */
function rgb(name, player) {
  if (player < 0) return channels(UNOWNED);
  const shade = SHADES[Math.floor(player / 8) % 8];
  return channels((PALETTES[name] ?? PALETTES.safe)[player % 8]).map((value) => Math.floor(value * shade));
}

/** A player's colour, or nobody's, as CSS writes it. */
export const colour = remembered((name, player) => css(rgb(name, player)));

/** The same, as of somebody whom one does not look at now. */
export const faint = remembered((name, player) =>
  css(rgb(name, player).map((value) => Math.round(value * 0.3))),
);

function remembered(make) {
  const known = new Map();
  return (name, player) => {
    const key = `${name} ${player}`;
    if (!known.has(key)) known.set(key, make(name, player));
    return known.get(key);
  };
}

/** Which of eight marks a player's stars have. */
export const shapeOf = (player) => (player < 0 ? 0 : Math.floor(player / 8) % 8);

/** Corners of the marks, around (0, 0), about as large as a circle of radius 1; null is a circle. */
export const SHAPE_CORNERS = [
  null,
  polygon(4, Math.PI / 4, 1.25),
  polygon(3, -Math.PI / 2, 1.4),
  polygon(4, 0, 1.35),
  polygon(3, Math.PI / 2, 1.4),
  polygon(6, 0, 1.15),
  star(4, 1.6, 0.6),
  star(5, 1.55, 0.7),
];

function polygon(corners, turn, radius) {
  return Array.from({ length: corners }, (_, n) => {
    const angle = turn + (2 * Math.PI * n) / corners;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function star(points, outer, inner) {
  return Array.from({ length: 2 * points }, (_, n) => {
    const angle = (Math.PI * n) / points - Math.PI / 2;
    const radius = n % 2 ? inner : outer;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function channels(text) {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function css(values) {
  return `#${values.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
