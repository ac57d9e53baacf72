// Paper is light: a page that is read in the dark mode prints in the light one.

const paper = window.matchMedia("print");

paper.addEventListener("change", () => {
  const root = document.documentElement;
  if (paper.matches && root.dataset.theme === "dark") {
    root.dataset.theme = "light";
    root.dataset.printed = "dark";
  } else if (!paper.matches && root.dataset.printed) {
    root.dataset.theme = root.dataset.printed;
    delete root.dataset.printed;
  }
});
