// The small GPT of the page, writing: byte pairs, rotary positions, RMS norms, SwiGLU, as in
// course_lib.models.gpt. It computes all positions anew for each token; they are few.

live.parts.gpt = (stage, { merges, config, shapes, weights, start, count }) => {
  const { button, controls, draw, halves, linear, make, picture, random, rotary, scale, slider, softmax, status,
    still } = live.tools;
  const { context, width: D, layers: LAYERS, heads: HEADS, epsilon } = config;
  const H = D / HEADS;

  const W = halves({ shapes, weights });

  // Tokens.
  const rank = new Map(merges.map(([a, b], i) => [a * 4096 + b, i]));
  const vocabulary = Array.from({ length: 256 }, (_, byte) => [byte]);
  for (const [a, b] of merges) vocabulary.push([...vocabulary[a], ...vocabulary[b]]);
  const encode = (text) => {
    const found = [];
    for (const piece of text.match(/ ?[A-Za-z]+|\p{Nd}| ?[^A-Za-z\p{Nd}\s]+|\s/gu) ?? []) {
      let tokens = [...new TextEncoder().encode(piece)];
      for (;;) {
        let first = Infinity;
        for (let i = 0; i + 1 < tokens.length; i += 1) {
          first = Math.min(first, rank.get(tokens[i] * 4096 + tokens[i + 1]) ?? Infinity);
        }
        if (first === Infinity) break;
        const [a, b] = merges[first];
        const merged = [];
        for (let i = 0; i < tokens.length; i += 1) {
          if (tokens[i] === a && tokens[i + 1] === b) {
            merged.push(256 + first);
            i += 1;
          } else merged.push(tokens[i]);
        }
        tokens = merged;
      }
      found.push(...tokens);
    }
    return found;
  };
  const decode = (tokens) =>
    new TextDecoder().decode(Uint8Array.from(tokens.flatMap((token) => vocabulary[token])));

  // The network, position by position: what is computed for one never changes when others follow.
  const norm = (x, name) => {
    const size = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + epsilon);
    return x.map((v, i) => (v / size) * W[`${name}.weight`][i]);
  };
  const turn = (row, position) => rotary(row, position, HEADS);
  const attend = (query, keys, values) => {
    const out = new Float64Array(D);
    for (let h = 0; h < HEADS; h += 1) {
      const share = softmax(
        keys.map((key) => {
          let sum = 0;
          for (let i = h * H; i < (h + 1) * H; i += 1) sum += query[i] * key[i];
          return sum / Math.sqrt(H);
        }),
      );
      share.forEach((p, t) => {
        for (let i = h * H; i < (h + 1) * H; i += 1) out[i] += p * values[t][i];
      });
    }
    return out;
  };
  const logits = (tokens) => {
    const cache = Array.from({ length: LAYERS }, () => ({ keys: [], values: [] }));
    let x;
    tokens.forEach((token, position) => {
      x = W["embedding.weight"].slice(token * D, (token + 1) * D);
      for (let l = 0; l < LAYERS; l += 1) {
        const block = `blocks.${l}`;
        const qkv = linear(W, norm(x, `${block}.norm1`), `${block}.attention.qkv`);
        const { keys, values } = cache[l];
        keys.push(turn(qkv.subarray(D, 2 * D), position));
        values.push(qkv.subarray(2 * D));
        const mixed = attend(turn(qkv.subarray(0, D), position), keys, values);
        const added = linear(W, mixed, `${block}.attention.output`);
        x = x.map((v, i) => v + added[i]);
        const inner = norm(x, `${block}.norm2`);
        const up = linear(W, inner, `${block}.mlp.up`);
        const gate = linear(W, inner, `${block}.mlp.gate`);
        const more = linear(W, gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]), `${block}.mlp.down`);
        x = x.map((v, i) => v + more[i]);
      }
    });
    return [...linear(W, norm(x, "norm"), "embedding")];
  };

  // Temperature, then top-p: the fewest tokens that together have at least p. At 0, the likeliest.
  const choose = (scores) => {
    const T = temperature.get();
    const order = scores.map((z, token) => token).sort((a, b) => scores[b] - scores[a] || a - b);
    const p = softmax(scores.map((z) => z / (T || 1)));
    let before = 0;
    let kept = 0;
    for (const token of order) {
      if (T === 0 ? kept > 0 : before >= top.get()) break;
      before += p[token];
      kept += 1;
    }
    return { order, p, kept, mass: before };
  };

  const chance = random(1);

  // The text, of which the reader has typed the beginning.
  const name = "live-gpt-prompt";
  const prompt = make("textarea", { id: name, rows: 2, spellcheck: false, input: () => begin() });
  prompt.value = start;
  stage.append(make("label", { for: name }, "A text begins"), prompt);
  // It scrolls, so the keyboard must reach it.
  const page = stage.appendChild(
    make("div", { class: "live-written", tabindex: 0, role: "group", "aria-label": "The text so far" }),
  );

  let tokens = [];
  let typed = 0;
  let scores = [];
  let timer = null;
  // As in course_lib: a context that is full goes on from its last half.
  let recent = [];

  const board = picture(stage, {
    height: 190,
    label: "The likeliest next tokens and their probabilities",
    paint: (svg, width, height) => {
      const { order, p, kept } = stage.shown.next;
      const shown = Math.min(order.length, width < 420 ? 8 : 12);
      const base = height - 26;
      const x = scale([0, shown], [0, width]);
      for (let i = 0; i < shown; i += 1) {
        const tall = Math.max(1, p[order[i]] * (base - 22));
        const middle = x(i + 0.5);
        const text = decode([order[i]]).replace("\n", "↵").replace(" ", "␣");
        svg.append(
          draw("rect", {
            class: i < kept ? "live-bar live-1" : "live-bar live-left-out",
            x: x(i + 0.12), y: base - tall, width: x(0.76), height: tall,
          }),
          draw("text", { x: middle, y: base + 17, "text-anchor": "middle" }, text),
          draw(
            "text",
            { x: middle, y: base - tall - 4, "text-anchor": "middle", class: "live-small" },
            `${Math.round(100 * p[order[i]])}${width < 420 ? "" : " %"}`,
          ),
        );
      }
      svg.append(draw("line", { class: "live-base", x1: 0, x2: width, y1: base, y2: base }));
    },
  });
  const tell = status(stage);
  const line = stage.lastChild;

  const look = () => {
    const next = choose(scores);
    stage.shown = {
      tokens, typed, scores, next,
      written: decode(tokens.slice(typed)), running: timer !== null,
    };
    page.replaceChildren(make("span", {}, prompt.value), make("mark", {}, stage.shown.written));
    page.scrollTop = page.scrollHeight;
    const [first] = next.order;
    const share = `${(100 * next.p[first]).toFixed(1)} %`;
    tell(
      `Likeliest next token: “${decode([first]).replace("\n", "new line")}” (${share}). ` +
        `It draws from ${next.kept} of ${scores.length} tokens.` +
        (timer === null && tokens.length > typed ? ` It wrote ${tokens.length - typed} tokens.` : ""),
    );
    board.redraw();
  };
  const think = () => {
    scores = logits(recent);
  };
  const begin = () => {
    stop();
    tokens = encode(prompt.value || "\n");
    typed = tokens.length;
    recent = tokens.slice(-context);
    think();
    look();
  };
  const add = () => {
    const { order, p, kept, mass } = choose(scores);
    let left = chance() * mass;
    let token = order[kept - 1];
    for (const one of order.slice(0, kept)) {
      left -= p[one];
      if (left < 0) {
        token = one;
        break;
      }
    }
    tokens = [...tokens, token];
    recent = [...recent, token];
    if (recent.length > context) recent = recent.slice(-context / 2);
    think();
  };
  const stop = () => {
    clearTimeout(timer);
    timer = null;
    go.textContent = "Write";
    line.setAttribute("aria-live", "polite");
  };
  const run = (left) => {
    // A token at a time; where motion is unwanted, all at once.
    for (let k = 0; k < (still.matches ? left : 1); k += 1) add();
    if (still.matches || left === 1) stop();
    else timer = setTimeout(() => run(left - 1), 30);
    look();
  };

  const panel = controls(stage);
  const temperature = slider(panel, {
    label: "Temperature", min: 0, max: 2, step: 0.1, value: 1,
    say: (value) => value.toFixed(1),
    act: () => look(),
  });
  const top = slider(panel, {
    label: "Top-p", min: 0.05, max: 1, step: 0.05, value: 1,
    say: (value) => value.toFixed(2),
    act: () => look(),
  });
  const buttons = panel.appendChild(make("div", { class: "live-buttons" }));
  const go = button(buttons, "Write", () => {
    if (timer !== null) {
      stop();
      look();
      return;
    }
    go.textContent = "Stop";
    line.setAttribute("aria-live", "off");
    timer = setTimeout(() => run(count));
  });
  button(buttons, "From the beginning", () => begin());
  begin();
};
