// The page's denoiser at work: noise becomes a digit, a step at a time, with the steps back of
// course_lib.models.diffusion (DDIM, or DDPM with new noise) and guidance.

live.parts.diffusion = (stage, given) => {
  const { button, choice, controls, draw, halves, linear, make, picture, random, slider, status, still } =
    live.tools;
  const { blocks, waves, fastest, classes, alpha_bar: kept, counts } = given;
  const W = halves(given);
  const [T, SIZE] = [kept.length - 1, 8];
  const FEATURES = SIZE * SIZE;

  const relu = (x) => x.map((v) => Math.max(v, 0));
  const silu = (x) => x.map((v) => v / (1 + Math.exp(-v)));
  const add = (a, b) => a.map((v, i) => v + b[i]);
  const time = (share) => {
    const angles = Array.from({ length: waves / 2 }, (_, k) => share * fastest ** (k / (waves / 2 - 1)));
    return linear(W, [...angles.map(Math.sin), ...angles.map(Math.cos)], "time");
  };
  // The noise that the network sees; label `classes` stands for none.
  const predict = (x, share, label) => {
    const row = given.hidden;
    const about = silu(add(time(share), W["label.weight"].subarray(label * row, (label + 1) * row)));
    let h = linear(W, x, "enter");
    for (let b = 0; b < blocks; b += 1) {
      const change = linear(W, about, `blocks.${b}.about`);
      const seen = h.map((v, i) => v * (1 + change[i]) + change[row + i]);
      h = add(h, linear(W, relu(linear(W, relu(seen), `blocks.${b}.first`)), `blocks.${b}.second`));
    }
    return linear(W, h, "leave");
  };
  const guided = (x, share, label, weight) => {
    const without = predict(x, share, classes);
    if (weight === 0) return without;
    const asked = predict(x, share, label);
    return without.map((v, i) => v + weight * (asked[i] - v));
  };

  // Standard normal numbers, by Box and Muller.
  const normal = (next) =>
    Float64Array.from({ length: FEATURES }, () => {
      const [u, v] = [1 - next(), next()];
      return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
    });

  // The way back: where it is before each step, what the network takes it for, and the end.
  const walk = (seed, count, label, weight, fresh) => {
    const next = random(seed);
    let x = normal(next);
    const path = [{ t: T, x: [...x] }];
    for (let k = 0; k < count; k += 1) {
      const [t, s] = [(T * (count - k)) / count, (T * (count - k - 1)) / count];
      const [now, to] = [kept[t], kept[s]];
      const noise = guided(x, t / T, label, weight);
      const clean = x.map((v, i) => (v - Math.sqrt(1 - now) * noise[i]) / Math.sqrt(now));
      path[k].guess = [...clean];
      if (fresh) {
        const beta = 1 - now / to;
        const drawn = normal(next);
        path[k].drawn = [...drawn];
        const size = Math.sqrt(((1 - to) / (1 - now)) * beta);
        x = x.map(
          (v, i) =>
            (v - (beta / Math.sqrt(1 - now)) * noise[i]) / Math.sqrt(1 - beta) + size * drawn[i],
        );
      } else {
        x = clean.map((v, i) => Math.sqrt(to) * v + Math.sqrt(1 - to) * noise[i]);
      }
      path.push({ t: s, x: [...x] });
    }
    path.at(-1).guess = path.at(-1).x;
    return path;
  };

  const ink = (value) => Math.max(0, Math.min(1, value / 2 + 0.5));
  const board = picture(stage, {
    height: 300,
    label: "The picture at this step, what the network takes it for, and below them the whole way",
    paint: (svg, width, height) => {
      const { path, at } = stage.shown;
      const image = (pixels, left, upper, side, chosen) => {
        const cell = side / SIZE;
        pixels.forEach((value, k) =>
          svg.append(
            draw("rect", {
              class: "live-pixel",
              x: left + (k % SIZE) * cell,
              y: upper + Math.floor(k / SIZE) * cell,
              width: cell + 0.4,
              height: cell + 0.4,
              "fill-opacity": ink(value),
            }),
          ),
        );
        svg.append(
          draw("rect", {
            class: chosen ? "live-window" : "live-frame", x: left, y: upper, width: side, height: side,
          }),
        );
      };
      const side = Math.min(190, (width - 24) / 2);
      const left = width / 2 - side - 12;
      for (const [name, pixels, x] of [
        ["the picture now", path[at].x, left],
        ["what it is taken for", path[at].guess, width / 2 + 12],
      ]) {
        svg.append(draw("text", { x, y: 14 }, name));
        image(pixels, x, 22, side, false);
      }
      // The way, in as many small pictures as there is room for.
      const room = Math.min(path.length, Math.floor((width + 6) / 50));
      const small = 44;
      const first = (width - room * (small + 6) + 6) / 2;
      const shown = Array.from({ length: room }, (_, k) =>
        room === 1 ? 0 : Math.round((k * (path.length - 1)) / (room - 1)),
      );
      const nearest = shown.reduce((a, b) => (Math.abs(b - at) < Math.abs(a - at) ? b : a));
      shown.forEach((k, column) => {
        const x = first + column * (small + 6);
        image(path[k].x, x, height - 70, small, k === nearest);
        svg.append(
          draw("text", {
            x: x + small / 2, y: height - 10, "text-anchor": "middle", class: "live-small",
          }, `${path[k].t}`),
        );
      });
    },
  });
  const tell = status(stage);
  const line = stage.lastChild;
  const panel = controls(stage);
  let seed = 1;
  let timer = null;

  const begin = () => {
    stop();
    const settings = {
      seed, count: count.get(), digit: digit.get(), weight: weight.get(), fresh: fresh.get() === "each step",
    };
    const { digit: label, weight: w } = settings;
    stage.shown = { ...settings, path: walk(seed, settings.count, label, w, settings.fresh) };
    step.input.max = settings.count;
    step.set(settings.count);
    show();
  };
  const show = () => {
    const at = step.get();
    Object.assign(stage.shown, { at, running: timer !== null });
    const { path, count: n, digit: label, weight: w } = stage.shown;
    const asked = w === 0 ? "No digit is asked for" : `A ${label} is asked for`;
    const share = Math.round(100 * kept[path[at].t]);
    tell(
      `${asked}. After ${at} of ${n} ${n === 1 ? "step" : "steps"}: step ${path[at].t} of ${T}, ` +
        (at === n ? "the finished drawing." : `where ${share} % of the variance are picture.`),
    );
    board.redraw();
  };
  const stop = () => {
    clearTimeout(timer);
    timer = null;
    go.textContent = "Play";
    line.setAttribute("aria-live", "polite");
  };
  const play = () => {
    step.set(step.get() + 1);
    if (step.get() === stage.shown.count) stop();
    else timer = setTimeout(play, 2500 / stage.shown.count);
    show();
  };

  const digit = slider(panel, { label: "Digit", min: 0, max: 9, step: 1, value: 3, act: () => begin() });
  const weight = slider(panel, {
    label: "Guidance", values: [0, 0.5, 1, 2, 4], value: 2, act: () => begin(),
  });
  const count = slider(panel, { label: "Steps in all", values: counts, value: 20, act: () => begin() });
  const step = slider(panel, {
    label: "Steps taken", min: 0, max: 20, step: 1, value: 20,
    act: () => {
      stop();
      show();
    },
  });
  const fresh = choice(panel, {
    label: "New noise", options: ["none", "each step"], value: "none", act: () => begin(),
  });
  const buttons = panel.appendChild(make("div", { class: "live-buttons" }));
  const go = button(buttons, "Play", () => {
    if (timer !== null) {
      stop();
      show();
      return;
    }
    if (still.matches) {
      step.set(step.get() < stage.shown.count ? stage.shown.count : 0);
      show();
      return;
    }
    if (step.get() === stage.shown.count) step.set(0);
    line.setAttribute("aria-live", "off");
    go.textContent = "Stop";
    timer = setTimeout(play, 300);
    show();
  });
  button(buttons, "Other noise", () => {
    seed += 1;
    begin();
  });
  begin();
};
