// Keys for what the page offers anyway: every one of them presses a button or follows a link.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
  const key = event.key.toLowerCase();
  const there = /^[a-z]$/.test(key) && document.querySelector(`[data-key~="${key}"]`);
  if (!there) return;
  event.preventDefault();
  there.click();
});

// A form is sent once, however often it is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  form.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

// The next question's pictures are there before it is.
const waiting = document.querySelector("[data-next-pictures]");
if (waiting) {
  window.addEventListener("load", () => {
    for (const address of waiting.dataset.nextPictures.split(" ").filter(Boolean)) {
      const picture = new Image();
      picture.referrerPolicy = "no-referrer";
      picture.src = address;
    }
  });
}
