// The page's network with dropout: which hidden units are silenced, what sixty selections of them
// say about one image, and what the whole network says.

live.parts.dropout = (stage, { layers, examples, draws }) => {
  const { button, choice, controls, draw, make, picture, random, scale, slider, softmax, status } =
    live.tools;
  const UNITS = layers[0].b.length;

  const sums = (x, { W, b }) =>
    b.map((_, j) => x.reduce((total, value, i) => total + value * W[i][j], 0));
  const relu = (z, b) => z.map((value, j) => Math.max(value + b[j], 0));
  const read = (first, masks, factor) => {
    const keep = (x, mask) => x.map((value, j) => (mask[j] ? value * factor : 0));
    const arriving = sums(keep(first, masks[0]), layers[1]);
    const second = relu(arriving, layers[1].b);
    const logits = sums(keep(second, masks[1]), layers[2]).map((z, j) => z + layers[2].b[j]);
    return { arriving, second, probabilities: softmax(logits) };
  };

  let seed = 1;
  const select = (p) => {
    const next = random(seed);
    return Array.from({ length: draws }, () =>
      [0, 1].map(() => Array.from({ length: UNITS }, () => next() >= p)),
    );
  };
  const best = (p) => p.indexOf(Math.max(...p));

  const board = picture(stage, {
    height: 300,
    label:
      "Two rows of hidden units of which some are silenced, and for each digit the probabilities of " +
      "sixty such selections beside that of the whole network",
    paint: (svg, width, height) => {
      const { pixels, first, runs, masks, whole } = stage.shown;
      const cell = 11;
      pixels.forEach((value, k) =>
        svg.append(
          draw("rect", {
            class: "live-cell", x: (k % 8) * cell, y: 16 + Math.floor(k / 8) * cell,
            width: cell, height: cell, "fill-opacity": value,
          }),
        ),
      );
      const across = UNITS / 2;
      const [left, step] = [8 * cell + 16, (width - 8 * cell - 16) / across];
      [first, runs[0].second].forEach((values, l) => {
        const strongest = Math.max(1e-9, ...values);
        const upper = 16 + 54 * l;
        svg.append(draw("text", { x: left, y: upper - 4 }, `hidden ${l + 1}`));
        values.forEach((value, j) => {
          const [x, y] = [left + (j % across) * step, upper + Math.floor(j / across) * 16];
          const there = masks[0][l][j];
          svg.append(
            draw("rect", {
              class: there ? "live-cell" : "live-cell live-silenced",
              x, y, width: step, height: 16, "fill-opacity": there ? value / strongest : 0,
            }),
          );
          if (!there) {
            svg.append(
              draw("line", { class: "live-crossed", x1: x + 1, y1: y + 3, x2: x + step - 1, y2: y + 13 }),
            );
          }
        });
      });
      const [upper, base] = [142, height - 24];
      const x = scale([0, 10], [0, width]);
      const y = scale([0, 1], [base, upper]);
      if (width >= 420) svg.append(draw("text", { x: 0, y: upper - 8 }, "probability"));
      whole.forEach((p, digit) => {
        svg.append(
          draw("text", { x: x(digit + 0.5), y: base + 17, "text-anchor": "middle" }, String(digit)),
          draw("line", {
            class: "live-line live-2", x1: x(digit + 0.1), x2: x(digit + 0.9), y1: y(p), y2: y(p),
          }),
        );
        runs.forEach(({ probabilities }, k) =>
          svg.append(
            draw("circle", {
              class: "live-draw live-1", r: 1.8,
              cx: x(digit + 0.2 + (0.6 * k) / draws), cy: y(probabilities[digit]),
            }),
          ),
        );
      });
      svg.append(draw("line", { class: "live-base", x1: 0, x2: width, y1: base, y2: base }));
      for (const [kind, name, at] of [["circle", "a selection each", 178], ["line", "all units", 30]]) {
        const place = width - at - 60;
        svg.append(
          kind === "circle"
            ? draw("circle", { class: "live-draw live-1", r: 3, cx: place, cy: upper - 12 })
            : draw("line", {
                class: "live-line live-2", x1: place - 14, x2: place + 4, y1: upper - 12, y2: upper - 12,
              }),
          draw("text", { x: place + 9, y: upper - 8 }, name),
        );
      }
    },
  });
  const tell = status(stage);
  const panel = controls(stage);

  const percent = (p) => `${(100 * p).toFixed(0)} %`;
  const update = () => {
    const [digit, p] = [example.get(), silenced.get()];
    const scaled = scaling.get() === "divided by 1 − p";
    const pixels = examples[digit];
    const first = relu(sums(pixels, layers[0]), layers[0].b);
    const everything = new Array(UNITS).fill(true);
    const use = read(first, [everything, everything], 1);
    const masks = select(p);
    const runs = masks.map((mask) => read(first, mask, scaled ? 1 / (1 - p) : 1));
    // How large the sums into the second layer are, beside those in use: 1 where they agree.
    const mean = use.arriving.map(
      (_, j) => runs.reduce((total, { arriving }) => total + arriving[j], 0) / draws,
    );
    const dot = (a, b) => a.reduce((total, value, j) => total + value * b[j], 0);
    const size = dot(mean, use.arriving) / dot(use.arriving, use.arriving);
    const right = runs.filter(({ probabilities }) => best(probabilities) === digit).length;
    const average = use.probabilities.map(
      (_, k) => runs.reduce((total, { probabilities }) => total + probabilities[k], 0) / draws,
    );
    stage.shown = {
      digit, p, scaled, pixels, first, masks, runs, whole: use.probabilities, average, size, right,
    };
    const out = masks[0].map((mask) => mask.filter((there) => !there).length);
    tell(
      `This selection silences ${out[0]} and ${out[1]} of ${UNITS} units. Of ${draws} selections, ` +
        `${right} read a ${digit}, with ${percent(average[digit])} on average; all units give it ` +
        `${percent(use.probabilities[digit])}. The sums into layer 2 are ${size.toFixed(2)} times ` +
        "those in use.",
    );
    board.redraw();
  };
  const example = slider(panel, {
    label: "Example", min: 0, max: 9, step: 1, value: 4, act: () => update(),
  });
  const silenced = slider(panel, {
    label: "p", min: 0, max: 0.9, step: 0.1, value: 0.5,
    say: (value) => value.toFixed(1), act: () => update(),
  });
  const scaling = choice(panel, {
    label: "The rest is", options: ["divided by 1 − p", "unscaled"], value: "divided by 1 − p",
    act: () => update(),
  });
  const buttons = panel.appendChild(make("div", { class: "live-buttons" }));
  button(buttons, "Other selections", () => {
    seed += 1;
    update();
  });
  update();
};
