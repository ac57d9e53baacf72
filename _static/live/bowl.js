// Momentum on a stretched bowl with 20 weights: the page's `steps_needed`, at any setting.

live.parts.bowl = (stage, { curvatures, start, goal }) => {
  const { axis, controls, draw, fixed, path, picture, scale, slider, status } = live.tools;
  const [LONGEST, DRAWN] = [5000, 1000];

  const length = (w) => Math.sqrt(w.reduce((sum, x) => sum + x * x, 0));

  // The distance after each step as a share of the first, and at which step the goal is reached.
  const descend = (lr, momentum) => {
    const w = [...start];
    const v = w.map(() => 0);
    const first = length(w);
    const shares = [1];
    while (shares.at(-1) > goal && shares.at(-1) < 1e9 && shares.length <= LONGEST) {
      for (let i = 0; i < w.length; i += 1) {
        v[i] = momentum * v[i] + curvatures[i] * w[i];
        w[i] -= lr * v[i];
      }
      shares.push(length(w) / first);
    }
    return { shares, steps: shares.at(-1) <= goal ? shares.length - 1 : null };
  };

  const board = picture(stage, {
    height: 270,
    label: "Distance from the bottom of the bowl against the step, with and without momentum",
    paint: (svg, width, height) => {
      const x = scale([0, DRAWN], [52, width - 20]);
      const y = scale([-6.3, 1], [height - 46, 26]);
      axis(svg, {
        at: height - 46,
        along: x,
        ticks: (width < 420 ? [0, 500, 1000] : [0, 250, 500, 750, 1000]).map((k) => [k, String(k)]),
        name: "step",
        end: [52, width - 20],
      });
      axis(svg, {
        at: 52,
        along: y,
        ticks: [[0, "1"], [-2, "10⁻²"], [-4, "10⁻⁴"], [-6, "10⁻⁶"]],
        name: "distance, share of the first",
        end: [height - 46, 22],
        vertical: true,
      });
      const goes = (shares) =>
        path(
          shares
            .slice(0, DRAWN + 1)
            .map((share, k) => [x(k), y(Math.max(-6.3, Math.min(1, Math.log10(share))))]),
        );
      const at = y(Math.log10(goal));
      svg.append(
        draw("line", { class: "live-reference live-dotted", x1: 52, x2: width - 20, y1: at, y2: at }),
        draw("path", { class: "live-line live-2 live-dashed", d: goes(stage.shown.plain.shares) }),
        draw("path", { class: "live-line live-1", d: goes(stage.shown.moving.shares) }),
      );
      // Which is which.
      const names = [["live-1", "with momentum"], ["live-2 live-dashed", "without"]];
      names.forEach(([kind, name], row) => {
        const [left, top] = [width - 150, 40 + 18 * row];
        svg.append(
          draw("line", { class: `live-line ${kind}`, x1: left, x2: left + 32, y1: top, y2: top }),
          draw("text", { x: left + 40, y: top + 4 }, name),
        );
      });
    },
  });
  const tell = status(stage);
  const panel = controls(stage);

  const fate = ({ shares, steps }) => {
    if (steps !== null) return `${steps.toLocaleString("en")} steps`;
    return shares.at(-1) > 1 ? "never: it diverges" : `more than ${LONGEST.toLocaleString("en")} steps`;
  };
  const update = () => {
    const [lr, beta] = [rate.get(), momentum.get()];
    stage.shown = { rate: lr, momentum: beta, moving: descend(lr, beta), plain: descend(lr, 0) };
    tell(
      `To a millionth of the distance at rate ${fixed(lr, 3)}: with momentum ${fixed(beta, 2)}, ` +
        `${fate(stage.shown.moving)}; without, ${fate(stage.shown.plain)}.`,
    );
    board.redraw();
  };
  const rate = slider(panel, {
    label: "Learning rate",
    min: 0.001, max: 0.045, step: 0.001, value: 0.01,
    say: (value) => value.toFixed(3),
    act: update,
  });
  const momentum = slider(panel, {
    label: "Momentum",
    min: 0, max: 0.99, step: 0.01, value: 0.5,
    say: (value) => value.toFixed(2),
    act: update,
  });
  update();
};
