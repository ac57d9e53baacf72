// One step of FGSM with a size of one's own, on the digit of the page, and the page's network that
// reads the result. The direction comes from Python; the forward pass is computed here.

live.parts.attack = (stage, { size, image, directions, convolutions, output, label }) => {
  const { choice, controls, digitBars, draw, picture, slider, status } = live.tools;

  // Kernels of 4 by 4, stride 2, padding 1, then ReLU: (channels, n, n) to (out, n / 2, n / 2).
  const convolve = (x, n, { kernels, bias }) => {
    const half = n / 2;
    const channels = x.length / (n * n);
    const out = new Float64Array(bias.length * half * half);
    bias.forEach((b, o) => {
      for (let i = 0; i < half; i += 1) {
        for (let j = 0; j < half; j += 1) {
          let sum = b;
          for (let c = 0; c < channels; c += 1) {
            for (let u = 0; u < 4; u += 1) {
              for (let v = 0; v < 4; v += 1) {
                const [row, column] = [2 * i + u - 1, 2 * j + v - 1];
                if (row < 0 || row >= n || column < 0 || column >= n) continue;
                sum += x[(c * n + row) * n + column] * kernels[((o * channels + c) * 4 + u) * 4 + v];
              }
            }
          }
          out[(o * half + i) * half + j] = Math.max(sum, 0);
        }
      }
    });
    return out;
  };
  const read = (pixels) => {
    let [x, n] = [Float64Array.from(pixels), size];
    for (const layer of convolutions) {
      x = convolve(x, n, layer);
      n /= 2;
    }
    const logits = output.bias.map((b, k) =>
      x.reduce((sum, v, i) => sum + v * output.weights[k * x.length + i], b),
    );
    const most = Math.max(...logits);
    const powers = logits.map((z) => Math.exp(z - most));
    const total = powers.reduce((a, b) => a + b);
    return powers.map((p) => p / total);
  };

  const board = picture(stage, {
    height: 300,
    label: "The image, the change, the changed image, and ten probabilities as bars",
    paint: (svg, width, height) => {
      const { changed, change, probabilities } = stage.shown;
      const gap = 14;
      const cell = Math.min(9, (width - 2 * gap) / (3 * size));
      const left = (width - 2 * gap - 3 * size * cell) / 2;
      const panels = [
        ["as written", image, (v) => ["live-gray", v]],
        ["change", change, (v) => [v < 0 ? "live-2" : "live-1", Math.min(1, Math.abs(v) / 0.2)]],
        ["together", changed, (v) => ["live-gray", v]],
      ];
      panels.forEach(([name, values, look], p) => {
        const x = left + p * (size * cell + gap);
        svg.append(draw("text", { x, y: 14 }, name));
        values.forEach((value, k) => {
          const [kind, strength] = look(value);
          svg.append(
            draw("rect", {
              class: `live-pixel ${kind}`,
              x: x + (k % size) * cell, y: 22 + Math.floor(k / size) * cell,
              width: cell, height: cell, "fill-opacity": strength,
            }),
          );
        });
        svg.append(
          draw("rect", { class: "live-frame", x, y: 22, width: size * cell, height: size * cell }),
        );
      });
      const [upper, base] = [200, height - 22];
      digitBars(svg, { probabilities, width, upper, base });
    },
  });
  const tell = status(stage);
  const panel = controls(stage);

  const update = () => {
    const direction = directions[kind.get()];
    const changed = image.map((v, k) => Math.max(0, Math.min(1, v + epsilon.get() * direction[k])));
    const change = changed.map((v, k) => v - image[k]);
    const probabilities = read(changed);
    stage.shown = { epsilon: epsilon.get(), changed, change, probabilities };
    const best = probabilities.indexOf(Math.max(...probabilities));
    const dots = (16 * epsilon.get()).toFixed(1);
    tell(
      `Each pixel by ${epsilon.get().toFixed(3)}, or ${dots} of 16 dots: the network ` +
        `${best === label ? "still" : "now"} reads ${best}, with ${(100 * probabilities[best]).toFixed(1)} %.`,
    );
    board.redraw();
  };
  const epsilon = slider(panel, {
    label: "Epsilon", min: 0, max: 0.2, step: 0.005, value: 0.02,
    say: (value) => value.toFixed(3),
    act: () => update(),
  });
  const kind = choice(panel, {
    label: "Direction", options: Object.keys(directions), value: Object.keys(directions)[0],
    act: () => update(),
  });
  update();
};
