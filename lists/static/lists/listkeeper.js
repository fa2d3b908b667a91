// Comforts only: every page works without this file.
// Theme: CSS does the switching; this remembers it for the server to write next time.
for (const radio of document.querySelectorAll('input[name="theme"]')) {
  radio.addEventListener("change", () => {
    document.cookie = `theme=${radio.value};path=/;max-age=31536000;samesite=lax`;
  });
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
