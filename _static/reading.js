// What a reader has answered, read and reached, kept in this browser and nowhere else. Questions
// say how they were answered at first, chapters get a box to tick, and the page "Review"
// (review/review.js) brings back what was missed.

const reading = (() => {
  const KEY = "deep-learning-layer-by-layer";
  const NETWORK = `${KEY}-network`;
  // After how many days a question comes back: the next day, then rarer each time it is known.
  const WAITS = [1, 3, 7, 21];
  const DAY = /^\d{4}-\d\d-\d\d$/;
  // Where the browser keeps nothing (in some private windows), until the page is left.
  let memory = null;

  const empty = () => ({ version: 1, answers: {}, read: {}, points: {} });
  const isRecord = (what) => what !== null && typeof what === "object" && !Array.isArray(what);

  // What was kept or comes from a file, if it is what this script writes; null otherwise.
  const understood = (found) => {
    const whole = isRecord(found) && found.version === 1;
    if (!whole || ![found.answers, found.read, found.points].every(isRecord)) return null;
    const answers = Object.values(found.answers).every(
      ({ first, day, box, due }) =>
        typeof first === "boolean" &&
        DAY.test(day) &&
        (box === null || (Number.isInteger(box) && box >= 0 && box <= WAITS.length)) &&
        (due === null || DAY.test(due)),
    );
    const days = Object.values(found.read).every((day) => DAY.test(day));
    const points = Object.values(found.points).every((number) => number >= 0);
    if (!answers || !days || !points) return null;
    const { version, read } = found;
    return { version, answers: found.answers, read, points: found.points };
  };

  const load = () => {
    if (memory) return memory;
    try {
      return understood(JSON.parse(localStorage.getItem(KEY))) ?? empty();
    } catch {
      return empty();
    }
  };

  // Reads, changes and writes at once: another window may have written meanwhile.
  const change = (how) => {
    const state = load();
    how(state);
    try {
      localStorage.setItem(KEY, JSON.stringify(state));
      memory = null;
    } catch {
      memory = state;
    }
  };

  const today = () => {
    const now = new Date();
    const two = (number) => String(number).padStart(2, "0");
    return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  };
  const later = (day, days) =>
    new Date(Date.parse(`${day}T00:00Z`) + days * 864e5).toISOString().slice(0, 10);

  return {
    load,
    today,
    understood,
    keeps: () => memory === null,
    replace: (state) => change((old) => Object.assign(old, empty(), state)),
    // The first choice in a chapter counts; a reader then looks at the others, too.
    answered: (key, right) =>
      change(({ answers }) => {
        if (key in answers) return;
        const day = today();
        answers[key] = right
          ? { first: true, day, box: null, due: null }
          : { first: false, day, box: 0, due: later(day, WAITS[0]) };
      }),
    reviewed: (key, right) =>
      change(({ answers }) => {
        const box = right ? answers[key].box + 1 : 0;
        const due = box < WAITS.length ? later(today(), WAITS[box]) : null;
        Object.assign(answers[key], { box, due });
      }),
    tick: (page, read) =>
      change((state) => {
        if (read) state.read[page] = today();
        else delete state.read[page];
      }),
    score: (exercise, points) =>
      change((state) => {
        if (points === null) delete state.points[exercise];
        else state.points[exercise] = points;
      }),
    // The text of the reader's own network (live/digit.js), or null.
    network: () => {
      try {
        return localStorage.getItem(NETWORK);
      } catch {
        return null;
      }
    },
    // Keeps it, or with null removes it; says whether that could be done.
    keepNetwork: (text) => {
      try {
        if (text === null) localStorage.removeItem(NETWORK);
        else localStorage.setItem(NETWORK, text);
        return true;
      } catch {
        return false;
      }
    },
    forget: () => {
      memory = null;
      try {
        localStorage.removeItem(KEY);
        localStorage.removeItem(NETWORK);
      } catch {
        // Nothing was kept.
      }
    },
  };
})();

document.addEventListener("DOMContentLoaded", () => {
  const page = DOCUMENTATION_OPTIONS.pagename;
  const root = new URL(document.documentElement.dataset.content_root, location.href).href;

  // On the page "Review" the same questions are asked again, which is another thing.
  const isChapter = /^book\/(?!appendix\/)[^/]+\/(?!index$)/.test(page);

  for (const question of isChapter ? document.querySelectorAll("fieldset.question") : []) {
    question.addEventListener("change", ({ target }) => {
      const right = target.closest(".choice").querySelector(".answer").matches(".right");
      reading.answered(`${page}#${question.id}`, right);
    });
  }

  // Chapters that were read are marked in the list of chapters.
  const mark = () => {
    const { read } = reading.load();
    for (const link of document.querySelectorAll("nav.bd-links a")) {
      const name = link.href.split("#")[0].replace(root, "").replace(/\.html$/, "");
      link.querySelector(".reading-mark")?.remove();
      if (!(name in read)) continue;
      const done = document.createElement("span");
      done.className = "reading-mark";
      done.textContent = "✓";
      const words = document.createElement("span");
      words.className = "visually-hidden";
      words.textContent = " read";
      done.append(words);
      link.append(done);
    }
  };
  mark();

  const end = document.querySelector("footer.prev-next-footer");
  if (end && isChapter) {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.autocomplete = "off";
    box.checked = page in reading.load().read;
    box.addEventListener("change", () => {
      reading.tick(page, box.checked);
      mark();
    });
    label.append(box, " I have read this chapter");
    label.className = "reading-done";
    end.before(label);
  }
});
