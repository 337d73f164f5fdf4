"use strict";
const make = (tag, text, attributes) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes || {})) {
    element.setAttribute(name, value);
  }
  return element;
};

// Curves of chosen runs as SVG, with the values under the pointer or by the arrow keys.
const plotCurves = (() => {
  const draw = (tag, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const shade = (row) => (row.colour === "#000000" ? "var(--black)" : row.colour);
  const paint = (element, row) => {
    element.style.stroke = shade(row);
    return element;
  };
  const size = { width: 960, height: 400, left: 78, right: 268, top: 12, bottom: 40 };
  const format = (name, value) => {
    const size = Math.abs(value);
    if (name.endsWith("accuracy")) return `${(100 * value).toFixed(1)}%`;
    return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2)
      : String(Number(value.toPrecision(4)));
  };
  function ticks(low, high, log) {
    if (log) {
      const found = [];
      for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e += 1) {
        for (const m of Math.log10(high / low) > 3 ? [1] : [1, 2, 5]) {
          const value = m * 10 ** e;
          if (value >= low && value <= high) found.push(value);
        }
      }
      return found;
    }
    const rough = (high - low) / 6 || 1, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((m) => m * power >= rough) * power;
    const found = [];
    for (let i = Math.ceil(low / step); i * step <= high + 1e-12; i += 1) found.push(i * step);
    return found;
  }
  // Lines that would look the same, as an activation on two data sets, get other dashes.
  function tellApart(lines) {
    const met = {};
    return lines.map(([index, row]) => {
      const look = row.colour + row.dash, turn = met[look] || 0;
      met[look] = turn + 1;
      return [index, turn ? { ...row, dash: ["7 4", "2 3", "12 3 2 3"][(turn - 1) % 3] } : row];
    });
  }
  return function plot(holder, list, name, chosen, bands, logarithmic) {
    const lines = tellApart(chosen.filter(([, row]) => row.curves[name]));
    const number = (value) => format(name, value);
    let hover = null;
    holder.replaceChildren();
    list.replaceChildren();
    if (!lines.length) {
      holder.append(make("p", "No curve of the chosen runs has this quantity.", {
        class: "quiet" }));
      return;
    }
    const all = lines.flatMap(([, row]) => {
      const [, mean, low, high] = row.curves[name];
      return bands ? mean.concat(low, high) : mean;
    }).filter((value) => value !== null);
    const log = logarithmic && all.some((value) => value > 0);
    const usable = log ? all.filter((value) => value > 0) : all;
    let low = Math.min(...usable), high = Math.max(...usable);
    if (low === high) { low -= Math.abs(low) * 0.1 || 0.1; high += Math.abs(high) * 0.1 || 0.1; }
    const last = Math.max(...lines.map(([, row]) => row.curves[name][0].at(-1)), 1);
    const { width, height, left, right, top, bottom } = size;
    const x = (epoch) => left + (width - left - right) * epoch / last;
    const scale = log ? Math.log : (v) => v;
    const y = (value) => height - bottom - (height - top - bottom)
      * (scale(Math.max(value, log ? low : value)) - scale(low)) / (scale(high) - scale(low));
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0,
      "aria-label": `${name} of ${lines.length} chosen runs against the epoch; `
        + "arrow keys read values" });
    for (const value of ticks(low, high, log)) {
      svg.append(draw("line", { x1: left, x2: width - right, y1: y(value), y2: y(value),
        class: "grid" }));
      svg.append(draw("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" },
        number(value)));
    }
    for (const value of ticks(0, last, false).filter(Number.isInteger)) {
      svg.append(draw("text", { x: x(value), y: height - bottom + 16,
        "text-anchor": "middle" }, String(value)));
    }
    svg.append(draw("line", { x1: left, x2: width - right, y1: height - bottom,
      y2: height - bottom, class: "axis" }));
    svg.append(draw("text", { x: (left + width - right) / 2, y: height - 6,
      "text-anchor": "middle" }, "epoch"));
    const middle = (top + height - bottom) / 2;
    svg.append(draw("text", { x: 14, y: middle, "text-anchor": "middle",
      transform: `rotate(-90 14 ${middle})` }, name.replaceAll("_", " ")));
    const path = (epochs, values) => {
      let text = "", pen = "M";
      epochs.forEach((epoch, i) => {
        if (values[i] === null || (log && values[i] <= 0)) { pen = "M"; return; }
        text += `${pen}${x(epoch).toFixed(1)} ${y(values[i]).toFixed(1)}`;
        pen = "L";
      });
      return text;
    };
    const ends = [];
    for (const [index, row] of lines) {
      const [epochs, mean, below, above] = row.curves[name];
      const whole = epochs.map((e, i) => i).filter((i) => below[i] !== null
        && above[i] !== null && (!log || below[i] > 0));
      if (bands && whole.length > 1) {
        const there = whole.map((i) => `${x(epochs[i]).toFixed(1)} ${y(above[i]).toFixed(1)}`);
        const back = whole.slice().reverse()
          .map((i) => `${x(epochs[i]).toFixed(1)} ${y(below[i]).toFixed(1)}`);
        const band = draw("path", { d: `M${there.join("L")}L${back.join("L")}Z`,
          opacity: 0.14, "data-band": index });
        band.style.fill = shade(row);
        svg.append(band);
      }
      svg.append(paint(draw("path", { d: path(epochs, mean), fill: "none", "stroke-width": 2,
        "stroke-dasharray": row.dash, "data-of": index }), row));
      const end = mean.findLastIndex((value) => value !== null && (!log || value > 0));
      if (end >= 0) ends.push([y(mean[end]), x(epochs[end]), row]);
    }
    ends.sort((a, b) => a[0] - b[0]);
    let floor = top;
    for (const [at, from, row] of ends) {
      const place = Math.max(at, floor);
      floor = place + 15;
      svg.append(paint(draw("path", { d: `M${from} ${at}L${width - right + 8} ${place}`,
        fill: "none", "stroke-width": 1.2 }), row));
      const text = draw("text", { x: width - right + 11, y: place + 4 }, row.name.length > 38 ? `${row.name.slice(0, 37)}…` : row.name);
      svg.append(text);
    }
    const cursor = draw("line", { y1: top, y2: height - bottom, class: "axis",
      visibility: "hidden" });
    svg.append(cursor);
    const grid = lines.map(([, row]) => row.curves[name][0])
      .reduce((a, b) => (b.length > a.length ? b : a));
    const read = (position) => {
      hover = Math.min(Math.max(position, 0), grid.length - 1);
      const epoch = grid[hover];
      cursor.setAttribute("x1", x(epoch));
      cursor.setAttribute("x2", x(epoch));
      cursor.setAttribute("visibility", "visible");
      list.replaceChildren(make("strong", `epoch ${epoch}`));
      for (const [, row] of lines) {
        const [epochs, mean, below, above] = row.curves[name];
        let i = 0;
        while (i + 1 < epochs.length && epochs[i + 1] <= epoch) i += 1;
        if (mean[i] === null || epochs.at(-1) < epoch) continue;
        const ends = below[i] === null ? ""
          : ` (${number(below[i])} to ${number(above[i])})`;
        list.append(make("span", `${row.name} ${number(mean[i])}${ends}`));
      }
    };
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const epoch = ((event.clientX - box.left) / box.width * width - left)
        / (width - left - right) * last;
      let best = 0;
      grid.forEach((value, i) => {
        if (Math.abs(value - epoch) < Math.abs(grid[best] - epoch)) best = i;
      });
      read(best);
    });
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
      if (!step) return;
      event.preventDefault();
      read(hover === null ? (step < 0 ? 0 : grid.length - 1) : hover + step);
    });
    holder.append(svg);
  };
})();
