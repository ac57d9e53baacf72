// Live parts (course_lib/book/live.py): figures of a page that can be worked. This script is all
// that a page loads before one of them is scrolled to. The others are plain scripts, not modules:
// only those load in a page that is opened from a file.

const live = { parts: {}, data: {} };

(() => {
  const folder = document.currentScript.src.replace(/[^/]*$/, "");
  const asked = new Map();

  const load = (file) => {
    if (!asked.has(file)) {
      asked.set(
        file,
        new Promise((done, failed) => {
          const style = file.includes(".css");
          const element = document.createElement(style ? "link" : "script");
          element.onload = done;
          element.onerror = () => failed(new Error(`${file} did not load`));
          if (style) element.rel = "stylesheet";
          element[style ? "href" : "src"] = folder + file;
          document.head.append(element);
        }),
      );
    }
    return asked.get(file);
  };

  const start = async (box) => {
    const { live: name, version } = box.dataset;
    try {
      await Promise.all([load("live.css"), load("tools.js")]);
      await Promise.all([load(`${name}.js`), load(`data/${name}.js?${version}`)]);
      const stage = document.createElement("div");
      stage.className = "live-stage";
      box.append(stage);
      const asks = box.querySelector(".live-try");
      asks.hidden = false;
      stage.append(asks);
      box.classList.add("live-on");
      live.parts[name](stage, live.data[name]);
      box.dataset.ready = "";
    } catch (error) {
      // The still stays, or comes back.
      box.classList.remove("live-on", "live-waiting");
      console.error(error);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const near = new IntersectionObserver(
      (seen) => {
        for (const { isIntersecting, target } of seen) {
          if (!isIntersecting) continue;
          near.unobserve(target);
          start(target);
        }
      },
      { rootMargin: "300px" },
    );
    for (const box of document.querySelectorAll(".live-box")) {
      box.classList.add("live-waiting");
      near.observe(box);
    }
  });
})();
