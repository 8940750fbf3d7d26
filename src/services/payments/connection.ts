/**
 * Calls to a payment provider over connections that are kept. Every order waits for two of these calls, so they go
 * through Node's own client, at a fraction of what `fetch` with its streams and signals takes.
 *
 * Owns: the connections and the time limit of one call. Does not own: repeats, and what an answer means.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { urlToHttpOptions } from "node:url";
import type { Clock } from "../../lib/clock.js";
import { endpointOf } from "../../lib/endpoint.js";

/** Calls at once; more wait for a connection within their own time limit. */
const MOST_CONNECTIONS = 256;
const MOST_ANSWER_BYTES = 1_000_000;

export interface Connection {
  /**
   * One call: GET without a body, else POST with it as JSON. Resolves with the answer's JSON, whatever its status. Rejects
   * when the provider does not answer in `timeoutMs`, breaks off, or answers something else.
   */
  call(path: string, body: object | null, timeoutMs: number): Promise<unknown>;
}

export function keptConnection(url: string, clock: Clock): Connection {
  const { base: address, headers } = endpointOf(url);
  const base = new URL(address);
  const isSecure = base.protocol === "https:";
  const settings = { keepAlive: true, maxSockets: MOST_CONNECTIONS };
  const agent = isSecure ? new HttpsAgent(settings) : new HttpAgent(settings);
  const request = isSecure ? httpsRequest : httpRequest;
  const prefix = base.pathname === "/" ? "" : base.pathname;
  const { hostname, port } = urlToHttpOptions(base);
  const common: RequestOptions = { agent, hostname, port };

  return {
    call: (path, body, timeoutMs) =>
      new Promise((resolve, reject) => {
        const text = body === null ? null : JSON.stringify(body);
        const options: RequestOptions = {
          ...common,
          path: prefix + path,
          ...(text === null
            ? { headers }
            : {
                method: "POST",
                headers: {
                  ...headers,
                  "content-type": "application/json",
                  "content-length": Buffer.byteLength(text),
                },
              }),
        };
        const asked = request(options, (answer) => {
          read(answer).then((value) => done(() => resolve(value)), fail);
        });
        const cancel = clock.after(timeoutMs, () => fail(new Error(`no answer in ${timeoutMs} ms`)));
        let isOver = false;
        function done(settle: () => void): void {
          if (isOver) return;
          isOver = true;
          cancel();
          settle();
        }
        function fail(error: unknown): void {
          done(() => reject(error));
          // A connection that owes an answer is none for the next call.
          asked.destroy();
        }
        asked.on("error", fail);
        asked.end(text ?? undefined);
      }),
  };
}

/** The JSON of an answer. Rejects when it is none, is too long or breaks off. */
function read(answer: IncomingMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    answer.on("data", (part: Buffer) => {
      bytes += part.length;
      parts.push(part);
      if (bytes > MOST_ANSWER_BYTES) answer.destroy(new Error(`an answer of more than ${MOST_ANSWER_BYTES} bytes`));
    });
    answer.on("end", () => {
      try {
        resolve(JSON.parse(Buffer.concat(parts).toString()));
      } catch (error) {
        reject(error);
      }
    });
    answer.on("error", reject);
  });
}
