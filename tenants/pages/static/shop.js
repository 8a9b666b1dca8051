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

// A form that came back with questions was sent by POST: who returns to it later shall get the page,
// not the browser's warning that something would be sent again.
if (document.querySelector(".field-wrong")) history.replaceState(history.state, "", location.href);

// A picture is chosen without a step in the browser's history, and the page stays where it is.
document.addEventListener("click", (event) => {
  const thumb = event.target.closest(".thumbs a");
  if (!thumb || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  document.querySelector(thumb.hash).scrollIntoView({ block: "nearest", inline: "start" });
});

// A long facet is searched as one types; what is typed there is no filter and is sent nowhere.
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

document.addEventListener("input", (event) => {
  if (!event.target.matches(".facet-search")) return;
  const wanted = plain(event.target.value.trim());
  const values = event.target.parentElement;
  for (const value of values.querySelectorAll(".tick")) {
    value.hidden = !plain(value.querySelector("span").textContent).includes(wanted);
  }
  const rest = values.querySelector("details");
  if (rest && wanted) rest.open = true;
});
for (const kind of ["change", "keydown"]) {
  document.addEventListener(
    kind,
    (event) => {
      if (!event.target.matches?.(".facet-search")) return;
      if (kind === "change") event.stopPropagation();
      else if (event.key === "Enter") event.preventDefault();
    },
    true,
  );
}

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

function noteShown() {
  const shown = document.querySelector("[data-product]");
  if (!shown) return;
  noteSeen({
    url: shown.dataset.product,
    name: shown.querySelector("h1").textContent,
    picture: shown.querySelector("img").getAttribute("src"),
  });
}

noteShown();
// Another variant takes the place of the one before without a new page.
document.addEventListener("htmx:after:swap", noteShown);
const shelf = document.getElementById("seen");
if (shelf) showSeen(shelf);
