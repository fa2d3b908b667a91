// Comforts only: every page works without this file.
// Theme: CSS does the switching; this remembers it for the server to write next time.
for (const radio of document.querySelectorAll('input[name="theme"]')) {
  radio.addEventListener("change", () => {
    document.cookie = `theme=${radio.value};path=/;max-age=31536000;samesite=lax`;
  });
}

// A form that came back with a wrong field begins there; it may be far below. Review has keys of its own.
document.querySelector("main form:not([data-review]) [aria-invalid='true']")?.focus();

// A picture that does not come leaves the drawn one in view, without the browser's sign for a broken one.
document.addEventListener("error", (event) => event.target.matches?.(".poster img") && event.target.remove(), true);
for (const picture of document.querySelectorAll(".poster img")) {
  if (picture.complete && !picture.naturalWidth) picture.remove();
}

// "/" goes to the search, Escape closes an open menu.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    document.querySelector("[data-hotkey='/']")?.focus();
  }
  if (event.key === "Escape") {
    const open = document.querySelector("details.menu[open], details.filter[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  }
});

// One menu at a time; a click elsewhere closes it.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open], details.filter[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Copy buttons: <button data-copy="#code" hidden>. Browsers let only safe pages write to the clipboard.
for (const button of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
    const word = button.querySelector("span");
    const before = word.textContent;
    word.textContent = "Copied";
    setTimeout(() => (word.textContent = before), 2000);
  });
}

// A file dropped on the field is chosen in it; its name stands where the browser's own control was.
for (const drop of document.querySelectorAll("[data-drop]")) {
  const input = drop.querySelector("input");
  const name = drop.querySelector("[data-drop-name]");
  const show = () => (name.textContent = input.files.length ? input.files[0].name : "");
  drop.dataset.ready = "";
  input.addEventListener("change", show);
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("drop-over", kind === "dragenter" || kind === "dragover");
    });
  }
  drop.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      show();
    }
  });
  show();
}

// What is being worked on is asked for anew; 204 means that the page has something else to show.
for (const part of document.querySelectorAll("[data-poll]")) {
  const ask = async () => {
    try {
      const answer = await fetch(part.dataset.poll, { headers: { Accept: "text/html" } });
      if (answer.status === 204 || answer.redirected) return location.reload();
      if (answer.ok) part.innerHTML = await answer.text();
    } catch {
      // The server is away for a moment: ask again.
    }
    setTimeout(ask, document.hidden ? 5000 : 1000);
  };
  setTimeout(ask, 500);
}

// One button selects all boxes of the page, or none if all are.
for (const all of document.querySelectorAll("[data-all]")) {
  all.hidden = false;
  all.addEventListener("click", () => {
    const boxes = [...document.querySelectorAll('input[type="checkbox"][form="bulk"]')];
    const on = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = on;
  });
}

// Rows that have a place can be dragged to another's; what is selected goes along. The page's own form says so.
const drag = document.querySelector("form[data-drag]");
for (const row of drag ? document.querySelectorAll("[data-place]") : []) {
  row.draggable = true;
  row.addEventListener("dragstart", (event) => {
    drag.dataset.drag = row.dataset.entry;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", row.dataset.entry);
  });
  row.addEventListener("dragend", () => (drag.dataset.drag = ""));
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    row.addEventListener(kind, (event) => {
      if (!drag.dataset.drag) return;
      event.preventDefault();
      row.classList.toggle("drag-over", kind === "dragenter" || kind === "dragover");
    });
  }
  row.addEventListener("drop", () => {
    const dragged = drag.dataset.drag;
    if (!dragged || dragged === row.dataset.entry) return;
    const picked = [...document.querySelectorAll('[form="bulk"]:checked')].map((box) => box.value);
    for (const entry of picked.includes(dragged) ? picked : [dragged]) {
      const input = Object.assign(document.createElement("input"), { type: "hidden", name: "entries", value: entry });
      drag.append(input);
    }
    drag.elements.place.value = row.dataset.place;
    drag.submit();
  });
}
