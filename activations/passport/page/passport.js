// Show the values under the cursor; arrow keys open the previous or next page.
// Without scripts, the page is complete.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const svg = document.querySelector("figure svg"), cursor = document.getElementById("cursor");
  const values = document.getElementById("values");
  const { left, top, right, bottom } = data;
  const shown = (v) => (v === null ? "none" : String(Number(v.toPrecision(4)))).padStart(9);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    const share = Math.min(Math.max((at - left) / (right - left), 0), 1);
    const count = data.f.length - 1, k = Math.round(share * count);
    const x = data.x[0] + k / count * (data.x[1] - data.x[0]);
    cursor.setAttribute("d", `M${left + k / count * (right - left)} ${top}V${bottom}`);
    values.textContent = `x ${shown(x)}   f ${shown(data.f[k])}   f' ${shown(data.slope[k])}`;
  });
  svg.addEventListener("pointerleave", () => {
    cursor.setAttribute("d", "");
    values.textContent = "";
  });
  document.addEventListener("keydown", (event) => {
    const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    const link = rel && document.querySelector(`a[rel=${rel}]`);
    if (link && !event.altKey && !event.ctrlKey && !event.metaKey) link.click();
  });
})();
