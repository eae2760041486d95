// What every page loads. Import your own scripts below client.js, which watches over them:
// they are traced, and Sentry shows their source, as with this one.
import { captureFeedback, startSpan } from "@sentry/browser";
import { client } from "./client.js";

// The page of a crash asks what the person was doing.
const form = document.querySelector("form[data-event]");
if (form) {
  const status = form.querySelector("[role=status]");
  form.hidden = false;
  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    captureFeedback({
      message: form.elements.feedback.value,
      associatedEventId: form.dataset.event,
    });
  });
  client.on("afterSendEvent", (event, response) => {
    if (event.type === "feedback") {
      const isSent = response.statusCode < 300;
      status.textContent = form.dataset[isSent ? "sent" : "failed"];
      if (isSent) {
        form.replaceChildren(status);
      }
    }
  });
}

// The broken button crashes here and on the server, in one trace.
const button = document.querySelector("button[data-breaks]");
button?.addEventListener("click", () =>
  startSpan({ name: "broken button", op: "ui.action.click" }, async () => {
    await fetch(button.dataset.breaks);
    document.getElementById("broken").hidden = false;
    throw Object.assign(new Error(), { name: "BrokenButtonError" });
  }),
);
