// Send errors and page loads to Sentry, by way of the app. The script tag has the settings.
import {
  BrowserClient,
  browserTracingIntegration,
  createTransport,
  dedupeIntegration,
  defaultStackParser,
  getCurrentScope,
  globalHandlersIntegration,
  linkedErrorsIntegration,
} from "@sentry/browser";
import { scrub } from "./scrubbing.js";

const settings = document.currentScript.dataset;

// `init` would add the default integrations, which record clicks, URLs and the console, and start
// sessions, although the server counts each request as a session already.
export const client = new BrowserClient({
  enabled: "tunnel" in settings, // Sentry is on
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

// Leave out the headers: after a 429 or 503, the SDK would drop what comes until Retry-After ends.
async function post(url, body) {
  const response = await fetch(url, { method: "POST", body, keepalive: true });
  return { statusCode: response.status };
}
