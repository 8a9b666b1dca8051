// Small comforts only: every page is complete without this file.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const box = document.getElementById("search-box");
  if (box) {
    event.preventDefault();
    box.focus();
    box.select();
  }
});

// A form that moves money is sent once, however often it is clicked.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  form.setAttribute("aria-busy", "true");
});

// Coming back with the browser's button shows the form as it was: let it be sent again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

// What was looked at last is kept in this browser alone, and shown on the home page.
const SEEN = `seen-${document.documentElement.dataset.brand}`;
const MOST_SEEN = 6;

function seenBefore() {
  try {
    const kept = JSON.parse(localStorage.getItem(SEEN));
    return Array.isArray(kept) ? kept.filter((one) => /^\/product\/[\w-]+$/.test(one?.url)) : [];
  } catch {
    return [];
  }
}

function noteSeen(product) {
  const others = seenBefore().filter((one) => one.url !== product.url);
  try {
    localStorage.setItem(SEEN, JSON.stringify([product, ...others].slice(0, MOST_SEEN)));
  } catch {
    // Nothing can be kept here: nothing is shown then.
  }
}

function showSeen(shelf) {
  const list = shelf.querySelector("ul");
  const empty = shelf.querySelector("template").content;
  for (const one of seenBefore()) {
    const item = empty.cloneNode(true);
    item.querySelector("a").href = one.url;
    item.querySelector("img").src = String(one.picture);
    item.querySelector("[data-name]").textContent = String(one.name);
    list.append(item);
  }
  shelf.hidden = !list.children.length;
  shelf.querySelector("button").addEventListener("click", () => {
    localStorage.removeItem(SEEN);
    shelf.hidden = true;
  });
}

const shown = document.querySelector("[data-product]");
if (shown) {
  noteSeen({
    url: shown.dataset.product,
    name: shown.querySelector("h1").textContent,
    picture: shown.querySelector("img").getAttribute("src"),
  });
}
const shelf = document.getElementById("seen");
if (shelf) showSeen(shelf);
