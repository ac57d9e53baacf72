// A sum of six hinges with weights set by hand: the page's hidden layer, without its training.

live.parts.hinges = (stage, { corners, span, points, best }) => {
  const { axis, button, controls, draw, fixed, make, path, picture, rough, scale, slider, status } =
    live.tools;
  const inputs = Array.from(
    { length: points },
    (_, k) => span[0] + ((span[1] - span[0]) * k) / (points - 1),
  );
  const relu = (z) => Math.max(z, 0);
  const sum = (x, weights, bias) =>
    weights.reduce((total, weight, i) => total + weight * relu(x - corners[i]), bias);
  const error = (weights, bias) =>
    inputs.reduce((total, x) => total + (sum(x, weights, bias) - Math.sin(x)) ** 2, 0) / points;
  const least = error(best.slice(0, -1), best.at(-1));

  const board = picture(stage, {
    height: 270,
    label: "A sine, and the sum of six hinges, a line with a corner at each hinge",
    paint: (svg, width, height) => {
      const x = scale(span, [34, width - 12]);
      const y = scale([-2.2, 2.2], [height - 46, 22]);
      axis(svg, {
        at: height - 42, along: x, name: "x", end: [34, width - 12],
        ticks: corners.map((c) => [c, fixed(c, 1)]),
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
    },
  });
  const tell = status(stage);
  const panel = controls(stage);

  const update = () => {
    const [weights, bias] = [sliders.map((one) => one.get()), level.get()];
    show(weights, bias);
  };
  const show = (weights, bias) => {
    const found = error(weights, bias);
    stage.shown = { weights, bias, error: found, least };
    tell(
      `Mean squared error ${rough(found)}; the best weights for these corners have ${rough(least)}.`,
    );
    board.redraw();
  };
  const sliders = corners.map((corner) =>
    slider(panel, {
      label: `Hinge at ${fixed(corner, 1)}`,
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
    for (const one of [...sliders, level]) one.set(0);
    update();
  });
  update();
};
