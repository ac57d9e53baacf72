// Two spirals and a network that learns to tell them apart in the page. The algorithm is that of
// course_lib.scratch: layers x W + b, the binary cross-entropy of the score, its gradient by
// backpropagation, and Adam with all points in every step. The tests compare each with Python.

live.parts.playground = (stage, { points, labels, fresh, truth, rate, longest }) => {
  const { button, choice, color, controls, draw, make, random, recolor, slider, status, still } =
    live.tools;
  const [SIDE, REACH] = [48, 1.75];

  // Arrays are flat: W[l][i * columns + j], and a batch of n rows is n times as long as one.
  const activate = {
    ReLU: (z) => (z > 0 ? z : 0),
    tanh: Math.tanh,
    none: (z) => z,
  };
  // The slope, from what came out.
  const slope = { ReLU: (a) => (a > 0 ? 1 : 0), tanh: (a) => 1 - a * a, none: () => 1 };

  const create = (widths, seed) => {
    const next = random(seed);
    const layers = [];
    for (let l = 0; l + 1 < widths.length; l += 1) {
      const [a, c] = [widths[l], widths[l + 1]];
      const bound = 1 / Math.sqrt(a);
      const uniform = (n) => Float64Array.from({ length: n }, () => bound * (2 * next() - 1));
      layers.push({ a, c, W: uniform(a * c), b: uniform(c) });
    }
    return layers;
  };

  const forward = (layers, x, kind) => {
    const seen = [x];
    layers.forEach(({ a, c, W, b }, l) => {
      const before = seen[l];
      const n = before.length / a;
      const after = new Float64Array(n * c);
      const bend = l + 1 < layers.length ? activate[kind] : activate.none;
      for (let r = 0; r < n; r += 1) {
        for (let j = 0; j < c; j += 1) {
          let sum = b[j];
          for (let i = 0; i < a; i += 1) sum += before[r * a + i] * W[i * c + j];
          after[r * c + j] = bend(sum);
        }
      }
      seen.push(after);
    });
    return seen;
  };

  const loss = (scores, y) =>
    scores.reduce(
      (sum, z, r) => sum + Math.max(z, 0) - z * y[r] + Math.log1p(Math.exp(-Math.abs(z))),
      0,
    ) / y.length;

  const right = (scores, y) =>
    scores.reduce((count, z, r) => count + Number(z > 0 === (y[r] === 1)), 0) / y.length;

  const backward = (layers, seen, y, kind) => {
    const scores = seen.at(-1);
    let delta = scores.map((z, r) => (1 / (1 + Math.exp(-z)) - y[r]) / y.length);
    const gradients = [];
    for (let l = layers.length - 1; l >= 0; l -= 1) {
      const { a, c, W } = layers[l];
      const before = seen[l];
      const n = before.length / a;
      const [dW, db, back] = [new Float64Array(a * c), new Float64Array(c), new Float64Array(n * a)];
      for (let r = 0; r < n; r += 1) {
        for (let j = 0; j < c; j += 1) {
          const d = delta[r * c + j];
          db[j] += d;
          for (let i = 0; i < a; i += 1) {
            dW[i * c + j] += before[r * a + i] * d;
            back[r * a + i] += W[i * c + j] * d;
          }
        }
      }
      if (l > 0) {
        for (let k = 0; k < back.length; k += 1) back[k] *= slope[kind](before[k]);
      }
      delta = back;
      gradients.unshift({ W: dW, b: db });
    }
    return gradients;
  };

  const [B1, B2, EPS] = [0.9, 0.999, 1e-8];
  const adam = (layers, gradients, memory, t) => {
    layers.forEach((layer, l) => {
      for (const name of ["W", "b"]) {
        const [w, g] = [layer[name], gradients[l][name]];
        const { m, q } = memory[l][name];
        for (let i = 0; i < w.length; i += 1) {
          m[i] = B1 * m[i] + (1 - B1) * g[i];
          q[i] = B2 * q[i] + (1 - B2) * g[i] * g[i];
          w[i] -= (rate * (m[i] / (1 - B1 ** t))) / (Math.sqrt(q[i] / (1 - B2 ** t)) + EPS);
        }
      }
    });
  };

  // The network of this moment.
  let now;
  let seed = 1;
  const flat = (rows) => Float64Array.from(rows.flat());
  const [x, others] = [flat(points), flat(fresh)];
  const begin = () => {
    const hidden = Array.from({ length: depth.get() }, () => width.get());
    const layers = create([2, ...hidden, 1], seed);
    const empty = ({ length }) => ({ m: new Float64Array(length), q: new Float64Array(length) });
    now = {
      kind: kind.get(),
      layers,
      memory: layers.map(({ W, b }) => ({ W: empty(W), b: empty(b) })),
      step: 0,
    };
  };
  const advance = () => {
    const seen = forward(now.layers, x, now.kind);
    now.step += 1;
    adam(now.layers, backward(now.layers, seen, labels, now.kind), now.memory, now.step);
  };
  Object.defineProperty(stage, "shown", {
    get: () => {
      const seen = forward(now.layers, x, now.kind);
      const plain = (parts) => parts.map(({ W, b }) => ({ W: [...W], b: [...b] }));
      return {
        step: now.step,
        kind: now.kind,
        layers: plain(now.layers),
        gradients: plain(backward(now.layers, seen, labels, now.kind)),
        scores: [...seen.at(-1)],
        loss: loss(seen.at(-1), labels),
        right: right(seen.at(-1), labels),
        fresh: right(forward(now.layers, others, now.kind).at(-1), truth),
        running: timer !== null,
      };
    },
  });

  // Pictures. Whoever cannot see them has the status line.
  const place = Float64Array.from({ length: SIDE * SIDE * 2 }, (_, k) => {
    const [cell, axis] = [k >> 1, k & 1];
    const at = axis ? SIDE - 1 - Math.floor(cell / SIDE) : cell % SIDE;
    return REACH * ((2 * (at + 0.5)) / SIDE - 1);
  });
  const view = stage.appendChild(make("div", { class: "live-playground" }));
  const plane = view.appendChild(make("div", { class: "live-plane" }));
  const canvas = plane.appendChild(make("canvas", { width: SIDE, height: SIDE, "aria-hidden": true }));
  const over = plane.appendChild(
    draw("svg", {
      viewBox: `${-REACH} ${-REACH} ${2 * REACH} ${2 * REACH}`,
      role: "img",
      "aria-label": "Points of two spirals, and in color which spiral the network sees where",
    }),
  );
  points.forEach(([px, py], r) => {
    const [cx, cy, size] = [px, -py, 0.035];
    over.append(
      labels[r]
        ? draw("rect", {
            class: "live-point live-2",
            x: cx - size, y: cy - size, width: 2 * size, height: 2 * size,
          })
        : draw("circle", { class: "live-point live-1", cx, cy, r: size }),
    );
  });
  const units = view.appendChild(make("div", { class: "live-units", "aria-hidden": true }));

  const rgb = (name) => {
    const [, ...parts] = color(stage, name).trim().match(/^#(..)(..)(..)$/);
    return parts.map((part) => parseInt(part, 16));
  };
  const paint = (target, strength, inks) => {
    const context = target.getContext("2d");
    const image = context.createImageData(SIDE, SIDE);
    for (let k = 0; k < SIDE * SIDE; k += 1) {
      const value = strength(k);
      const ink = value > 0 ? inks[1] : inks[0];
      image.data.set([...ink, Math.round(255 * Math.min(1, Math.abs(value)))], 4 * k);
    }
    context.putImageData(image, 0, 0);
  };
  const redraw = () => {
    const seen = forward(now.layers, place, now.kind);
    const [one, two, ink] = [rgb("1"), rgb("2"), rgb("ink")];
    const scores = seen.at(-1);
    // Even far from the border the color stays pale: the points must be seen.
    paint(canvas, (k) => Math.sign(scores[k]) * (0.12 + 0.38 * Math.tanh(Math.abs(scores[k]) / 3)), [one, two]);
    const rows = now.layers.slice(0, -1);
    units.replaceChildren(
      ...rows.map(({ c }, l) => {
        const row = make("div", {}, make("span", {}, `Layer ${l + 1}`));
        const values = seen[l + 1];
        const most = Math.max(1e-9, ...values.map(Math.abs));
        for (let j = 0; j < c; j += 1) {
          const tile = make("canvas", { width: SIDE, height: SIDE });
          paint(tile, (k) => values[k * c + j] / most, [two, ink]);
          row.append(tile);
        }
        return row;
      }),
    );
  };

  const tell = status(stage);
  const line = stage.lastChild;
  const percent = (share) => `${Math.round(100 * share)} %`;
  const report = () => {
    const { step, loss: height, right: own, fresh: unseen } = stage.shown;
    tell(
      `After ${step.toLocaleString("en")} ${step === 1 ? "step" : "steps"}: loss ${height.toFixed(3)}, ` +
        `${percent(own)} of the points right, ${percent(unseen)} of new ones.`,
    );
  };

  const panel = controls(stage);
  let timer = null;
  const pause = () => {
    cancelAnimationFrame(timer);
    timer = null;
    go.textContent = "Train";
    line.setAttribute("aria-live", "polite");
  };
  const restart = () => {
    pause();
    begin();
    redraw();
    report();
  };
  const run = () => {
    // As many steps as fit into a frame; where motion is unwanted, the end of 200 at once.
    const end = performance.now() + 14;
    let steps = 0;
    do {
      advance();
      steps += 1;
    } while (now.step < longest && (still.matches ? steps < 200 : performance.now() < end));
    redraw();
    if (still.matches || now.step >= longest) pause();
    else timer = requestAnimationFrame(run);
    report();
  };
  const width = slider(panel, {
    label: "Width", min: 1, max: 12, step: 1, value: 8, act: () => restart(),
  });
  const depth = slider(panel, {
    label: "Hidden layers", min: 0, max: 3, step: 1, value: 2, act: () => restart(),
  });
  const kind = choice(panel, {
    label: "Activation", options: ["ReLU", "tanh", "none"], value: "ReLU", act: () => restart(),
  });
  const buttons = panel.appendChild(make("div", { class: "live-buttons" }));
  const go = button(buttons, "Train", () => {
    if (timer !== null) {
      pause();
      report();
      return;
    }
    if (now.step >= longest) begin();
    // Nobody wants sixty sentences a second read out.
    line.setAttribute("aria-live", "off");
    go.textContent = "Pause";
    timer = requestAnimationFrame(run);
  });
  button(buttons, "One step", () => {
    pause();
    advance();
    redraw();
    report();
  });
  button(buttons, "Other start", () => {
    seed += 1;
    restart();
  });
  restart();
  recolor(redraw);
  // Out of sight it rests.
  new IntersectionObserver(([{ isIntersecting }]) => {
    if (isIntersecting || timer === null) return;
    pause();
    report();
  }).observe(stage);
};
