// Say below a text how many characters are left, counted as the server does: without the whitespace
// around the text, and an emoji as one. Without this script, the limit stands there.
for (const field of document.querySelectorAll("[data-limit]")) {
  const note = document.getElementById(`${field.id}-note`);
  const limit = Number(field.dataset.limit);
  const count = () => {
    const left = limit - [...field.value.trim()].length;
    note.textContent = left < 0 ? `${-left} too many` : `${left} left`;
    note.className = left < 0 ? "error" : "hint";
    field.setCustomValidity(left < 0 ? `Use at most ${limit} characters.` : "");
  };
  field.addEventListener("input", count);
  if (field.value && !field.matches("[aria-invalid]")) count(); // the note says what is wrong
  field.addEventListener("keydown", ({ key, ctrlKey, metaKey }) => {
    if (key === "Enter" && (ctrlKey || metaKey)) field.form.requestSubmit();
  });
}

// Browsers let pages copy on https and on this machine only.
const copy = document.querySelector("[data-copy]");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.textContent = "Copied";
  });
}
