// Reads server-sent events from bytes (WHATWG HTML, section 9.2.6). The browser's own EventSource cannot
// send an Authorization header.

/** Yields `{id, event, data}`, and `null` for bytes that hold no whole event, such as a comment. */
export async function* serverSentEvents(bytes) {
  const reader = bytes.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new Parser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = parser.push(value);
      if (events.length === 0) yield null;
      yield* events;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Text in pieces of any size in, whole events out. */
export class Parser {
  #rest = "";
  #event = blank();

  push(text) {
    const events = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line !== "") this.#field(line);
      else if (this.#event.data.length > 0) events.push(this.#take());
      else this.#event = blank(this.#event.id);
    }
    return events;
  }

  #field(line) {
    const [, name, value] = /^([^:]*)(?:: ?([^]*))?$/.exec(line);
    if (name === "data") this.#event.data.push(value ?? "");
    else if (name === "event") this.#event.event = value ?? "";
    else if (name === "id" && !value?.includes("\0")) this.#event.id = value ?? "";
  }

  #take() {
    const { id, event, data } = this.#event;
    this.#event = blank(id);
    return { id, event: event || "message", data: data.join("\n") };
  }
}

/** The last id stays in force for the events that follow. */
function blank(id = "") {
  return { id, event: "", data: [] };
}
