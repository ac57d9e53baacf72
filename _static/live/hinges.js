// A sum of six hinges with corners and weights set by hand: the page's hidden layer, without its
// training. A corner of the sum is dragged, or moved with the arrow keys; sliders set each weight.

live.parts.hinges = (stage, { corners: evenly, span, points, best: evenBest }) => {
  const { axis, button, controls, draw, fixed, make, path, picture, rough, scale, slider, status } =
    live.tools;
  const [REACH, GAP] = [2.5, 0.1];
  let corners = [...evenly];
  const inputs = Array.from(
    { length: points },
    (_, k) => span[0] + ((span[1] - span[0]) * k) / (points - 1),
  );
  const relu = (z) => Math.max(z, 0);
  const sum = (x, weights, bias) =>
    weights.reduce((total, weight, i) => total + weight * relu(x - corners[i]), bias);
  const error = (weights, bias) =>
    inputs.reduce((total, x) => total + (sum(x, weights, bias) - Math.sin(x)) ** 2, 0) / points;
  // The best weights and bias for the corners there are: least squares, by the normal equations
  // and elimination with pivots. They have a solution: each hinge bends elsewhere.
  const fit = () => {
    if (corners.every((corner, i) => corner === evenly[i])) return evenBest;
    const n = corners.length + 1;
    const rows = Array.from({ length: n }, () => new Float64Array(n + 1));
    for (const x of inputs) {
      const features = [...corners.map((corner) => relu(x - corner)), 1, Math.sin(x)];
      for (let i = 0; i < n; i += 1) {
        for (let j = 0; j <= n; j += 1) rows[i][j] += features[i] * features[j];
      }
    }
    for (let k = 0; k < n; k += 1) {
      let pivot = k;
      for (let i = k; i < n; i += 1) if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) pivot = i;
      [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
      for (let i = 0; i < n; i += 1) {
        if (i === k) continue;
        const factor = rows[i][k] / rows[k][k];
        for (let j = k; j <= n; j += 1) rows[i][j] -= factor * rows[k][j];
      }
    }
    return rows.map((row, k) => row[n] / row[k]);
  };
  let best = evenBest;
  let least = error(best.slice(0, -1), best.at(-1));

  // Places on the screen, for what is drawn and what is dragged.
  const places = (width, height) => ({
    x: scale(span, [34, width - 12]),
    y: scale([-2.2, 2.2], [height - 46, 22]),
  });
  const drag = stage.appendChild(make("div", { class: "live-drag" }));
  const board = picture(drag, {
    height: 270,
    label: "A sine, and the sum of six hinges, a line with a corner at each hinge",
    paint: (svg, width, height) => {
      const { x, y } = places(width, height);
      axis(svg, {
        at: height - 42, along: x, name: "x", end: [34, width - 12],
        ticks: evenly.map((c) => [c, fixed(c, 1)]),
      });
      axis(svg, {
        at: 34, along: y, name: "", end: [height - 42, 14], vertical: true,
        ticks: [-2, -1, 0, 1, 2].map((v) => [v, fixed(v, 0)]),
      });
      const { weights, bias } = stage.shown;
      const clip = draw("clipPath", { id: "live-hinges-clip" });
      clip.append(draw("rect", { x: 34, y: 4, width: width - 34, height: height - 46 }));
      const inside = draw("g", { "clip-path": "url(#live-hinges-clip)" });
      svg.append(clip, inside);
      const kinks = [...corners, span[1]];
      weights.forEach((weight, i) => {
        const piece = [span[0], corners[i], span[1]].map((at) => [
          x(at), y(weight * relu(at - corners[i])),
        ]);
        inside.append(draw("path", { class: "live-line live-faint live-4", d: path(piece) }));
      });
      inside.append(
        draw("path", {
          class: "live-line live-2 live-dashed",
          d: path(inputs.filter((_, k) => k % 10 === 0).map((at) => [x(at), y(Math.sin(at))])),
        }),
        draw("path", {
          class: "live-line live-1",
          d: path(kinks.map((at) => [x(at), y(sum(at, weights, bias))])),
        }),
      );
      for (const at of corners) {
        inside.append(
          draw("circle", { class: "live-dot live-1", cx: x(at), cy: y(sum(at, weights, bias)), r: 4.5 }),
        );
      }
      const names = [["live-1", "sum"], ["live-2 live-dashed", "sine"], ["live-4 live-faint", "each hinge"]];
      names.forEach(([kind, name], row) => {
        const [left, top] = [width - 124, 14 + 18 * row];
        svg.append(
          draw("line", { class: `live-line ${kind}`, x1: left, x2: left + 32, y1: top, y2: top }),
          draw("text", { x: left + 40, y: top + 4 }, name),
        );
      });
      // The rings stay, so that they keep the focus and the pointer, and follow the dots.
      over.setAttribute("viewBox", `0 0 ${width} ${height}`);
      rings.forEach((ring, i) => {
        const at = kinks[i];
        const level = Math.max(-2.3, Math.min(2.3, sum(at, weights, bias)));
        ring.setAttribute("cx", x(at));
        ring.setAttribute("cy", y(level));
      });
    },
  });

  // What is dragged: the sum at each corner, and at the end. A corner's height belongs to the weight
  // of the hinge before it (the bias, for the first), so that all that lies left of it stays.
  const over = drag.appendChild(draw("svg", {}));
  const pull = (i, to, height) => {
    const { weights, bias } = stage.shown;
    if (i > 0 && i < corners.length) {
      const right = i + 1 < corners.length ? corners[i + 1] : span[1];
      corners[i] = Math.max(corners[i - 1] + GAP, Math.min(right - GAP, to));
    }
    const here = i < corners.length ? corners[i] : span[1];
    const bounded = (value) => Math.max(-REACH, Math.min(REACH, value));
    if (i === 0) level.set(bounded(height));
    else {
      const without = sum(here, weights.map((weight, k) => (k === i - 1 ? 0 : weight)), bias);
      sliders[i - 1].set(bounded((height - without) / (here - corners[i - 1])));
    }
    best = fit();
    least = error(best.slice(0, -1), best.at(-1));
    update();
  };
  const heightAt = (i) => {
    const { weights, bias } = stage.shown;
    return sum(i < corners.length ? corners[i] : span[1], weights, bias);
  };
  const keys = { ArrowUp: [0, 0.05], ArrowDown: [0, -0.05], ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0] };
  const rings = Array.from({ length: evenly.length + 1 }, (_, i) => {
    const name = i < evenly.length ? `Corner ${i + 1}` : "End";
    const sideways = i > 0 && i < evenly.length;
    const ring = draw("circle", {
      class: "live-handle", r: 13, tabindex: 0, role: "application",
      "aria-label": `${name} of the sum. Arrow keys move it ${sideways ? "in all directions" : "up and down"}.`,
      keydown: (event) => {
        if (!(event.key in keys)) return;
        event.preventDefault();
        const [dx, dy] = keys[event.key];
        if (dx) pull(i, (corners[i] ?? span[1]) + dx, heightAt(i));
        else {
          const one = i ? sliders[i - 1] : level;
          one.set(one.get() + dy);
          update();
        }
      },
      pointerdown: (event) => {
        event.preventDefault();
        ring.focus({ preventScroll: true });
        ring.setPointerCapture(event.pointerId);
      },
      pointermove: (event) => {
        if (!ring.hasPointerCapture(event.pointerId)) return;
        const { left, top, width, height } = over.getBoundingClientRect();
        const { x, y } = places(width, height);
        const back = (along, value, [a, b]) => a + ((value - along(a)) * (b - a)) / (along(b) - along(a));
        pull(i, back(x, event.clientX - left, span), back(y, event.clientY - top, [-2.2, 2.2]));
      },
    });
    over.append(ring);
    return ring;
  });
  const tell = status(stage);
  const panel = controls(stage);

  const update = () => {
    const [weights, bias] = [sliders.map((one) => one.get()), level.get()];
    show(weights, bias);
  };
  const show = (weights, bias) => {
    const found = error(weights, bias);
    stage.shown = { corners: [...corners], weights, bias, error: found, least };
    tell(
      `Mean squared error ${rough(found)}; the best weights for these corners have ${rough(least)}.`,
    );
    board.redraw();
  };
  const sliders = evenly.map((_, i) =>
    slider(panel, {
      label: `Weight ${i + 1}`,
      min: -2.5, max: 2.5, step: 0.05, value: 0,
      say: (value) => fixed(value, 2),
      act: () => update(),
    }),
  );
  const level = slider(panel, {
    label: "Bias", min: -2.5, max: 2.5, step: 0.05, value: 0,
    say: (value) => fixed(value, 2),
    act: () => update(),
  });
  const buttons = stage.appendChild(make("div", { class: "live-buttons" }));
  button(buttons, "Best weights", () => {
    [...sliders, level].forEach((one, i) => one.set(best[i]));
    show(best.slice(0, -1), best.at(-1)); // Unrounded: sliders have stops.
  });
  button(buttons, "All to 0", () => {
    corners = [...evenly];
    best = evenBest;
    least = error(best.slice(0, -1), best.at(-1));
    for (const one of [...sliders, level]) one.set(0);
    update();
  });
  update();
};
