// Copyright 2026 emotion_perception maintainers, Apache-2.0
// Shows the newest image: one request after the other, each for an image that is newer than the last one. A page that
// is not visible, or too slow, asks less often, and nothing waits for it on the server.
(() => {
  "use strict";
  let camera = 0;
  let after = 0;
  let request = null;
  let url = "";
  window.epImages = 0;

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const status = (text) => {
    const place = document.getElementById("ep-status");
    if (place) place.textContent = text;
  };
  const visible = () =>
    document.hidden
      ? new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }))
      : null;

  function drawCrops() {
    const image = document.getElementById("ep-image");
    if (!image || !image.naturalWidth) return;
    for (const canvas of document.querySelectorAll("canvas[data-box]")) {
      const [x, y, width, height] = canvas.dataset.box.split(",").map(Number);
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, canvas.width, canvas.height);
      const scale = Math.min(canvas.width / width, canvas.height / height);
      const [w, h] = [width * scale, height * scale];
      context.drawImage(image, x, y, width, height, (canvas.width - w) / 2, (canvas.height - h) / 2, w, h);
    }
  }

  async function show(blob) {
    const image = document.getElementById("ep-image");
    if (!image) return;
    const old = url;
    url = URL.createObjectURL(blob);
    image.src = url;
    try {
      await image.decode();
    } catch {
      // replaced by the next one
    }
    if (old) URL.revokeObjectURL(old);
    window.epImages += 1;
    drawCrops();
  }

  async function next() {
    request = new AbortController();
    const answer = await fetch(`/camera/${camera}/image.jpg?after=${after}`, {
      signal: request.signal,
      cache: "no-store",
      credentials: "same-origin",
    });
    if (answer.status === 200) {
      after = Number(answer.headers.get("X-Sequence"));
      await show(await answer.blob());
      status("");
    } else if (answer.status === 204) {
      status("no image comes");
    } else {
      status(`no image: ${(await answer.text()).slice(0, 100)}`);
      await sleep(2000);
    }
  }

  async function run() {
    while (true) {
      await visible();
      try {
        await next();
      } catch (error) {
        if (error.name !== "AbortError") {
          status("the server does not answer");
          await sleep(1000);
        }
      }
    }
  }

  window.epSelect = (index) => {
    camera = index;
    after = 0;
    status("waiting for the first image");
    if (request) request.abort();
  };

  const observer = new MutationObserver(drawCrops);
  const start = () => {
    const cards = document.getElementById("ep-cards");
    if (!cards) return setTimeout(start, 50);
    observer.observe(cards, { childList: true, subtree: true });
    run();
  };
  start();
})();
