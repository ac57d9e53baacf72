// Sets formulas for course_lib/book/formulas.py, with npm's `mathjax`: a line of JSON in, a line of
// JSON out. `{"tex", "display"}` is answered by `{"html"}` or `{"error"}`, and `{"css": true}` by
// the rules that what was set so far needs.

const [, , mathjax] = process.argv;
const lines = require("readline").createInterface({ input: process.stdin });
const answer = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

require(`${mathjax}/es5/node-main.js`)
  .init({
    loader: { load: ["input/tex-full", "output/chtml", "a11y/assistive-mml"] },
    // An unknown command would be shown in red, and a mistake as its message: here both are errors.
    tex: {
      packages: { "[-]": ["noundefined", "noerrors"] },
      formatError: (_, error) => {
        throw error;
      },
    },
    options: { enableAssistiveMml: true },
    chtml: { fontURL: "formulas" },
  })
  .then((MathJax) => {
    const { adaptor } = MathJax.startup;
    lines.on("line", (line) => {
      const asked = JSON.parse(line);
      if (asked.css) return answer({ css: adaptor.textContent(MathJax.chtmlStylesheet()) });
      try {
        const set = MathJax.tex2chtml(asked.tex, { display: asked.display });
        answer({ html: adaptor.outerHTML(set) });
      } catch (error) {
        answer({ error: error.message });
      }
    });
  });
