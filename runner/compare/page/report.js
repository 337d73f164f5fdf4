// The report's behaviour. Without it the page is complete: table, verdict, pictures.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const body = byId("table").tBodies[0];
  const rows = Array.from(body.rows);
  const state = { sort: null, down: false, off: {}, chosen: new Set(), trials: !data.tuned };

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
  // In the order of the table; named by what tells the chosen ones apart.
  function entries() {
    const chosen = Array.from(body.rows).map((row) => row.dataset.row)
      .filter((index) => state.chosen.has(index));
    const keys = Object.keys(data.rows[0].facets).filter((key) =>
      new Set(chosen.map((index) => data.rows[index].facets[key])).size > 1);
    return chosen.map((index) => {
      const row = data.rows[index];
      const words = keys.map((key) => data.named.includes(key) ? row.facets[key]
        : `${key}=${row.facets[key]}`);
      return [index, { ...row, name: words.join(" ") || row.name }];
    });
  }
  const plot = () => plotCurves(byId("plot"), byId("values"), byId("curve").value, entries(),
    byId("bands").checked, byId("log").checked);
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
    byId("saved").hidden = !names.length;
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
      if (!Array.isArray(view.chosen)) return false;
      state.chosen = new Set(view.chosen.map(String).filter((i) => data.rows[i]));
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
