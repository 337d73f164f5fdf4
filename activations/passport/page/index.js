// Search, filter and sort. Without scripts, the page shows all activations by family.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const holder = byId("cards");
  const byFamily = Array.from(holder.children);
  const cards = byFamily.filter((element) => element.matches(".card"));
  const headings = byFamily.filter((element) => element.matches(".family"));
  const boxes = Array.from(document.querySelectorAll("input[name=property]"));
  const row = (card) => data.rows[card.dataset.row];
  function valueOf(card, key) {
    const value = key === "title" ? row(card).title : row(card).numbers[key];
    return value === "inf" ? Infinity : value;
  }
  function written(value) {
    if (value === undefined) return "\u2013";
    if (typeof value === "string") return "";
    return value === Infinity ? "\u221e" : String(Number(value.toPrecision(4)));
  }
  function show() {
    const words = byId("find").value.trim().toLowerCase(), family = byId("family").value;
    const needed = boxes.filter((box) => box.checked).map((box) => box.value);
    const key = byId("sort").value, way = byId("down").checked ? -1 : 1;
    let count = 0;
    for (const card of cards) {
      const { title, formula, family: own, properties } = row(card);
      card.hidden = !(`${title} ${formula}`.toLowerCase().includes(words) &&
        (!family || own === family) && needed.every((word) => properties.includes(word)));
      count += card.hidden ? 0 : 1;
      card.querySelector(".value").textContent = key ? written(valueOf(card, key)) : "";
    }
    for (const heading of headings) {
      heading.hidden = Boolean(key) || !cards.some((card) =>
        !card.hidden && row(card).family === heading.dataset.family);
    }
    const order = key ? cards.slice() : byFamily;
    if (key) {
      order.sort((one, other) => {
        const a = valueOf(one, key), b = valueOf(other, key);
        if (a === b) return one.dataset.row - other.dataset.row;
        if (a === undefined) return 1;
        if (b === undefined) return -1;
        return (a < b ? -1 : 1) * way;
      });
    }
    holder.append(...order);
    byId("count").textContent = `${count} of ${cards.length} shown`;
    byId("down").disabled = !key;
  }
  // The address has the current view, so a link, or the browser's back button, restores it.
  function remember() {
    const view = { find: byId("find").value, family: byId("family").value,
      sort: byId("sort").value, down: byId("down").checked,
      properties: boxes.filter((box) => box.checked).map((box) => box.value) };
    history.replaceState(null, "", `#${encodeURIComponent(JSON.stringify(view))}`);
  }
  function recall() {
    try {
      const view = JSON.parse(decodeURIComponent(location.hash.slice(1)));
      byId("find").value = String(view.find || "");
      for (const id of ["family", "sort"]) {
        byId(id).value = String(view[id] || "");
        if (byId(id).selectedIndex < 0) byId(id).value = "";
      }
      byId("down").checked = Boolean(view.down);
      for (const box of boxes) box.checked = view.properties.includes(box.value);
    } catch {
      // the address has no valid view
    }
  }
  for (const input of document.querySelectorAll(".controls input, .controls select")) {
    input.addEventListener("input", () => {
      show();
      remember();
    });
  }
  byId("reset").addEventListener("click", () => {
    for (const id of ["find", "family", "sort"]) byId(id).value = "";
    for (const box of [...boxes, byId("down")]) box.checked = false;
    show();
    remember();
  });
  recall();
  for (const element of document.querySelectorAll(".controls")) element.hidden = false;
  show();
})();
