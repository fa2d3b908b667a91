// Comforts of the review: J and K go on and back, X ticks, U undoes. Every page works without this file.
const rows = [...document.querySelectorAll("[data-review]")];
const ticks = [...document.querySelectorAll("input[type=checkbox][name=go]")];
const main = document.querySelector("main");

// Where a row is entered: its answer, its tick, or the way on.
const entrance = (row) =>
  row.querySelector("input[type=radio]:checked") ?? row.querySelector("input[type=radio], input[type=checkbox]")
  ?? row.querySelector(".btn") ?? row.querySelector("a");

function step(by) {
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const to = here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(here + by, 0), rows.length - 1);
  rows[to]?.scrollIntoView({ block: "nearest" });
  entrance(rows[to] ?? main)?.focus();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
  else if (key === "x") document.activeElement.closest("[data-review]")?.querySelector("input[type=checkbox]")?.click();
  else if (key === "u") document.querySelector(".toast button")?.click();
  else return;
  event.preventDefault();
});

// Who types an answer of their own means it.
for (const typed of document.querySelectorAll("[data-typed]")) {
  typed.addEventListener("input", () => (typed.closest("label").querySelector("input[type=radio]").checked = true));
}

// The button says how many may go, those ticked on other pages included, and waits for the first.
const go = document.querySelector("[data-go]");
function count() {
  if (!go) return;
  const ticked = ticks.filter((tick) => tick.checked).length + Number(go.dataset.elsewhere);
  go.textContent = go.dataset.go.replace("{}", ticked);
  go.disabled = ticked === 0;
}

for (const part of document.querySelectorAll("[data-tick-all]")) {
  part.hidden = false;
  part.querySelector("input").addEventListener("change", (event) => {
    for (const tick of ticks) tick.checked = event.target.checked;
    count();
  });
}
main.addEventListener("change", count);
count();
