/**
 * Before the front page is drawn (a plain script, so that nothing flickers): the layout that was
 * chosen last, and the filter that is remembered in this browser.
 */
(() => {
  const recall = (name) => {
    try {
      return JSON.parse(localStorage.getItem(`vigil.streams.${name}`));
    } catch {
      return null;
    }
  };
  const layout = recall("layout");
  if (["columns", "wide", "minimal"].includes(layout)) {
    document.documentElement.dataset.layout = layout;
  }
  const filter = recall("filter");
  if (typeof filter === "string" && filter && location.pathname === "/" && !location.search) {
    location.replace(`/?${filter}${location.hash}`);
  }
})();
