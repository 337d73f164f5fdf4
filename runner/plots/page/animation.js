// Shows the frames. Without this script the page shows the last frame.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const slider = document.getElementById("frame");
  const play = document.getElementById("play");
  const images = document.querySelectorAll("#pictures img");
  let timer = null;

  function show(k) {
    slider.value = k;
    slider.setAttribute("aria-valuetext", data.texts[k]);
    document.getElementById("text").textContent = data.texts[k];
    images.forEach((image, part) => {
      image.src = data.pictures[k][part];
      image.alt = data.texts[k];
    });
  }
  function pause() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }
  function step() {
    if (slider.value === slider.max) pause();
    else show(Number(slider.value) + 1);
  }
  play.addEventListener("click", () => {
    if (timer !== null) return pause();
    if (slider.value === slider.max) show(0);
    timer = setInterval(step, data.milliseconds);
    play.textContent = "Pause";
  });
  slider.addEventListener("input", () => {
    pause();
    show(Number(slider.value));
  });
  document.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way || event.target === slider || event.altKey || event.ctrlKey || event.metaKey) return;
    pause();
    show(Math.min(Math.max(Number(slider.value) + way, 0), Number(slider.max)));
  });
  document.querySelector(".controls").hidden = false;
  show(0);
})();
