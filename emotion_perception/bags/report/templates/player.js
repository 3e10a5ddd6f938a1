"use strict";
// The player of a report: the slider, the time line and the strip of images show the same moment.
(() => {
  const data = JSON.parse(document.getElementById("player-data").textContent);
  const find = (id) => document.getElementById(id);
  const [image, boxes, strip, play, seek, speed, shown, caption] = [
    "player-image", "player-boxes", "player-strip", "player-play", "player-seek", "player-speed", "player-time",
    "player-caption"].map(find);
  const track = find("timeline-tracks"), cursor = find("timeline-cursor");
  const svg = (name, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const source = (index) => "data:image/jpeg;base64," + data.images[index];
  const seconds = (index) => (data.times[index] + data.offset).toFixed(1);
  const last = data.times.length - 1;
  let current = -1, timer = 0, begun = 0, from = 0;

  function drawFaces(index) {
    const [width, height] = data.sizes[index];
    boxes.setAttribute("viewBox", `0 0 ${width} ${height}`);
    boxes.replaceChildren();
    boxes.parentElement.style.setProperty("--ratio", width / height);
    const line = Math.max(width, height) / 200;
    for (const face of data.faces[index]) {
      const [x, y, w, h] = face.box;
      for (const [stroke, thickness] of [["#191919", 2 * line], [face.color, line]]) {
        boxes.append(svg("rect", {x, y, width: w, height: h, fill: "none", stroke, "stroke-width": thickness}));
      }
    }
    for (const face of data.faces[index]) {
      if (face.tag === null) continue;
      const [x, y, w, h] = face.tag.at;
      const text = svg("text", {
        x: x + h / 4, y: y + h * 0.76, fill: face.ink, "font-size": h * 0.78,
        textLength: w - h / 2, lengthAdjust: "spacingAndGlyphs"});
      text.textContent = face.tag.text;
      boxes.append(svg("rect", {x, y, width: w, height: h, fill: face.color}), text);
    }
  }

  function drawStrip(index) {
    const count = Math.max(3, Math.floor(strip.clientWidth / 86)), middle = count >> 1;
    const perSecond = last > 0 ? last / Math.max(data.times[last] - data.times[0], 1e-3) : 1;
    const stride = Math.max(1, Math.round(perSecond));
    const shownFrames = [];
    for (let place = -middle; place <= middle; place++) {
      const frame = index + place * stride;
      if (frame >= 0 && frame <= last) shownFrames.push([frame, place]);
    }
    strip.replaceChildren(...shownFrames.map(([frame, place]) => {
      const item = document.createElement("img");
      item.src = source(frame);
      item.alt = "";
      item.style.gridColumn = String(place + middle + 1);
      item.className = place === 0 ? "now" : "";
      item.addEventListener("click", () => { stop(); show(frame); });
      return item;
    }));
    strip.style.gridTemplateColumns = `repeat(${2 * middle + 1}, minmax(0, 1fr))`;
  }

  function show(index) {
    if (index === current) return;
    current = index;
    const time = seconds(index) + " s";
    image.src = source(index);
    drawFaces(index);
    drawStrip(index);
    seek.value = String(index);
    seek.setAttribute("aria-valuetext", time);
    shown.textContent = `${time} of ${seconds(last)} s`;
    caption.textContent = data.faces[index].map((face) => face.text).join("; ") || "no face";
    caption.title = caption.textContent;
    cursor.style.left = `${(data.times[index] / data.seconds) * 100}%`;
  }

  function nearest(time) {
    let low = 0, high = last;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (data.times[middle] <= time) low = middle; else high = middle - 1;
    }
    return low < last && data.times[low + 1] - time < time - data.times[low] ? low + 1 : low;
  }

  function step(now) {
    const time = from + ((now - begun) / 1000) * Number(speed.value);
    let index = current;
    while (index < last && data.times[index + 1] <= time) index++;
    show(index);
    if (index === last) stop(); else timer = requestAnimationFrame(step);
  }

  function start() {
    if (current === last) show(0);
    from = data.times[current];
    begun = performance.now();
    play.textContent = "Pause";
    timer = requestAnimationFrame(step);
  }

  function stop() {
    cancelAnimationFrame(timer);
    timer = 0;
    play.textContent = "Play";
  }

  play.addEventListener("click", () => (timer ? stop() : start()));
  speed.addEventListener("change", () => { if (timer) { stop(); start(); } });
  seek.addEventListener("input", () => { stop(); show(Number(seek.value)); });
  seek.addEventListener("keydown", (event) => {
    if (event.key === " ") { event.preventDefault(); play.click(); }
  });
  const follow = (event) => {
    if (event.type === "pointermove" && event.pointerType !== "mouse" && !event.buttons) return;
    if (timer && event.type === "pointermove" && !event.buttons) return; // hovering does not stop a running player
    const place = track.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - place.left) / place.width));
    stop();
    show(nearest(share * data.seconds));
  };
  for (const name of ["pointermove", "pointerdown"]) track.addEventListener(name, follow);
  addEventListener("resize", () => drawStrip(current));
  seek.max = String(last);
  cursor.hidden = false;
  find("player").hidden = false;
  show(0);
})();
