"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  root.classList.add("js");
  all(".controls, #theme, .copy").forEach((control) => { control.hidden = false; });

  // Dark or light: as the system has it until somebody says otherwise.
  const theme = one("#theme");
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; nameTheme(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
  nameTheme();

  all(".copy").forEach((button) => {
    const command = button.parentElement.querySelector(".cmd");
    button.addEventListener("click", async () => {
      getSelection().selectAllChildren(command);
      try {
        await navigator.clipboard.writeText(command.textContent);
      } catch {
        document.execCommand("copy");
      }
      const was = button.firstChild.data;
      button.firstChild.data = "Copied";
      setTimeout(() => { button.firstChild.data = was; }, 1500);
    });
  });

  const table = one("#tests");
  if (!table) return;
  const section = one("#details");
  const tests = all("tbody tr", table).map((row) => {
    const details = document.getElementById(row.dataset.t);
    return { row, details, verdict: row.dataset.v, text: row.textContent.toLowerCase() };
  });

  // Filter.
  const field = one("#filter");
  const chips = all(".chip");
  const shown = one("#shown");
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = chips.filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.v);
    let count = 0;
    for (const test of tests) {
      const fits = (!verdicts.length || verdicts.includes(test.verdict)) && words.every((word) => test.text.includes(word));
      test.row.hidden = test.details.hidden = !fits;
      count += fits;
    }
    const whole = tests.length === 1 ? "1 test" : `${tests.length} tests`;
    shown.textContent = count === tests.length ? whole : `${count} of ${whole}`;
  };
  field.addEventListener("input", filter);
  chips.forEach((chip) => chip.addEventListener("click", () => {
    chip.ariaPressed = chip.ariaPressed === "true" ? "false" : "true";
    filter();
  }));

  // Sort; the details follow the table.
  const heads = all("thead th", table);
  const key = (test, column) => {
    const cell = test.row.cells[column];
    return cell.dataset.k === undefined ? cell.textContent.toLowerCase() : Number(cell.dataset.k);
  };
  const collator = new Intl.Collator(undefined, { numeric: true });
  const sort = (column) => {
    const upwards = heads[column].ariaSort !== "ascending";
    heads.forEach((head, n) => {
      if (n === column) head.ariaSort = upwards ? "ascending" : "descending";
      else head.removeAttribute("aria-sort");
    });
    tests.forEach((test) => { test.key = key(test, column); });
    const compare = (a, b) => typeof a.key === "number" ? a.key - b.key : collator.compare(a.key, b.key);
    tests.sort((a, b) => upwards ? compare(a, b) : compare(b, a));
    table.tBodies[0].append(...tests.map((test) => test.row));
    section.append(...tests.map((test) => test.details));
  };
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => sort(column)));

  // Open and close; the address keeps the test opened last.
  const visible = () => tests.filter((test) => !test.details.hidden);
  one("#open").addEventListener("click", () => visible().forEach((test) => { test.details.open = true; }));
  one("#close").addEventListener("click", () => tests.forEach((test) => { test.details.open = false; }));
  const asked = () => {
    const test = tests.find((test) => `#${test.details.id}` === location.hash);
    if (!test) return;
    if (test.details.hidden) {
      field.value = "";
      chips.forEach((chip) => { chip.ariaPressed = "false"; });
      filter();
    }
    test.details.open = true;
    test.details.scrollIntoView();
    test.details.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", asked);
  // Also where the address has it already.
  one("main").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link && link.hash === location.hash) asked();
  });
  tests.forEach((test) => test.details.querySelector("summary").addEventListener("click", () => {
    if (!test.details.open) history.replaceState(null, "", `#${test.details.id}`);
  }));

  // Paper has nothing to click.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = visible().filter((test) => !test.details.open);
    opened.forEach((test) => { test.details.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((test) => { test.details.open = false; }));

  filter();
  asked();
})();
