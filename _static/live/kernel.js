// A kernel that is filled in by hand slides over a digit: the page's `slide`.

live.parts.kernel = (stage, { digits, kernels }) => {
  const { button, controls, draw, fixed, make, picture, slider, status } = live.tools;
  const [SIZE, K] = [8, 3];
  const OUT = SIZE - K + 1;

  const slide = (image, weights) =>
    Array.from({ length: OUT }, (_, i) =>
      Array.from({ length: OUT }, (_, j) => {
        let sum = 0;
        for (let a = 0; a < K; a += 1) {
          for (let b = 0; b < K; b += 1) sum += image[i + a][j + b] * weights[a][b];
        }
        return sum;
      }),
    );

  const board = picture(stage, {
    height: 236,
    label: "A digit of 8 by 8 pixels with a window of 3 by 3, and the map of 6 by 6 sums",
    paint: (svg, width) => {
      const gap = 34;
      const cell = Math.min(25, Math.floor((width - gap) / (SIZE + OUT)));
      const left = (width - gap - cell * (SIZE + OUT)) / 2;
      const right = left + cell * SIZE + gap;
      const top = 26;
      const { image, map, row, column } = stage.shown;
      const most = Math.max(1e-12, ...map.flat().map(Math.abs));
      const grid = (values, x, y, look) =>
        values.forEach((line, i) =>
          line.forEach((value, j) => {
            const [kind, strength] = look(value);
            svg.append(
              draw("rect", {
                class: `live-cell ${kind}`,
                x: x + j * cell, y: y + i * cell, width: cell, height: cell,
                "fill-opacity": strength,
              }),
            );
            // Colors alone would not tell a plus from a minus.
            if (kind === "live-2" && strength > 0.15) {
              const [cx, cy, r] = [x + (j + 0.5) * cell, y + (i + 0.5) * cell, cell / 6];
              svg.append(draw("line", { class: "live-minus", x1: cx - r, x2: cx + r, y1: cy, y2: cy }));
            }
          }),
        );
      const below = top + cell;
      grid(image, left, top, (v) => ["live-gray", v]);
      grid(map, right, below, (v) => [v < 0 ? "live-2" : "live-1", Math.abs(v) / most]);
      const mark = (x, y, n) =>
        svg.append(
          draw("rect", { class: "live-window", x, y, width: n * cell, height: n * cell }),
        );
      mark(left + column * cell, top + row * cell, K);
      mark(right + column * cell, below + row * cell, 1);
      svg.append(
        draw("text", { x: left, y: 16 }, "image"),
        draw("text", { x: right, y: 16 }, "result"),
      );
    },
  });
  const tell = status(stage);

  const panel = stage.appendChild(make("div", { class: "live-kernel" }));
  const field = panel.appendChild(make("fieldset", {}, make("legend", {}, "Kernel")));
  const entries = Array.from({ length: K }, (_, i) =>
    Array.from({ length: K }, (_, j) => {
      const entry = make("input", {
        type: "number", step: 0.5, min: -9, max: 9, autocomplete: "off",
        "aria-label": `Kernel, row ${i + 1}, column ${j + 1}`,
        input: () => update(),
      });
      field.append(entry);
      return entry;
    }),
  );
  const set = (weights) => {
    weights.forEach((line, i) =>
      line.forEach((value, j) => {
        entries[i][j].value = Math.round(value * 1000) / 1000;
      }),
    );
  };
  const side = panel.appendChild(make("div"));
  const buttons = side.appendChild(make("div", { class: "live-buttons" }));
  for (const [name, weights] of Object.entries(kernels)) {
    button(buttons, name, () => {
      set(weights);
      update();
    });
  }
  button(buttons, "Half a turn", () => {
    set(stage.shown.kernel.map((line) => [...line].reverse()).reverse());
    update();
  });

  const update = () => {
    const image = digits[digit.get()];
    // An entry that is being typed counts as 0 until it is a number.
    const weights = entries.map((line) => line.map((entry) => Number(entry.value) || 0));
    const map = slide(image, weights);
    const [row, column] = [Math.floor((place.get() - 1) / OUT), (place.get() - 1) % OUT];
    stage.shown = { image, kernel: weights, map, row, column };
    const all = map.flat();
    tell(
      `In the marked window the products add up to ${fixed(map[row][column], 2)}. ` +
        `The results lie between ${fixed(Math.min(...all), 2)} and ${fixed(Math.max(...all), 2)}.`,
    );
    board.redraw();
  };
  const sliders = side.appendChild(make("div", { class: "live-controls" }));
  const place = slider(sliders, {
    label: "Window", min: 1, max: OUT * OUT, step: 1, value: 8,
    act: () => update(),
  });
  const digit = slider(sliders, {
    label: "Digit", min: 0, max: 9, step: 1, value: 7, act: () => update(),
  });
  set(Object.values(kernels)[0]);
  update();
};
