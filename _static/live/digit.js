// Draw a digit, and watch a network read it: 64 pixels, hidden layers, ten probabilities. The forward
// pass is plain JavaScript. The weights are those that the page trained, or those of a file that an
// exercise has written (course_lib.sharing): it is read here, and sent nowhere.

live.parts.digit = (stage, { layers, examples, format, most }) => {
  const { button, digitBars, draw, id, make, picture, slider, status } = live.tools;
  // The pen leaves about as much ink on an image as those of the data have.
  const [SIZE, BLOCK, PEN] = [8, 4, 2.7];
  const FINE = SIZE * BLOCK;

  const linear = (x, { W, b }) => b.map((sum, j) => x.reduce((s, v, i) => s + v * W[i][j], sum));
  let network = { layers, own: false };
  const read = (pixels) => {
    const hidden = [];
    let x = pixels;
    for (const layer of network.layers.slice(0, -1)) {
      x = linear(x, layer).map((z) => Math.max(z, 0));
      hidden.push(x);
    }
    const logits = linear(x, network.layers.at(-1));
    const top = Math.max(...logits);
    const powers = logits.map((z) => Math.exp(z - top));
    const total = powers.reduce((a, b) => a + b);
    const probabilities = powers.map((p) => p / total);
    return { pixels, own: network.own, hidden, logits, probabilities };
  };
  const widths = ({ layers: parts }) => [SIZE ** 2, ...parts.map(({ b }) => b.length)].join(" → ");

  // The layers of a file, or an error that says in a sentence what is wrong with it.
  const understand = (text) => {
    let found;
    try {
      found = JSON.parse(text);
    } catch {
      throw new Error("it is no JSON text.");
    }
    if (found?.format !== format) throw new Error(`it does not say that its format is “${format}”.`);
    const parts = found.layers;
    const numbers = (row, n) => Array.isArray(row) && row.length === n && row.every(Number.isFinite);
    if (!Array.isArray(parts) || !(parts.length >= 1 && parts.length <= most.hidden + 1)) {
      throw new Error(`it wants 1 to ${most.hidden + 1} layers.`);
    }
    let width = SIZE ** 2;
    parts.forEach((part, l) => {
      const outputs = l + 1 < parts.length ? part?.b?.length : 10;
      const fits =
        outputs >= 1 && outputs <= most.units && numbers(part.b, outputs) &&
        Array.isArray(part.W) && part.W.length === width && part.W.every((row) => numbers(row, outputs));
      if (!fits) {
        throw new Error(
          `its layer ${l + 1} wants ${width} rows of ${outputs >= 1 ? outputs : "equally many"} ` +
            `numbers, and a bias for each column (at most ${most.units}).`,
        );
      }
      width = outputs;
    });
    return parts.map(({ W, b }) => ({ W, b }));
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
    label: "The activations of the hidden layers, and ten probabilities as bars",
    paint: (svg, width, height) => {
      const { hidden, probabilities } = stage.shown;
      const slot = 92 / hidden.length;
      hidden.forEach((values, l) => {
        const strongest = Math.max(1e-9, ...values);
        const y = 18 + l * slot;
        const rows = Math.ceil(values.length / 100);
        const across = Math.ceil(values.length / rows);
        const tall = Math.min(20, (slot - (hidden.length > 2 ? 18 : 26)) / rows);
        svg.append(draw("text", { x: 0, y: y - 4 }, `hidden ${l + 1}`));
        values.forEach((value, j) =>
          svg.append(
            draw("rect", {
              class: "live-cell",
              x: ((j % across) * width) / across,
              y: y + Math.floor(j / across) * tall,
              width: width / across,
              height: tall,
              "fill-opacity": value / strongest,
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

  // What has just happened, for the next sentence of the status.
  let news = "";
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
    const who = network.own ? "Your network" : "The network";
    tell(`${news}${where}${who} reads ${say(order[0])}, then ${say(order[1])}.`);
    news = "";
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

  // The reader's own network, from a file: chosen, dropped on the figure, or kept from another day.
  const own = stage.appendChild(make("div", { class: "live-file" }));
  const [fileName, keepName] = [id(), id()];
  const file = make("input", {
    type: "file", id: fileName, accept: ".json,application/json", autocomplete: "off",
    // The same file may be chosen again: it may hold another network by now.
    click: () => (file.value = ""),
    change: () => take(file.files[0]),
  });
  const keep = make("input", {
    type: "checkbox", id: keepName, autocomplete: "off",
    change: () => {
      if (reading.keepNetwork(keep.checked ? network.text : null)) return;
      keep.checked = false;
      news = "This browser keeps nothing. ";
      show(stage.shown.pixels);
    },
  });
  const which = make("p", { class: "live-which" });
  const kept = make("span", {}, keep, make("label", { for: keepName }, "Keep it in this browser"));
  own.append(make("label", { for: fileName }, "Your own network"), file, kept);
  const back = button(own, "The book’s network", () => {
    reading.keepNetwork(null);
    file.value = "";
    use({ layers, own: false }, false);
  });
  own.append(which);
  const use = (next, isKept) => {
    network = next;
    keep.disabled = back.disabled = !next.own;
    keep.checked = next.own && isKept;
    which.textContent = `${next.own ? "Your network" : "The book’s network"}: ${widths(next)}.`;
    const right = examples.filter((pixels, digit) => {
      const { logits } = read(pixels);
      return logits.indexOf(Math.max(...logits)) === digit;
    });
    news = `${next.own ? "Your" : "The book’s"} network is at work; it reads ${right.length} of the ten examples. `;
    show(stage.shown.pixels);
  };
  const loadNetwork = (name, text, isKept) => {
    let parts;
    try {
      parts = understand(text);
    } catch (error) {
      news =
        `${name} was not loaded: ${error.message} Wanted is the file my-network.json, which the ` +
        "exercises forward-propagation and backpropagation write. ";
      file.value = "";
      show(stage.shown.pixels);
      return;
    }
    // Where one was kept, the new one is.
    use({ layers: parts, own: true, text }, isKept && reading.keepNetwork(text));
  };
  const take = async (chosen) => {
    if (!chosen) return;
    // A film need not be read to be refused.
    const text = chosen.size <= most.bytes ? await chosen.text() : "";
    loadNetwork(chosen.name, text, keep.checked);
  };
  stage.addEventListener("dragover", (event) => {
    event.preventDefault();
    stage.classList.add("live-over");
  });
  stage.addEventListener("dragleave", () => stage.classList.remove("live-over"));
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    stage.classList.remove("live-over");
    take(event.dataTransfer.files[0]);
  });
  load();
  use(network, false);
  news = "";
  show(stage.shown.pixels);
  const text = reading.network();
  if (text !== null) loadNetwork("The network that this browser has kept", text, true);
};
