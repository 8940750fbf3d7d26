/** One POST of a generator over its own connections. */
import { type Agent, request } from "node:http";
import type { Address } from "../harness/program-messages.js";

export interface PostAnswer {
  readonly isOk: boolean;
  readonly text: string;
}

/** Rejects when the connection breaks. `key`: the same one again gets the same answer. */
export function post(
  agent: Agent,
  { host, port }: Address,
  path: string,
  { token, key }: { readonly token: string; readonly key: string },
  body: string,
): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      authorization: `Bearer ${token}`,
      "idempotency-key": key,
    };
    const asked = request({ agent, host, port, path, method: "POST", headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (chunk: Buffer) => parts.push(chunk));
      response.on("end", () => {
        const isOk = response.statusMessage === "OK" || response.statusMessage === "Created";
        resolve({ isOk, text: Buffer.concat(parts).toString() });
      });
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
