// Draw a digit, and watch the network of the page read it: 64 pixels, two hidden layers, ten
// probabilities. The forward pass is plain JavaScript; the weights are those that the page trained.

live.parts.digit = (stage, { layers, examples }) => {
  const { button, digitBars, draw, make, picture, slider, status } = live.tools;
  // The pen leaves about as much ink on an image as those of the data have.
  const [SIZE, BLOCK, PEN] = [8, 4, 2.7];
  const FINE = SIZE * BLOCK;

  const linear = (x, { W, b }) => b.map((sum, j) => x.reduce((s, v, i) => s + v * W[i][j], sum));
  const read = (pixels) => {
    const first = linear(pixels, layers[0]).map((z) => Math.max(z, 0));
    const second = linear(first, layers[1]).map((z) => Math.max(z, 0));
    const logits = linear(second, layers[2]);
    const most = Math.max(...logits);
    const powers = logits.map((z) => Math.exp(z - most));
    const total = powers.reduce((a, b) => a + b);
    return { pixels, hidden: [first, second], logits, probabilities: powers.map((p) => p / total) };
  };

  // The images of the data were made like this: a bitmap of 32 by 32, moved to the middle and
  // scaled, and of each block of 4 by 4 the number of black points, here as a share of 16.
  const rasterize = (strokes) => {
    const all = strokes.flat();
    if (all.length === 0) return new Array(SIZE * SIZE).fill(0);
    const [xs, ys] = [all.map(([x]) => x), all.map(([, y]) => y)];
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
    const inner = FINE - 2 * PEN;
    const zoom = inner / Math.max(right - left, bottom - top, 0.15);
    const place = ([x, y]) => [
      FINE / 2 + (x - (left + right) / 2) * zoom,
      FINE / 2 + (y - (top + bottom) / 2) * zoom,
    ];
    const near = (px, py, [ax, ay], [bx, by]) => {
      const [dx, dy] = [bx - ax, by - ay];
      const along = dx * dx + dy * dy;
      const t = along ? Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / along)) : 0;
      return (px - ax - t * dx) ** 2 + (py - ay - t * dy) ** 2 < PEN * PEN;
    };
    const parts = strokes.flatMap((stroke) => {
      const points = stroke.map(place);
      return points.map((point, k) => [points[Math.max(k - 1, 0)], point]);
    });
    const pixels = new Array(SIZE * SIZE).fill(0);
    for (let row = 0; row < FINE; row += 1) {
      for (let column = 0; column < FINE; column += 1) {
        if (parts.some(([a, b]) => near(column + 0.5, row + 0.5, a, b))) {
          pixels[Math.floor(row / BLOCK) * SIZE + Math.floor(column / BLOCK)] += 1 / BLOCK ** 2;
        }
      }
    }
    return pixels;
  };

  const top = stage.appendChild(make("div", { class: "live-digit" }));
  const panel = (name) => top.appendChild(make("div", {}, make("span", { class: "live-name" }, name)));

  // Where one draws.
  let strokes = [];
  const pad = draw("svg", {
    viewBox: "0 0 1 1", class: "live-pad", role: "img", "aria-label": "Draw a digit here",
  });
  panel("draw here").append(pad);
  const at = (event) => {
    const { left, top: upper, width, height } = pad.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - upper) / height];
  };
  const ink = () => {
    pad.replaceChildren(
      ...strokes.map((stroke) =>
        draw("polyline", { points: [...stroke, stroke.at(-1)].map((p) => p.join()).join(" ") }),
      ),
    );
  };
  pad.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    strokes.push([at(event)]);
    drawn();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pad.hasPointerCapture(event.pointerId)) return;
    strokes.at(-1).push(at(event));
    drawn();
  });

  // What the network sees. With the keyboard, one fills it in here.
  const cursor = { row: 0, column: 0, used: false };
  const grid = draw("svg", {
    viewBox: `0 0 ${SIZE} ${SIZE}`,
    class: "live-pixels",
    role: "application",
    tabindex: 0,
    "aria-label": "Image of 8 by 8 pixels. Arrow keys move, Space changes the ink.",
  });
  panel("the network sees").append(grid);
  const keys = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  grid.addEventListener("keydown", (event) => {
    const { pixels } = stage.shown;
    const here = cursor.row * SIZE + cursor.column;
    if (event.key in keys) {
      const [down, right] = keys[event.key];
      cursor.row = Math.max(0, Math.min(SIZE - 1, cursor.row + down));
      cursor.column = Math.max(0, Math.min(SIZE - 1, cursor.column + right));
      cursor.used = true;
      show(pixels);
    } else if (event.key === " ") {
      cursor.used = true;
      show(pixels.map((value, k) => (k !== here ? value : value >= 1 ? 0 : value >= 0.5 ? 1 : 0.5)));
    } else return;
    event.preventDefault();
  });
  grid.addEventListener("blur", () => {
    cursor.used = false;
    show(stage.shown.pixels);
  });

  const board = picture(stage, {
    height: 232,
    label: "The activations of two hidden layers, and ten probabilities as bars",
    paint: (svg, width, height) => {
      const { hidden, probabilities } = stage.shown;
      const step = width / 32;
      hidden.forEach((values, l) => {
        const most = Math.max(1e-9, ...values);
        const y = 18 + l * 46;
        svg.append(draw("text", { x: 0, y: y - 4 }, `hidden ${l + 1}`));
        values.forEach((value, j) =>
          svg.append(
            draw("rect", {
              class: "live-cell", x: j * step, y, width: step, height: 20, "fill-opacity": value / most,
            }),
          ),
        );
      });
      const [upper, base] = [124, height - 22];
      svg.append(draw("text", { x: 0, y: upper - 12 }, "probability"));
      digitBars(svg, { probabilities, width, upper, base });
    },
  });
  const tell = status(stage);

  const show = (pixels) => {
    stage.shown = read(pixels);
    grid.replaceChildren(
      ...pixels.map((value, k) =>
        draw("rect", {
          class: "live-cell", x: k % SIZE, y: Math.floor(k / SIZE), width: 1, height: 1,
          "fill-opacity": value,
        }),
      ),
    );
    if (cursor.used) {
      grid.append(
        draw("rect", {
          class: "live-window", x: cursor.column, y: cursor.row, width: 1, height: 1,
        }),
      );
    }
    const { probabilities } = stage.shown;
    const order = probabilities.map((p, digit) => [p, digit]).sort(([a], [b]) => b - a);
    const say = ([p, digit]) => `${digit} (${(100 * p).toFixed(1)} %)`;
    const where = cursor.used
      ? `Row ${cursor.row + 1}, column ${cursor.column + 1}: ink ` +
        `${pixels[cursor.row * SIZE + cursor.column].toFixed(2)}. `
      : "";
    tell(`${where}The network reads ${say(order[0])}, then ${say(order[1])}.`);
    board.redraw();
  };
  const drawn = () => {
    ink();
    show(rasterize(strokes));
  };
  const load = () => {
    strokes = [];
    ink();
    show(examples[example.get()]);
  };
  const panel2 = stage.appendChild(make("div", { class: "live-controls" }));
  const example = slider(panel2, {
    label: "Example", min: 0, max: 9, step: 1, value: 3, act: () => load(),
  });
  const buttons = panel2.appendChild(make("div", { class: "live-buttons" }));
  button(buttons, "Clear", () => {
    strokes = [];
    drawn();
  });
  load();
};
