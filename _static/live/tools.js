// What live parts share: elements, sliders, pictures. A part is a function
//
//     live.parts.NAME = (stage, data) => { ... }
//
// that fills the stage. It keeps what it shows, unrounded, in `stage.shown`: the tests compare that
// with Python. Numbers reach the reader through `tools.status`, which screen readers announce.

live.tools = (() => {
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const fill = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(name, value);
      else if (value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const make = (tag, attributes = {}, ...children) =>
    fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

  let numbers = 0;
  const id = () => `live-control-${(numbers += 1)}`;

  // With a minus, and without the minus of a zero.
  const fixed = (x, digits) => {
    const text = x.toFixed(digits);
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
  };
  // About as many digits as one would say: 0.168, 14.8, 2.1 million is 2.1e6.
  const rough = (x, digits = 3) => {
    if (x === 0) return "0";
    if (!Number.isFinite(x)) return "beyond all numbers";
    const size = Math.abs(x);
    if (size < 1e-3 || size >= 1e5) {
      const [head, power] = x.toExponential(1).split("e");
      const raised = [...String(Number(power))].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
      return `${head.replace("-", "−")}·10${raised.join("")}`;
    }
    return String(Number(x.toPrecision(digits))).replace("-", "−");
  };

  // A slider with its label and what it says. `values`, if given, are what its stops stand for.
  const slider = (parent, { label, min, max, step, values, value, say, act }) => {
    const name = id();
    const input = make("input", {
      type: "range",
      id: name,
      min: values ? 0 : min,
      max: values ? values.length - 1 : max,
      step: values ? 1 : step,
      autocomplete: "off",
      input: () => {
        told();
        act();
      },
    });
    // Not an <output>: that would be announced beside the slider's own value and the status.
    const output = make("span", { class: "live-value", "aria-hidden": true });
    const get = () => (values ? values[Number(input.value)] : Number(input.value));
    const told = () => {
      const text = say ? say(get()) : String(get());
      output.textContent = text;
      input.setAttribute("aria-valuetext", text);
    };
    const set = (to) => {
      input.value = values ? values.indexOf(to) : to;
      told();
    };
    set(value);
    parent.append(
      make("div", { class: "live-slider" }, make("label", { for: name }, label), input, output),
    );
    return { get, set, input };
  };

  const button = (parent, text, act) => {
    const element = make("button", { type: "button", click: act }, text);
    parent.append(element);
    return element;
  };

  // A few choices, of which one holds: native radio buttons.
  const choice = (parent, { label, options, value, act }) => {
    const group = id();
    const set = make("fieldset", { class: "live-choice" }, make("legend", {}, label));
    for (const option of options) {
      const name = id();
      const input = make("input", {
        type: "radio",
        name: group,
        id: name,
        value: option,
        autocomplete: "off",
        change: () => act(),
      });
      input.checked = option === value;
      set.append(make("span", {}, input, make("label", { for: name }, String(option))));
    }
    parent.append(set);
    return { get: () => set.querySelector("input:checked").value };
  };

  const controls = (stage) => stage.appendChild(make("div", { class: "live-controls" }));

  // What the picture shows, in words and numbers. The line is there before it is first filled:
  // only then is a change announced.
  const status = (stage) => {
    const line = stage.appendChild(make("p", { class: "live-status", role: "status" }));
    return (text) => {
      if (line.textContent !== text) line.textContent = text;
    };
  };

  // A picture as wide as its place, drawn anew when that changes: text keeps its size on a
  // telephone. `paint(svg, width, height)` fills it.
  const picture = (stage, { height, label, paint }) => {
    const svg = draw("svg", { role: "img", "aria-label": label, height });
    stage.append(svg);
    let width = 0;
    const redraw = () => {
      width = Math.floor(svg.getBoundingClientRect().width);
      if (!width) return;
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.replaceChildren();
      paint(svg, width, height);
    };
    new ResizeObserver(() => {
      if (Math.floor(svg.getBoundingClientRect().width) !== width) redraw();
    }).observe(svg);
    return { svg, redraw };
  };

  const scale = (from, to) => (x) =>
    to[0] + ((x - from[0]) / (from[1] - from[0])) * (to[1] - to[0]);

  // A line along the bottom or the left, with ticks and their texts.
  const axis = (svg, { at, along, ticks, name, vertical = false, end }) => {
    const group = draw("g", { class: "live-axis" });
    const point = (x, y) => (vertical ? [y, x] : [x, y]);
    const line = (a, b) => {
      const [x1, y1] = point(...a);
      const [x2, y2] = point(...b);
      group.append(draw("line", { x1, y1, x2, y2 }));
    };
    line([end[0], at], [end[1], at]);
    for (const [value, text] of ticks) {
      const place = along(value);
      line([place, at], [place, at + (vertical ? -5 : 5)]);
      const [x, y] = point(place, at);
      group.append(
        vertical
          ? draw("text", { x: x - 9, y: y + 4, "text-anchor": "end" }, text)
          : draw("text", { x, y: y + 19, "text-anchor": "middle" }, text),
      );
    }
    group.append(
      vertical
        ? draw("text", { x: 2, y: end[1] - 10 }, name)
        : draw("text", { x: (end[0] + end[1]) / 2, y: at + 37, "text-anchor": "middle" }, name),
    );
    svg.append(group);
  };

  // Ten bars, one for each digit, the likeliest in color, with a percentage on each that has one.
  const digitBars = (svg, { probabilities, width, upper, base }) => {
    const x = scale([0, 10], [0, width]);
    const best = probabilities.indexOf(Math.max(...probabilities));
    probabilities.forEach((p, digit) => {
      const tall = p * (base - upper);
      const middle = { x: x(digit + 0.5), "text-anchor": "middle" };
      svg.append(
        draw("rect", {
          class: digit === best ? "live-bar live-1" : "live-bar",
          x: x(digit + 0.15), y: base - tall, width: x(0.7), height: tall,
        }),
        draw("text", { ...middle, y: base + 16 }, String(digit)),
      );
      if (p >= 0.005) {
        const says = `${Math.round(100 * p)}${width < 420 ? "" : " %"}`;
        svg.append(draw("text", { ...middle, y: base - tall - 4, class: "live-small" }, says));
      }
    });
    svg.append(draw("line", { class: "live-base", x1: 0, x2: width, y1: base, y2: base }));
  };

  const path = (points) =>
    points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");

  // Numbers from a seed, from 0 to 1, the same in every browser (mulberry32).
  const random = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  // Weights of a network by their names: 16-bit floats one after the other, matrices as (out, in).
  const halves = ({ shapes, weights }) => {
    const half = (bits) => {
      const [sign, power, rest] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
      return power ? sign * 2 ** (power - 15) * (1 + rest / 1024) : (sign * rest) / 2 ** 24;
    };
    const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
    const found = {};
    let at = 0;
    for (const [name, length] of shapes) {
      found[name] = Float64Array.from({ length }, (_, i) =>
        half(bytes[at + 2 * i] | (bytes[at + 2 * i + 1] << 8)),
      );
      at += 2 * length;
    }
    return found;
  };
  // A linear layer of such weights, with its bias if it has one.
  const linear = (W, x, name) => {
    const matrix = W[`${name}.weight`];
    const bias = W[`${name}.bias`];
    const [input, n] = [Float64Array.from(x), x.length];
    const out = bias ? bias.slice() : new Float64Array(matrix.length / n);
    for (let o = 0, at = 0; o < out.length; o += 1) {
      let sum = 0;
      for (let i = 0; i < n; i += 1, at += 1) sum += matrix[at] * input[i];
      out[o] += sum;
    }
    return out;
  };
  // Rotary positions: each head's numbers, two at a time, turn with the position.
  const rotary = (row, position, heads) => {
    const out = new Float64Array(row.length);
    const width = row.length / heads;
    for (let h = 0; h < heads; h += 1) {
      for (let i = 0; i < width / 2; i += 1) {
        const angle = position * 10000 ** ((-2 * i) / width);
        const [a, b] = [row[h * width + i], row[h * width + i + width / 2]];
        out[h * width + i] = a * Math.cos(angle) - b * Math.sin(angle);
        out[h * width + i + width / 2] = a * Math.sin(angle) + b * Math.cos(angle);
      }
    }
    return out;
  };
  const softmax = (z) => {
    const most = Math.max(...z);
    const powers = z.map((v) => Math.exp(v - most));
    const total = powers.reduce((a, b) => a + b, 0);
    return powers.map((p) => p / total);
  };

  // Colors for a canvas, which knows no classes; `act` is called when light and dark change.
  const color = (element, name) => getComputedStyle(element).getPropertyValue(`--live-${name}`);
  const recolor = (act) =>
    new MutationObserver(act).observe(document.documentElement, { attributeFilter: ["data-theme"] });

  return {
    axis, button, choice, color, controls, digitBars, draw, fixed, halves, id, linear, make, path,
    picture, random, recolor, rotary, rough, scale, slider, softmax, status, still,
  };
})();
