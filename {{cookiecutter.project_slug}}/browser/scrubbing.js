// Build each event anew from what cannot identify a person or quote the page.

const EVENT = [
  "event_id", "type", "platform", "level", "timestamp", "start_timestamp", "release",
  "environment", "user", "measurements", "sdkProcessingMetadata",
];
const SPAN = [
  "trace_id", "span_id", "parent_span_id", "op", "origin", "status", "start_timestamp", "timestamp",
];
// `debug_id` is a hash of the script, by which Sentry finds its source map.
const FRAME = ["function", "lineno", "colno", "in_app", "debug_id"];
const DATA = ["sentry.op", "sentry.origin", "http.response.status_code"];

// A message may quote the page or what was typed, so none is sent as it is. The first of these forms
// that fits is sent instead, and all other messages are left out. … stands for any text. The forms
// are those of the engines (of Chromium, Firefox, Safari) and of the SDK; add those of a library or
// of your own code. What they leave out is seldom missed: the source map shows the line.
const MESSAGES = [
  // Something is not what the code expects it to be.
  "Cannot read properties of null (reading …)",
  "Cannot read properties of undefined (reading …)",
  "Cannot set properties of null (setting …)",
  "Cannot set properties of undefined (setting …)",
  "Cannot destructure property … as it is null.",
  "Cannot destructure property … as it is undefined.",
  "Cannot convert undefined or null to object",
  "Cannot access … before initialization",
  "Cannot access uninitialized variable.",
  "Cannot assign to read only property …",
  "Assignment to constant variable.",
  "Attempted to assign to readonly property.",
  "can't access property …, … is null",
  "can't access property …, … is undefined",
  "can't access lexical declaration …",
  "Can't find variable: …",
  "null is not an object…",
  "undefined is not an object…",
  "… is not a function…",
  "… is not a constructor…",
  "… is not iterable…",
  "… is not defined",
  "… is read-only",
  "… is null",
  "… is undefined",
  "Maximum call stack size exceeded…",
  "too much recursion",
  "Invalid array length",
  "Invalid time value",
  "URI malformed",
  // A text is not JSON.
  "JSON Parse error: …",
  "JSON.parse: …",
  "Unexpected end of JSON input",
  "Unexpected non-whitespace character after JSON…",
  "Unexpected token …",
  "… in JSON at position …",
  "… is not valid JSON",
  // A request or a call of the browser failed.
  "Failed to execute …",
  "Failed to fetch…",
  "Load failed…",
  "NetworkError when attempting to fetch resource…",
  "The operation was aborted…",
  "ResizeObserver loop completed with undelivered notifications.",
  "Script error.",
  // Code threw what is not an error.
  "Object captured as …",
  "Event … captured as …",
  "Non-Error …",
].map((form) => [form, new RegExp(`^${form.split("…").map(escape).join("[^]*")}$`)]);
const LONGEST = 1000; // characters; matching takes longer than linear time

// Return what is sent of `event`, on a page whose route has a rule such as /user/<username>.
export function scrub(event, rule) {
  const { trace, feedback } = event.contexts ?? {};
  return {
    ...pick(event, EVENT),
    transaction: rule || "no route",
    transaction_info: { source: "route" },
    request: {
      url: location.origin + rule,
      headers: { "User-Agent": navigator.userAgent },
    },
    contexts: {
      ...(trace && { trace: scrubSpan(trace) }), // without it, the SDK adds the trace of the page
      feedback, // a person typed it in order to send it
    },
    spans: event.spans?.map(scrubSpan),
    exception: event.exception && { values: event.exception.values?.map(scrubException) },
  };
}

// A description may be the URL of any page, so only those of static files are kept.
function scrubSpan(span) {
  const file = span.description?.match(/^\/static\/[^?#]*/)?.[0];
  return { ...pick(span, SPAN), description: file, data: pick(span.data ?? {}, DATA) };
}

function scrubException({ type, value, mechanism, stacktrace }) {
  const frames = stacktrace?.frames?.map((frame) => ({
    ...pick(frame, FRAME),
    filename: scrubFile(frame.filename),
  }));
  return {
    type,
    value: scrubMessage(value),
    mechanism: pick(mechanism ?? {}, ["type", "handled"]),
    stacktrace: frames && { frames },
  };
}

function scrubMessage(message = "") {
  const isShort = message.length <= LONGEST;
  return isShort ? MESSAGES.find(([, pattern]) => pattern.test(message))?.[0] : undefined;
}

function escape(text) {
  return text.replace(/[.()]/g, "\\$&");
}

function scrubFile(url = "") {
  const isOurs = url.startsWith(`${location.origin}/static/`);
  return isOurs ? url.replace(/[?#].*/, "") : "elsewhere";
}

function pick(object, keys) {
  return Object.fromEntries(keys.filter((key) => key in object).map((key) => [key, object[key]]));
}
