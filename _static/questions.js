// Questions in a page (course_lib/book/questions.py). Without this script every explanation can be
// opened by hand; with it, the explanation of a choice opens when the choice is made.

const prepareQuestion = (question) => {
  const choices = [];
  // Some browsers restore what was chosen before the page was loaded anew.
  for (const input of question.querySelectorAll("input")) input.checked = false;
  for (const choice of question.querySelectorAll(":scope > .choice")) {
    const details = choice.querySelector(":scope > details.answer");
    const answer = document.createElement("div");
    answer.className = details.className;
    answer.hidden = true;
    details.querySelector("summary").remove();
    answer.append(...details.childNodes);
    // A live region must be there before its content changes, or screen readers stay silent.
    const status = document.createElement("div");
    status.setAttribute("role", "status");
    status.append(answer);
    details.replaceWith(status);
    choices.push({ input: choice.querySelector(":scope > input"), choice, answer });
  }
  const show = () => {
    for (const { input, choice, answer } of choices) {
      answer.hidden = !input.checked;
      choice.classList.toggle("chosen", input.checked);
    }
  };
  question.addEventListener("change", show);
  show();
};

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("fieldset.question").forEach(prepareQuestion);
});
