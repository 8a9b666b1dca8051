// The search box proposes while one types: a combobox of ARIA 1.2 with a list to choose from.
// Without this file, or when no proposal comes, it is the plain search box that the page has.
const WAIT_MS = 120;

class Combobox {
  constructor(box) {
    this.box = box;
    this.list = document.getElementById(box.dataset.list);
    this.told = document.getElementById(box.dataset.told);
    this.at = -1;
    this.asked = null;
    // A box of type search may not be a combobox.
    box.type = "text";
    box.enterKeyHint = "search";
    const roles = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false" };
    for (const [name, value] of Object.entries(roles)) box.setAttribute(name, value);
    box.setAttribute("aria-controls", this.list.id);
    box.addEventListener("input", () => this.ask(WAIT_MS));
    box.addEventListener("keydown", (event) => this.press(event));
    box.addEventListener("blur", () => this.close());
    // The box keeps the focus while one presses on the list.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("[role=option]")));
    window.addEventListener("pageshow", () => this.close());
  }

  get options() {
    return this.list.children;
  }

  ask(wait) {
    this.forget();
    this.mark(-1);
    this.waiting = setTimeout(() => this.fetch(), wait);
  }

  // What is on its way comes to nothing.
  forget() {
    clearTimeout(this.waiting);
    this.asked?.abort();
  }

  async fetch() {
    const typed = this.box.value.trim();
    this.asked = new AbortController();
    try {
      const address = `${this.box.dataset.suggestions}?q=${encodeURIComponent(typed)}`;
      const answer = typed ? await fetch(address, { signal: this.asked.signal }) : null;
      this.show(answer?.ok ? await answer.text() : "");
    } catch (error) {
      if (error.name !== "AbortError") this.show("");
    }
  }

  show(html) {
    const found = document.createElement("template");
    found.innerHTML = html;
    this.list.replaceChildren(...found.content.querySelectorAll("[role=option]"));
    this.told.textContent = found.content.querySelector("[data-told]")?.textContent ?? "";
    this.mark(-1);
    if (this.options.length && document.activeElement === this.box) this.open();
    else this.close();
  }

  open() {
    this.list.hidden = false;
    this.box.setAttribute("aria-expanded", "true");
  }

  close() {
    this.forget();
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.mark(-1);
  }

  // One option is marked for the keyboard, or none: then the box says what is searched for.
  mark(place) {
    this.at = place;
    [...this.options].forEach((one, n) => one.setAttribute("aria-selected", String(n === place)));
    if (place < 0) {
      this.box.removeAttribute("aria-activedescendant");
    } else {
      this.box.setAttribute("aria-activedescendant", this.options[place].id);
      this.options[place].scrollIntoView({ block: "nearest" });
    }
  }

  press(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (this.list.hidden) this.reopen(event.altKey ? 0 : step);
      else if (event.altKey) this.close();
      else this.move(step);
    } else if (this.list.hidden) {
      return;
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.close();
    } else if (event.key === "Enter" && this.at >= 0) {
      event.preventDefault();
      this.choose(this.options[this.at]);
    } else if (event.key === "Tab") {
      this.close();
    }
  }

  reopen(step) {
    if (!this.options.length) {
      this.ask(0);
      return;
    }
    this.open();
    if (step) this.move(step);
  }

  // Behind the last option, and before the first, stands the box itself.
  move(step) {
    const places = this.options.length + 1;
    this.mark(((this.at + 1 + step + places) % places) - 1);
  }

  choose(option) {
    if (!option) return;
    this.close();
    location.assign(option.dataset.url);
  }
}

for (const box of document.querySelectorAll("input[data-suggestions]")) new Combobox(box);
