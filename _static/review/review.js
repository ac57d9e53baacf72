// The page "Review": what is due today, chapters and points, and what becomes of the data. The
// questions are in data.js beside this file, which course_lib/book/review.py writes.

document.addEventListener("DOMContentLoaded", () => {
  const place = (name) => document.querySelector(`[data-review="${name}"]`);
  const make = (tag, more = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), more);
    element.append(...children);
    return element;
  };
  const live = () => {
    const status = make("p");
    status.setAttribute("role", "status");
    return status;
  };
  const pages = new Map(review.chapters.map((chapter) => [chapter.page, chapter]));
  const number = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

  // Due today.

  const said = live();
  const stage = make("div");
  place("due").replaceChildren(said, stage);
  let asked = 0;

  const waiting = () =>
    Object.entries(reading.load().answers)
      .map(([key, answer]) => ({ key, ...answer }))
      .filter(({ key, due }) => due !== null && pages.get(key.split("#")[0])?.questions[key.split("#")[1]])
      .sort((one, other) => (one.due + one.key < other.due + other.key ? -1 : 1));

  const show = () => {
    const today = reading.today();
    const all = waiting();
    const due = all.filter((question) => question.due <= today);
    stage.replaceChildren();
    if (due.length) {
      said.textContent = `${number(due.length, "question")} due.`;
      ask(due[0].key, due.length - 1);
    } else if (all.length) {
      const more = `${number(all.length, "question")} will come back, the next on ${all[0].due}.`;
      said.textContent = `Nothing is due today. ${more}`;
    } else {
      said.textContent = "Nothing is due: no question that you answered waits to come back.";
    }
  };

  const ask = (key, left) => {
    const [page, id] = key.split("#");
    const chapter = pages.get(page);
    asked += 1;
    const heading = make(
      "h3",
      { tabIndex: -1 },
      "From ",
      make("a", { href: `../../${page}.html#${id}` }, chapter.subject),
    );
    const holder = make("div", { innerHTML: chapter.questions[id] });
    const question = holder.querySelector("fieldset");
    // Its ids and names are the chapter's; each asking has its own.
    for (const input of question.querySelectorAll("input")) {
      const label = question.querySelector(`label[for="${input.id}"]`);
      input.name = `review-${asked}`;
      input.id = label.htmlFor = `review-${asked}-${input.id}`;
    }
    prepareQuestion(question);
    const next = make("button", { type: "button", className: "review-button" });
    next.textContent = left ? "Next question" : "Finish";
    next.addEventListener("click", () => {
      show();
      (stage.querySelector("h3") ?? said).focus();
    });
    question.addEventListener(
      "change",
      ({ target }) => {
        const right = target.closest(".choice").querySelector(".answer").matches(".right");
        reading.reviewed(key, right);
        const { due } = reading.load().answers[key];
        const comes = due === null ? "It will not come back." : `It comes back on ${due}.`;
        stage.append(make("p", {}, comes), next);
        fill();
      },
      { once: true },
    );
    stage.replaceChildren(heading, holder);
  };
  said.tabIndex = -1;

  // Chapters and points.

  const fill = () => {
    const { answers, read, points } = reading.load();
    const rows = review.chapters.map(({ page, subject, exercise, of, questions }) => {
      const keys = Object.keys(questions).map((id) => `${page}#${id}`);
      const known = keys.filter((key) => key in answers);
      const right = known.filter((key) => answers[key].first).length;
      const box = make("input", { type: "checkbox", checked: page in read, autocomplete: "off" });
      box.setAttribute("aria-label", `${subject}: read`);
      box.addEventListener("change", () => reading.tick(page, box.checked));
      const reached = make("td");
      if (exercise) {
        const field = make("input", { type: "number", min: 0, max: of, step: 0.5 });
        field.value = points[exercise] ?? "";
        field.setAttribute("aria-label", `Points in the exercise ${exercise}, of ${of}`);
        field.addEventListener("change", () => {
          if (!field.reportValidity()) return;
          reading.score(exercise, field.value === "" ? null : Number(field.value));
          sum();
        });
        reached.append(field, ` of ${of}`);
      }
      const name = make("th", { scope: "row" }, make("a", { href: `../../${page}.html` }, subject));
      const told = known.length ? `${right} of ${known.length}` : "";
      return make("tr", {}, name, make("td", {}, box), make("td", {}, told), reached);
    });
    const heads = ["Chapter", "Read", "Right at first", "Points in the exercise"];
    const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
    const table = make("table", { className: "table" });
    table.append(make("thead", {}, head), make("tbody", {}, ...rows));
    place("chapters").replaceChildren(total, table);
    sum();
  };
  const total = live();
  const sum = () => {
    const { read, points } = reading.load();
    const reached = Object.values(points).reduce((one, other) => one + other, 0);
    total.textContent = `${number(Object.keys(read).length, "chapter")} read, ${reached} points.`;
  };

  // The data.

  const told = live();
  const button = (text, act) => {
    const made = make("button", { type: "button", className: "review-button" }, text);
    made.addEventListener("click", () => act(made));
    return made;
  };
  const again = () => {
    show();
    fill();
  };
  const file = make("input", { type: "file", accept: ".json,application/json", id: "review-file" });
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    let state = null;
    try {
      state = reading.understood(JSON.parse(await file.files[0].text()));
    } catch {
      // It is no JSON, which is told below.
    }
    if (state) reading.replace(state);
    told.textContent = state
      ? `${file.files[0].name} is here now, in place of what was kept.`
      : `${file.files[0].name} is no file that this page has exported. Nothing was changed.`;
    file.value = "";
    again();
  });
  const save = button("Export", () => {
    const content = new Blob([JSON.stringify(reading.load(), null, 2)], { type: "application/json" });
    const link = make("a", { href: URL.createObjectURL(content) });
    link.download = `reading-${reading.today()}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    told.textContent = `${link.download} was handed to your browser.`;
  });
  const ERASE = "Delete everything";
  const erase = button(ERASE, (itself) => {
    if (itself.textContent === ERASE) {
      itself.textContent = "Delete everything: press again";
      return;
    }
    itself.textContent = ERASE;
    reading.forget();
    told.textContent = "All answers, chapters and points were deleted, and the network that you kept.";
    again();
  });
  erase.addEventListener("blur", () => (erase.textContent = ERASE));
  const label = make("label", { htmlFor: file.id }, "Import a file: ");
  place("data").replaceChildren(make("p", {}, save, " ", erase), make("p", {}, label, file), told);

  again();
  if (!reading.keeps()) told.textContent = "This browser keeps nothing beyond this page.";
});
