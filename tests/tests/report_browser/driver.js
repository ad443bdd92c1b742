// What a person does with the report, step by step; each step says whether what came of it is right.
(async () => {
  const steps = {};
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (element) => element.getClientRects().length > 0;
  const rows = () => all("#tests tbody tr").filter(seen);
  const sections = () => all("details.test").filter(seen);
  const names = () => rows().map((row) => row.cells[1].textContent);
  const soon = () => new Promise((resolve) => setTimeout(resolve, 50));
  const background = () => getComputedStyle(document.documentElement).backgroundColor;
  const dark = background() !== "rgb(255, 255, 255)";

  steps["all tests are there"] = rows().length === 19 && sections().length === 19;
  steps["controls are there"] = seen(one("#filter")) && seen(one("#theme"));
  steps["the verdict is on the first screen"] = one("h1").getBoundingClientRect().bottom < innerHeight;
  steps["nothing is wider than the window"] = document.documentElement.scrollWidth <= innerWidth;

  const field = one("#filter");
  const write = (text) => { field.value = text; field.dispatchEvent(new Event("input", { bubbles: true })); };
  write("checkout SLOW");
  steps["text filters tests"] = names().join() === "checkout_is_slow::medium_network_delay" && sections().length === 1;
  steps["the count is told"] = one("#shown").textContent === "1 of 19 tests" && one("#shown").role === "status";
  write("no such test");
  steps["nothing may be left"] = rows().length === 0 && one("#shown").textContent === "0 of 19 tests";
  write("");
  steps["an empty filter shows all"] = rows().length === 19;

  const chip = one(".chip.fail");
  const failed = Number(chip.textContent.match(/\d+/)[0]);
  chip.click();
  steps["a verdict filters tests"] = rows().length === failed && failed < 19 && chip.getAttribute("aria-pressed") === "true";
  one(".chip.skipped").click();
  steps["two verdicts show both"] = rows().length === failed + 1;
  one(".chip.skipped").click();
  chip.click();
  steps["no verdict chosen shows all"] = rows().length === 19 && chip.getAttribute("aria-pressed") === "false";

  const heads = all("#tests thead th");
  const sortBy = (name) => { const head = heads.find((head) => head.textContent.trim() === name); head.querySelector("button").click(); return head; };
  const test = sortBy("test");
  const upwards = names();
  steps["names sort upwards"] = test.getAttribute("aria-sort") === "ascending" && upwards.indexOf("survives_2") < upwards.indexOf("survives_10");
  steps["details follow the table"] = sections().map((section) => section.querySelector("h3").textContent).join() === upwards.join();
  sortBy("test");
  steps["and downwards"] = test.getAttribute("aria-sort") === "descending" && names().join() === upwards.toReversed().join();
  const margin = sortBy("margin");
  const margins = rows().map((row) => Number(row.cells[5].dataset.k));
  steps["numbers sort as numbers"] = margins.every((value, n) => n === 0 || margins[n - 1] <= value) && margins[0] < 0;
  steps["one column is the sorted one"] = all("[aria-sort]").length === 1 && margin.hasAttribute("aria-sort");

  const section = sections().find((section) => section.textContent.includes("checkout_is_slow"));
  const summary = section.querySelector("summary");
  summary.focus();
  steps["a test takes the focus"] = document.activeElement === summary;
  summary.click();
  await soon();
  const drawing = section.querySelector("svg[role=img]").getBoundingClientRect();
  steps["a test opens"] = section.open && drawing.width > 300 && drawing.height > 150;
  steps["the address keeps it"] = location.hash === `#${section.id}`;
  steps["opened, nothing is wider than the window"] = document.documentElement.scrollWidth <= innerWidth;
  const dots = section.querySelector(".o.good").getBoundingClientRect();
  steps["dots are in the drawing"] = dots.width > drawing.width / 2 && dots.left >= drawing.left && dots.right <= drawing.right + 1;
  steps["the drawing is told too"] = section.querySelector("desc").textContent.includes("samples");

  const link = rows().find((row) => row.cells[1].textContent === "stock_goes_down").querySelector("a");
  link.click();
  await soon();
  const other = document.getElementById(link.hash.slice(1));
  steps["a link opens its test"] = other.open && document.activeElement === other.querySelector("summary");
  steps["an outage is drawn"] = other.querySelectorAll("rect.down").length === 1 && other.querySelectorAll(".whisker").length >= 2;

  one("#open").click();
  steps["all can be expanded"] = all("details.test").every((details) => details.open);
  one("#close").click();
  steps["and collapsed"] = all("details.test").every((details) => !details.open);
  dispatchEvent(new Event("beforeprint"));
  steps["what is printed is expanded"] = all("details.test").every((details) => details.open);
  dispatchEvent(new Event("afterprint"));
  steps["and collapsed after it"] = all("details.test").every((details) => !details.open);

  const before = background();
  one("#theme").click();
  steps["dark and light can be chosen"] = background() !== before;
  one("#theme").click();
  steps["and back"] = background() === before;

  steps["nothing was injected"] = all("img").length === 0;
  steps["every control has a name"] = all("button, input, a, summary, [role=region], [role=img]").every((element) =>
    (element.getAttribute("aria-label") || element.textContent || element.labels?.[0]?.textContent || "").trim() !== "");
  await soon();
  const paint = performance.getEntriesByType("paint").map((entry) => [entry.name, Math.round(entry.startTime)]);
  parent.postMessage(JSON.stringify({ steps, dark, wrong: window.wrong, paint: Object.fromEntries(paint), width: innerWidth }), "*");
})().catch((error) => parent.postMessage(JSON.stringify({ steps: {}, wrong: [...window.wrong, String(error)] }), "*"));
