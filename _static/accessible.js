// Small repairs to what the theme and myst-nb write, for people who use a screen reader or say
// aloud what they want to press.

document.addEventListener("DOMContentLoaded", () => {
  // These say what they are for in their text; a label would replace it by another.
  for (const element of document.querySelectorAll("button.search-button-field[aria-label]")) {
    element.removeAttribute("aria-label");
  }

  // The button for light and dark says which mode it is in, not only what it changes.
  const root = document.documentElement;
  const names = { light: "Light", dark: "Dark", auto: "System Settings" };
  const tell = () => {
    for (const button of document.querySelectorAll("button.theme-switch-button")) {
      button.setAttribute("aria-label", `Color mode: ${names[root.dataset.mode] ?? names.auto}`);
    }
  };
  new MutationObserver(tell).observe(root, { attributeFilter: ["data-mode"] });
  tell();
});
