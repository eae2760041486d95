// Errors and page loads, sent to Sentry by way of the app. The script tag has the settings.
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

// `init` would bring the default integrations along, which record clicks, URLs and the console.
// Release health has no session from here: the server counts each request already.
const client = new BrowserClient({
  dsn: "https://public@localhost/0", // the SDK wants one; the app knows where things go
  tunnel: settings.tunnel,
  release: settings.release,
  environment: settings.environment,
  tracesSampleRate: 0, // pages whose request the server did not trace; it decides for the others
  traceLifecycle: "static", // Spotlight shows transactions, but no streamed spans
  sendClientReports: false,
  dataCollection: { userInfo: false }, // do not let Sentry infer an address
  stackParser: defaultStackParser,
  transport: (options) => createTransport(options, ({ body }) => post(options.url, body)),
  integrations: [
    dedupeIntegration(),
    globalHandlersIntegration(),
    linkedErrorsIntegration(),
    browserTracingIntegration({
      instrumentNavigation: false, // each page is loaded from the server
      instrumentBfcacheRestore: false,
      linkPreviousTrace: "off",
      webVitals: { ignore: ["inp"] }, // it would name what was clicked
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

// The broken button breaks here and on the server, in one trace.
const button = document.querySelector("button[data-breaks]");
button?.addEventListener("click", () =>
  startSpan({ name: "broken button", op: "ui.action.click" }, async () => {
    await fetch(button.dataset.breaks);
    throw Object.assign(new Error(), { name: "BrokenButtonError" });
  }),
);

// The headers of the response are left out: each has a Retry-After, and the SDK would wait.
async function post(url, body) {
  const response = await fetch(url, { method: "POST", body, keepalive: true });
  return { statusCode: response.status };
}
