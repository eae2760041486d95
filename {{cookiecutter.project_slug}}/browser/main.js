// Send errors and page loads to Sentry, by way of the app. The script tag has the settings.
import {
  BrowserClient,
  browserTracingIntegration,
  captureFeedback,
  createTransport,
  dedupeIntegration,
  defaultStackParser,
  getCurrentScope,
  globalHandlersIntegration,
  linkedErrorsIntegration,
  startSpan,
} from "@sentry/browser";
import { scrub } from "./scrubbing.js";

const settings = document.currentScript.dataset;

// `init` would add the default integrations, which record clicks, URLs and the console, and start
// sessions, although the server counts each request as a session already.
const client = new BrowserClient({
  dsn: "https://public@localhost/0", // required, but unused: the app forwards to its own DSN
  tunnel: settings.tunnel,
  release: settings.release,
  environment: settings.environment,
  tracesSampleRate: 0, // for pages about which the server has not decided
  traceLifecycle: "static", // Spotlight shows transactions, but no streamed spans
  sendClientReports: false,
  dataCollection: { userInfo: false }, // Sentry must not infer an IP address
  stackParser: defaultStackParser,
  transport: (options) => createTransport(options, ({ body }) => post(options.url, body)),
  integrations: [
    dedupeIntegration(),
    globalHandlersIntegration(),
    linkedErrorsIntegration(),
    browserTracingIntegration({
      instrumentNavigation: false, // the server renders each page
      instrumentBfcacheRestore: false,
      linkPreviousTrace: "off",
      webVitals: { ignore: ["inp"] }, // names the element that was clicked
    }),
  ],
});
const scope = getCurrentScope();
if (settings.user) {
  scope.setUser({ id: settings.user });
}
scope.addEventProcessor((event) => scrub(event, settings.rule));
scope.setClient(client);
client.init();

// The page of a crash asks what the person was doing.
const form = document.querySelector("form[data-event]");
if (form) {
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
      form.querySelector("[role=status]").textContent = form.dataset[isSent ? "sent" : "failed"];
      if (isSent) {
        form.reset();
      }
    }
  });
}

// The broken button crashes here and on the server, in one trace.
const button = document.querySelector("button[data-breaks]");
button?.addEventListener("click", () =>
  startSpan({ name: "broken button", op: "ui.action.click" }, async () => {
    await fetch(button.dataset.breaks);
    throw Object.assign(new Error(), { name: "BrokenButtonError" });
  }),
);

// Leave out the headers: each response has Retry-After, for which the SDK would wait.
async function post(url, body) {
  const response = await fetch(url, { method: "POST", body, keepalive: true });
  return { statusCode: response.status };
}
