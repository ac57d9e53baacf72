// The search: results while one types, and a chapter's own subject first. Its index is large and
// loads when the search is opened. Sphinx's searchtools.js finds, and asks `Scorer` what it is
// worth.

const finder = { query: new URLSearchParams(location.search).get("q") ?? "" };

var Scorer = {
  // [page, title, anchor, description, score, file]. The title is "Page" or "Page > Section".
  score: ([page, title, anchor, description, score]) => {
    const stemmer = new Stemmer();
    const stems = (text) => splitQuery(text.toLowerCase()).map((word) => stemmer.stemWord(word));
    const asked = stems(finder.query);
    const same = (text) => stems(text).join(" ") === asked.join(" ");
    const within = (text) => asked.length && asked.every((stem) => stems(text).includes(stem));
    const [whole, section] = title.split(" > ");
    const chapter = /^book\/(?!appendix\/|teaching\/)[^/]+\/(?!index$)/.test(page);
    const subject = whole.split(":")[0];
    if (description) return same(title) ? score + 100 : score;
    if (!chapter) return score;
    if (anchor === "" && (same(subject) || same(page.split("/").pop()))) return score + 1000;
    if (section && same(section)) return score + 500;
    if (anchor === "" && within(subject)) return score + 300;
    return score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};

document.addEventListener("DOMContentLoaded", () => {
  const dialog = document.querySelector("#pst-search-dialog");
  const input = dialog?.querySelector("input[name=q]");
  if (!input || DOCUMENTATION_OPTIONS.pagename === "search") return;
  const MOST = 12;
  const root = document.documentElement.dataset.content_root;
  const said = document.createElement("p");
  said.setAttribute("role", "status");
  const list = document.createElement("ol");
  list.className = "find-results";
  dialog.append(said, list);

  const script = (file) =>
    new Promise((done, failed) => {
      const element = document.createElement("script");
      element.onload = done;
      element.onerror = () => failed(new Error(`${file} did not load`));
      element.src = root + file;
      document.head.append(element);
    });
  let loading = null;
  const load = () => {
    loading ??= (async () => {
      await script("_static/language_data.js");
      const typed = input.value;
      await script("_static/searchtools.js");
      // It fills all search fields from the address, in which there is no query.
      if (!input.value) input.value = typed;
      await script("searchindex.js");
    })();
    return loading;
  };

  const find = () => {
    finder.query = input.value.trim();
    list.replaceChildren();
    if (!finder.query) return (said.textContent = "");
    const found = Search._performSearch(...Search._parseQuery(finder.query));
    // Words are marked on the page that comes next: only on one that was found here.
    const words = localStorage.getItem("sphinx_highlight_terms");
    localStorage.removeItem("sphinx_highlight_terms");
    const shown = new Map();
    for (const [page, title, anchor, description] of found.reverse()) {
      const address = `${root}${page}${DOCUMENTATION_OPTIONS.LINK_SUFFIX}${anchor}`;
      if (!shown.has(address)) shown.set(address, { title, description });
    }
    const count = shown.size;
    said.textContent = count
      ? `${count} result${count === 1 ? "" : "s"}${count > MOST ? `, the first ${MOST} of them` : ""}`
      : "Nothing was found.";
    for (const [address, { title, description }] of [...shown].slice(0, MOST)) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = address;
      link.innerHTML = title;
      link.addEventListener("click", () => {
        if (words) localStorage.setItem("sphinx_highlight_terms", words);
        dialog.close();
      });
      item.append(link);
      if (description) item.append(` (${description})`);
      list.append(item);
    }
  };

  input.addEventListener("focus", () => load());
  input.addEventListener("input", async () => {
    await load();
    find();
  });
  // Down and up go through the results.
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const stops = [input, ...list.querySelectorAll("a")];
    const next = stops[stops.indexOf(document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
});
