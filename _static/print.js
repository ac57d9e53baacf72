// Paper is light, whatever mode the page is read in, and nothing on it can be clicked: the answers
// to its questions are at its end. (course.css has the rest.)

const paper = window.matchMedia("print");

const printedAnswers = () => {
  const asked = [...document.querySelectorAll(".bd-article fieldset.question")];
  if (!asked.length || document.querySelector(".printed-answers")) return;
  const answers = document.createElement("section");
  answers.className = "printed-answers";
  const title = document.createElement("p");
  title.className = "rubric";
  title.textContent = "Answers";
  const list = document.createElement("ol");
  for (const question of asked) {
    const choices = document.createElement("ol");
    for (const answer of question.querySelectorAll(".choice .answer")) {
      const told = document.createElement("li");
      for (const part of answer.cloneNode(true).children) {
        if (part.localName !== "summary") told.append(part.cloneNode(true), " ");
      }
      told.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
      choices.append(told);
    }
    const item = document.createElement("li");
    item.append(choices);
    list.append(item);
  }
  answers.append(title, list);
  document.querySelector(".bd-article").append(answers);
};

const toPaper = () => {
  const root = document.documentElement;
  if (root.dataset.theme === "dark") {
    root.dataset.theme = "light";
    root.dataset.printed = "dark";
  }
  printedAnswers();
};

const toScreen = () => {
  const root = document.documentElement;
  if (root.dataset.printed) {
    root.dataset.theme = root.dataset.printed;
    delete root.dataset.printed;
  }
  document.querySelector(".printed-answers")?.remove();
};

paper.addEventListener("change", () => (paper.matches ? toPaper() : toScreen()));
window.addEventListener("beforeprint", toPaper);
window.addEventListener("afterprint", toScreen);
