// Figures that move (course_lib/plotting/animation.py): one SVG holds all frames, and the fragment
// of its address says which one is shown. Nothing moves before somebody asks for it.

document.addEventListener("DOMContentLoaded", () => {
  for (const image of document.querySelectorAll("img.animation")) {
    const told = (name) =>
      Number([...image.classList].find((c) => c.startsWith(`${name}-`)).slice(name.length + 1));
    const frames = told("frames");
    const milliseconds = told("milliseconds");
    const file = image.src.split("#")[0];
    let timer = null;

    const controls = document.createElement("div");
    controls.className = "animation-controls";
    const button = document.createElement("button");
    button.type = "button";
    const slider = document.createElement("input");
    slider.type = "range";
    slider.min = 1;
    slider.max = frames;
    slider.value = told("still") + 1;
    slider.setAttribute("aria-label", "Frame of the animation");
    const count = document.createElement("span");
    controls.append(button, slider, count);
    image.after(controls);

    const show = () => {
      const text = `${slider.value} of ${frames}`;
      image.src = `${file}#frame-${slider.value - 1}`;
      count.textContent = text;
      slider.setAttribute("aria-valuetext", text);
    };
    const stop = () => {
      clearInterval(timer);
      timer = null;
      button.textContent = "Play";
    };
    const step = () => {
      slider.value = Number(slider.value) + 1;
      show();
      if (Number(slider.value) === frames) stop();
    };
    button.addEventListener("click", () => {
      if (timer !== null) return stop();
      if (Number(slider.value) === frames) {
        slider.value = 1;
        show();
      }
      button.textContent = "Pause";
      timer = setInterval(step, milliseconds);
    });
    slider.addEventListener("input", () => {
      stop();
      show();
    });
    stop();
    show();
  }
});
