"use strict";
// The report's behaviour. Without it the page is complete: table, verdict, pictures.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const body = byId("table").tBodies[0];
  const rows = Array.from(body.rows);
  const make = (tag, text, attributes) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes || {})) {
      element.setAttribute(name, value);
    }
    return element;
  };
  const draw = (tag, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const state = { sort: null, down: false, off: {}, chosen: new Set(), trials: !data.tuned };
  const shade = (row) => (row.colour === "#000000" ? "var(--black)" : row.colour);
  const paint = (element, row) => {
    element.style.stroke = shade(row);
    return element;
  };

  // ---- table: sort, filter, choose
  const headings = Array.from(document.querySelectorAll("#table thead th[data-column]"));
  const valueOf = (row, column) => data.rows[row.dataset.row].sort[column];
  function sortRows() {
    const order = rows.slice();
    if (state.sort !== null) {
      const way = state.down ? -1 : 1;
      order.sort((one, other) => {
        const a = valueOf(one, state.sort), b = valueOf(other, state.sort);
        if (a === b) return one.dataset.row - other.dataset.row;
        if (a === null) return 1;
        if (b === null) return -1;
        return (a < b ? -1 : 1) * way;
      });
    }
    for (const row of order) body.append(row);
    for (const th of headings) {
      const mine = Number(th.dataset.column) === state.sort;
      th.setAttribute("aria-sort", mine ? (state.down ? "descending" : "ascending") : "none");
    }
  }
  const shown = (row) => {
    const entry = data.rows[row.dataset.row];
    if (entry.trial && !state.trials) return false;
    return Object.entries(state.off).every(([key, off]) => !off.has(entry.facets[key]));
  };
  function filterRows() {
    let count = 0;
    for (const row of rows) {
      row.hidden = !shown(row);
      count += row.hidden ? 0 : 1;
    }
    byId("count").textContent = `${count} of ${rows.length} rows`;
  }
  for (const th of headings) {
    const button = make("button", th.textContent, { type: "button" });
    th.replaceChildren(button);
    button.addEventListener("click", () => {
      const column = Number(th.dataset.column);
      state.down = state.sort === column ? !state.down : data.columns[column].down;
      state.sort = column;
      sortRows();
      remember();
    });
  }
  const boxes = [];
  for (const [key, values] of Object.entries(data.facets)) {
    const set = make("fieldset");
    set.append(make("legend", key));
    state.off[key] = new Set();
    for (const value of values) {
      const label = make("label"), box = make("input", undefined, { type: "checkbox" });
      box.checked = true;
      label.append(box, ` ${value}`);
      set.append(label);
      boxes.push([key, value, box]);
      box.addEventListener("change", () => {
        if (box.checked) state.off[key].delete(value); else state.off[key].add(value);
        filterRows();
        remember();
      });
    }
    byId("filters").append(set);
  }
  let trialBox = null;
  if (data.tuned) {
    const label = make("label");
    trialBox = make("input", undefined, { type: "checkbox", id: "trials" });
    label.append(trialBox, " also trials that were not chosen");
    byId("filters").append(label);
    trialBox.addEventListener("change", () => {
      state.trials = trialBox.checked;
      filterRows();
      remember();
    });
  }
  const picks = rows.map((row) => row.querySelector("input"));
  rows.forEach((row, i) => {
    picks[i].disabled = false;
    picks[i].addEventListener("change", () => choose(row.dataset.row, picks[i].checked));
    row.addEventListener("pointerenter", () => light(row.dataset.row, true));
    row.addEventListener("pointerleave", () => light(row.dataset.row, false));
  });
  function choose(index, on) {
    if (on) state.chosen.add(String(index)); else state.chosen.delete(String(index));
    showChosen();
    remember();
  }
  function chooseOnly(indices) {
    state.chosen = new Set(indices);
    showChosen();
    remember();
  }
  byId("choose-shown").addEventListener("click", () =>
    chooseOnly(Array.from(body.rows).filter((r) => !r.hidden).slice(0, 6)
      .map((r) => r.dataset.row)));
  byId("choose-none").addEventListener("click", () => chooseOnly([]));
  byId("reset").addEventListener("click", () => {
    for (const [key, value, box] of boxes) {
      box.checked = true;
      state.off[key].delete(value);
    }
    state.trials = true;
    if (trialBox) trialBox.checked = true;
    filterRows();
    remember();
  });
  function light(index, on) {
    for (const element of document.querySelectorAll(`[data-of="${index}"]`)) {
      element.setAttribute("stroke-width", on ? 4 : 2);
    }
    for (const row of rows) if (row.dataset.row === index) row.classList.toggle("lit", on);
  }

  // ---- chosen runs: curves, settings, pictures
  const entries = () => Array.from(body.rows).map((row) => row.dataset.row)
    .filter((index) => state.chosen.has(index)).map((index) => [index, data.rows[index]]);
  const size = { width: 960, height: 400, left: 62, right: 220, top: 12, bottom: 40 };
  const number = (value) => {
    const size = Math.abs(value);
    if (data.percent.includes(byId("curve").value)) return `${(100 * value).toFixed(1)}%`;
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
  let hover = null;
  function plot() {
    const name = byId("curve").value, holder = byId("plot");
    const lines = entries().filter(([, row]) => row.curves[name]);
    holder.replaceChildren();
    byId("values").replaceChildren();
    hover = null;
    if (!lines.length) {
      holder.append(make("p", "No curve of the chosen runs has this quantity.", {
        class: "quiet" }));
      return;
    }
    const bands = byId("bands").checked;
    const all = lines.flatMap(([, row]) => {
      const [, mean, low, high] = row.curves[name];
      return bands ? mean.concat(low, high) : mean;
    }).filter((value) => value !== null);
    const log = byId("log").checked && all.some((value) => value > 0);
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
    svg.append(draw("text", { x: 12, y: top + 8 }, name.replaceAll("_", " ")));
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
        fill: "none", "stroke-width": 0.6 }), row));
      const text = draw("text", { x: width - right + 11, y: place + 4 }, row.name);
      text.style.fill = shade(row);
      svg.append(text);
    }
    const cursor = draw("line", { y1: top, y2: height - bottom, class: "axis",
      visibility: "hidden" });
    svg.append(cursor);
    const grid = lines.map(([, row]) => row.curves[name][0])
      .reduce((a, b) => (b.length > a.length ? b : a));
    const read = (position) => {
      hover = Math.min(Math.max(position, 0), grid.length - 1);
      const epoch = grid[hover], list = byId("values");
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
  }
  function settings() {
    const chosen = entries(), table = byId("differences");
    table.replaceChildren();
    const head = make("tr");
    head.append(make("th", "setting"));
    for (const [, row] of chosen) head.append(make("th", row.name, { scope: "col" }));
    const keys = data.keys.filter((key) =>
      new Set(chosen.map(([, row]) => row.config[key])).size > 1);
    const top = make("thead"), rest = make("tbody");
    top.append(head);
    const first = chosen.length ? chosen[0][1] : null;
    for (const key of keys.concat(["command"])) {
      const line = make("tr");
      line.append(make("th", key, { scope: "row" }));
      for (const [, row] of chosen) {
        const value = key === "command" ? row.command : row.config[key];
        const differs = key !== "command" && value !== first.config[key];
        const cell = make("td", value, { class: differs ? "differs" : "" });
        if (key === "command") cell.className = "wrap";
        line.append(cell);
      }
      rest.append(line);
    }
    table.append(top, rest);
  }
  function pictures() {
    const chosen = entries(), select = byId("picture"), before = select.value;
    const names = Array.from(new Set(chosen.flatMap(([, row]) =>
      Object.keys(row.pictures)))).sort();
    select.replaceChildren(...names.map((name) => make("option", name, { value: name })));
    if (names.includes(before)) select.value = before;
    else if (names.includes("boundary")) select.value = "boundary";
    const list = byId("pictures");
    list.replaceChildren();
    if (!names.length) {
      list.append(make("p", "These runs saved no pictures.", { class: "quiet" }));
    }
    for (const [, row] of chosen) {
      const source = row.pictures[select.value];
      if (!source) continue;
      const figure = make("figure");
      figure.append(make("img", undefined, { src: source, loading: "lazy",
        alt: `${select.value} of ${row.name}` }), make("figcaption", row.name));
      list.append(figure);
    }
  }
  function showChosen() {
    rows.forEach((row, i) => { picks[i].checked = state.chosen.has(row.dataset.row); });
    byId("chosen").hidden = state.chosen.size === 0;
    if (!state.chosen.size) return;
    plot();
    settings();
    pictures();
  }
  for (const name of data.curves) {
    byId("curve").append(make("option", name.replaceAll("_", " "), { value: name }));
  }
  byId("log").checked = (data.curves[0] || "").endsWith("loss");
  byId("curve").addEventListener("change", () => {
    byId("log").checked = byId("curve").value.endsWith("loss");
    plot();
  });
  for (const id of ["log", "bands"]) byId(id).addEventListener("change", plot);
  byId("picture").addEventListener("change", pictures);

  // ---- lightbox
  const box = byId("lightbox"), large = box.querySelector("img");
  let series = [], at = 0;
  const turn = (step) => {
    at = (at + step + series.length) % series.length;
    large.src = series[at].src;
    large.alt = series[at].alt;
  };
  document.addEventListener("click", (event) => {
    if (!event.target.matches("figure img")) return;
    series = Array.from(event.target.closest(".pictures").querySelectorAll("img"));
    at = series.indexOf(event.target);
    turn(0);
    box.showModal();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("figure img")) event.target.click();
    if (!box.open) return;
    if (event.key === "ArrowLeft") turn(-1);
    if (event.key === "ArrowRight") turn(1);
  });
  for (const button of box.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const step = Number(button.dataset.step);
      if (step) turn(step); else box.close();
    });
  }
  for (const image of document.querySelectorAll("figure img")) image.tabIndex = 0;

  // ---- the view is kept in the address, so that a link shows it again
  function remember() {
    const off = {};
    for (const [key, values] of Object.entries(state.off)) {
      if (values.size) off[key] = Array.from(values);
    }
    const view = { sort: state.sort, down: state.down, off, trials: state.trials,
      chosen: Array.from(state.chosen) };
    history.replaceState(null, "", `#${encodeURIComponent(JSON.stringify(view))}`);
  }
  function recall() {
    try {
      const view = JSON.parse(decodeURIComponent(location.hash.slice(1)));
      if (Number.isInteger(view.sort) && data.columns[view.sort]) state.sort = view.sort;
      state.down = Boolean(view.down);
      state.trials = Boolean(view.trials);
      for (const [key, values] of Object.entries(view.off || {})) {
        if (state.off[key] && Array.isArray(values)) state.off[key] = new Set(values);
      }
      state.chosen = new Set((view.chosen || []).map(String).filter((i) => data.rows[i]));
      return true;
    } catch {
      return false;  // no view in the address, or not one of ours
    }
  }
  if (!recall()) state.chosen = new Set(data.first.map(String));
  for (const [key, value, check] of boxes) check.checked = !state.off[key].has(value);
  if (trialBox) trialBox.checked = state.trials;
  for (const element of document.querySelectorAll(".controls")) element.hidden = false;
  sortRows();
  filterRows();
  showChosen();
})();
