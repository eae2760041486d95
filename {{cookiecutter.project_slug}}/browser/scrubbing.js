// Build each event anew from what cannot identify a person or quote the page.

const EVENT = [
  "event_id", "type", "platform", "level", "timestamp", "start_timestamp", "release",
  "environment", "user", "measurements", "sdkProcessingMetadata",
];
const SPAN = [
  "trace_id", "span_id", "parent_span_id", "op", "origin", "status", "start_timestamp", "timestamp",
];
const FRAME = ["function", "lineno", "colno", "in_app"];
const DATA = ["sentry.op", "sentry.origin", "http.response.status_code"];

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

// A message may quote the page or what was typed, so only the type and the stack are kept.
function scrubException({ type, mechanism, stacktrace }) {
  const frames = stacktrace?.frames?.map((frame) => ({
    ...pick(frame, FRAME),
    filename: scrubFile(frame.filename),
  }));
  return { type, mechanism: pick(mechanism ?? {}, ["type", "handled"]), stacktrace: frames && { frames } };
}

function scrubFile(url = "") {
  const isOurs = url.startsWith(`${location.origin}/static/`);
  return isOurs ? url.replace(/[?#].*/, "") : "elsewhere";
}

function pick(object, keys) {
  return Object.fromEntries(keys.filter((key) => key in object).map((key) => [key, object[key]]));
}
