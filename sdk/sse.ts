/** Reads `text/event-stream` bodies (WHATWG HTML, section 9.2), as bytes arrive. */
import type { ByteStream } from "./ports.js";

export interface ServerSentEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  /** The pause before reconnecting that the stream asked for, once it has. */
  readonly retryMs: number | null;
}

/** The longest event that is kept; a stream that sends more without an end is not ours. */
const MAX_EVENT_CHARACTERS = 1_000_000;

/**
 * Yields the events of one response. Ends when the stream ends or `stop` fires; throws what reading throws. `heard` is
 * called whenever anything came, comments too.
 */
export async function* readEvents(
  body: ByteStream,
  stop?: AbortSignal,
  heard?: () => void,
): AsyncGenerator<ServerSentEvent> {
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  if (stop?.aborted) cancel();
  stop?.addEventListener("abort", cancel);
  const utf8 = new TextDecoder();
  let text = "";
  let id = "";
  let retryMs: number | null = null;
  let type = "";
  let data: string[] = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard?.();
      text += utf8.decode(value, { stream: true });
      if (text.length > MAX_EVENT_CHARACTERS) throw new RangeError("an event without an end");
      const lines = text.split(/\r\n|\n|\r(?!$)/);
      text = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) yield { id, type: type || "message", data: data.join("\n"), retryMs };
          type = "";
          data = [];
          continue;
        }
        const colon = line.indexOf(":");
        if (colon === 0) continue;
        const field = colon < 0 ? line : line.slice(0, colon);
        const content = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
        if (field === "data") data.push(content);
        else if (field === "event") type = content;
        else if (field === "id") id = content;
        else if (field === "retry" && /^\d+$/.test(content)) retryMs = Number(content);
      }
    }
  } finally {
    stop?.removeEventListener("abort", cancel);
    // Leaving the loop early means that the reader wants no more of the stream.
    await reader.cancel().catch(() => {});
  }
}
