// Where the heads of the page's small GPT look, in a sentence that the reader types: layer norms,
// rotary positions and a causal mask, as in course_lib.models.gpt.

live.parts.attention = (stage, given) => {
  const { choice, controls, draw, halves, linear, make, picture, rotary, slider, softmax, status } =
    live.tools;
  const { characters, config, epsilon, start, longest } = given;
  const { width: D, layers: LAYERS, heads: HEADS } = config;
  const H = D / HEADS;
  const W = halves(given);

  const norm = (x, name) => {
    const mean = x.reduce((sum, v) => sum + v, 0) / D;
    const spread = Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / D + epsilon);
    return x.map((v, i) => ((v - mean) / spread) * W[`${name}.weight`][i] + W[`${name}.bias`][i]);
  };
  // The normal distribution function times x (GELU); erf as in Abramowitz and Stegun, 7.1.26.
  const gelu = (x) => {
    const size = Math.abs(x) / Math.SQRT2;
    const t = 1 / (1 + 0.3275911 * size);
    const series =
      ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    const erf = Math.sign(x) * (1 - series * Math.exp(-size * size));
    return (x * (1 + erf)) / 2;
  };
  // Weights of each head: maps[layer][head][from][to].
  const attend = (tokens) => {
    let stream = tokens.map((token) => W["embedding.weight"].slice(token * D, (token + 1) * D));
    const maps = [];
    for (let l = 0; l < LAYERS; l += 1) {
      const block = `blocks.${l}`;
      const parts = stream.map((x) => linear(W, norm(x, `${block}.norm1`), `${block}.attention.qkv`));
      const queries = parts.map((part, i) => rotary(part.subarray(0, D), i, HEADS));
      const keys = parts.map((part, i) => rotary(part.subarray(D, 2 * D), i, HEADS));
      maps.push(
        Array.from({ length: HEADS }, (_, h) =>
          queries.map((query, i) => {
            const scores = keys.slice(0, i + 1).map((key) => {
              let sum = 0;
              for (let k = h * H; k < (h + 1) * H; k += 1) sum += query[k] * key[k];
              return sum / Math.sqrt(H);
            });
            return [...softmax(scores), ...new Array(tokens.length - i - 1).fill(0)];
          }),
        ),
      );
      if (l + 1 === LAYERS) break; // What follows changes no weight.
      stream = stream.map((x, i) => {
        const mixed = new Float64Array(D);
        for (let h = 0; h < HEADS; h += 1) {
          maps[l][h][i].forEach((share, j) => {
            for (let k = h * H; k < (h + 1) * H; k += 1) mixed[k] += share * parts[j][2 * D + k];
          });
        }
        const added = linear(W, mixed, `${block}.attention.output`);
        const after = x.map((v, k) => v + added[k]);
        const inner = linear(W, norm(after, `${block}.norm2`), `${block}.mlp.0`).map(gelu);
        const more = linear(W, inner, `${block}.mlp.2`);
        return after.map((v, k) => v + more[k]);
      });
    }
    return maps;
  };

  const name = live.tools.id();
  const field = make("input", {
    type: "text", id: name, maxlength: longest, spellcheck: false, autocomplete: "off",
    input: () => read(),
  });
  field.value = start;
  stage.append(
    make("div", { class: "live-sentence" }, make("label", { for: name }, "Your sentence"), field),
  );

  // A row for each character that looks, a column for each that is looked at.
  const seen = (character) => (character === " " ? "␣" : character);
  const board = picture(stage, {
    height: 330,
    label: "A table of weights: in each row, how much one character takes from those before it",
    paint: (svg, width, height) => {
      const { text, weights, from } = stage.shown;
      const n = text.length;
      const cell = Math.min((height - 24) / n, (width - 44) / n, 24);
      const [left, upper] = [(width - (n + 1) * cell) / 2 + cell, 22];
      const letter = (x, y, k) =>
        draw("text", {
          x, y, "text-anchor": "middle", class: k === from ? "live-chosen" : "",
          style: `font-size:${Math.min(14, cell)}px`,
        }, seen(text[k]));
      for (let i = 0; i < n; i += 1) {
        const y = upper + i * cell;
        svg.append(letter(left - cell / 2 - 2, y + cell * 0.75, i));
        svg.append(letter(left + (i + 0.5) * cell, upper - 6, i));
        for (let j = 0; j <= i; j += 1) {
          svg.append(
            draw("rect", {
              class: i === from ? "live-cell live-1" : "live-cell",
              x: left + j * cell, y, width: cell, height: cell, "fill-opacity": weights[i][j],
            }),
          );
        }
      }
      svg.append(
        draw("rect", {
          class: "live-window",
          x: left, y: upper + from * cell, width: (from + 1) * cell, height: cell,
        }),
      );
      svg.onpointerdown = (event) => {
        const row = Math.floor((event.clientY - svg.getBoundingClientRect().top - upper) / cell);
        if (row < 0 || row >= n) return;
        place.set(row + 1);
        show();
      };
    },
  });
  const tell = status(stage);
  const panel = controls(stage);
  const block = choice(panel, {
    label: "Block", options: Array.from({ length: LAYERS }, (_, l) => l + 1), value: 1,
    act: () => show(),
  });
  const head = choice(panel, {
    label: "Head", options: Array.from({ length: HEADS }, (_, h) => h + 1), value: 1,
    act: () => show(),
  });
  const place = slider(panel, {
    label: "Looks from", min: 1, max: start.length, step: 1, value: start.length,
    say: (k) => `${k}`, act: () => show(),
  });

  let [text, tokens, maps, unknown] = [[], [], [], []];
  const read = () => {
    const typed = [...field.value];
    unknown = [...new Set(typed.filter((c) => !characters.includes(c)))];
    text = typed.filter((c) => characters.includes(c));
    if (text.length === 0) text = [" "];
    tokens = text.map((c) => characters.indexOf(c));
    maps = attend(tokens);
    place.input.max = text.length;
    place.set(text.length);
    show();
  };
  const percent = (share) => `${(100 * share).toFixed(0)} %`;
  const show = () => {
    const weights = maps[block.get() - 1][head.get() - 1];
    const from = place.get() - 1;
    const row = weights[from];
    const order = row.map((w, j) => j).slice(0, from + 1).sort((a, b) => row[b] - row[a]);
    const steps = (j) =>
      j === from ? "itself" : `“${seen(text[j])}”, ${from - j} before it`;
    const named = order.slice(0, 3).map((j) => `${percent(row[j])} on ${steps(j)}`).join("; ");
    const before = weights.slice(1).reduce((sum, w, i) => sum + w[i], 0) / (weights.length - 1);
    stage.shown = { text: text.join(""), tokens, maps, weights, from, before };
    const missing = unknown.length
      ? `${unknown.join(" ")} ${unknown.length > 1 ? "are" : "is"} left out: the network has read ` +
        `${characters.length} characters, and not this. `
      : "";
    const mean =
      weights.length > 1 ? ` In the whole sentence, ${percent(before)} is on the character before.` : "";
    tell(`${missing}“${seen(text[from])}” looks: ${named}.${mean}`);
    board.redraw();
  };
  read();
};
