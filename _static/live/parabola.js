// Gradient descent with one weight, on the parabola w ** 2 / 2: the page's `steps_down`.

live.parts.parabola = (stage, { start, steps }) => {
  const { axis, controls, draw, fixed, path, picture, rough, scale, slider, status } = live.tools;
  const farthest = 1.9;

  const board = picture(stage, {
    height: 250,
    label: "A parabola, and the weight before the first step (a square) and after each (dots)",
    paint: (svg, width, height) => {
      const x = scale([-farthest, farthest], [12, width - 12]);
      const y = scale([0, farthest ** 2 / 2], [height - 46, 12]);
      axis(svg, {
        at: height - 42,
        along: x,
        ticks: [-1, 0, 1].map((w) => [w, fixed(w, 0)]),
        name: "weight w",
        end: [12, width - 12],
      });
      const curve = [];
      for (let w = -farthest; w <= farthest + 1e-9; w += farthest / 60) {
        curve.push([x(w), y((w * w) / 2)]);
      }
      svg.append(draw("path", { class: "live-reference", d: path(curve) }));
      // What has left the picture is cut off a picture's width beyond it: no number is too large.
      const { places } = stage.shown;
      const points = places.map((w) => {
        const seen = Math.max(-9, Math.min(9, w));
        return [x(seen), y((seen * seen) / 2)];
      });
      svg.append(draw("path", { class: "live-line live-1", d: path(points) }));
      for (const [cx, cy] of points.slice(1)) {
        svg.append(draw("circle", { class: "live-dot live-1", cx, cy, r: 4.5 }));
      }
      const [[sx, sy]] = points;
      svg.append(draw("rect", { class: "live-mark", x: sx - 5, y: sy - 5, width: 10, height: 10 }));
    },
  });
  const tell = status(stage);
  const panel = controls(stage);

  const fate = (rate) => {
    if (rate === 0) return "No step moves it.";
    if (rate < 1) return "Every step stays on the right side and lands lower.";
    if (rate === 1) return "The first step ends at the bottom.";
    if (rate < 2) return "Every step jumps across and lands lower.";
    if (rate === 2) return "It jumps back and forth between two places.";
    return "Every step jumps across and lands higher: it diverges.";
  };

  const update = () => {
    const [eta, count] = [rate.get(), length.get()];
    const places = [start];
    for (let k = 0; k < count; k += 1) {
      const w = places[k];
      places.push(w - eta * w);
    }
    stage.shown = { rate: eta, places };
    const last = places[count];
    const outside = Math.abs(last) > farthest ? ", outside the picture" : "";
    const after = `After ${count} ${count === 1 ? "step" : "steps"}`;
    tell(`${after} at rate ${fixed(eta, 2)}, w = ${rough(last)}${outside}. ${fate(eta)}`);
    board.redraw();
  };
  const rate = slider(panel, {
    label: "Learning rate",
    min: 0, max: 2.5, step: 0.05, value: 0.3,
    say: (value) => value.toFixed(2),
    act: update,
  });
  const length = slider(panel, {
    label: "Steps", min: 1, max: 30, step: 1, value: steps, act: update,
  });
  update();
};
