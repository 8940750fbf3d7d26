/** The payment provider, over kept-alive connections. Its operations are idempotent by their key. */
import { Agent, request } from "node:http";

export interface Payments {
  /** False: declined. */
  authorise(orderId: string, amountMinor: number, currency: string): Promise<boolean>;
  capture(orderId: string, amountMinor: number): Promise<void>;
  void(orderId: string): Promise<void>;
  close(): void;
}

const MAX_CONNECTIONS = 256;

export function openPayments(url: string): Payments {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  function operate(operation: object): Promise<{ readonly outcome: string }> {
    const body = JSON.stringify(operation);
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          hostname,
          port,
          path: "/operations",
          method: "POST",
          agent,
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.once("error", reject);
          response.once("end", () => {
            const { outcome } = JSON.parse(Buffer.concat(parts).toString()) as {
              outcome?: { readonly outcome: string };
            };
            if (outcome === undefined) reject(new Error("The payment provider did not do it."));
            else resolve(outcome);
          });
        },
      );
      asked.once("error", reject);
      asked.end(body);
    });
  }
  const authoriseKey = (orderId: string): string => `${orderId}/authorise`;
  return {
    async authorise(orderId, amountMinor, currency) {
      const key = authoriseKey(orderId);
      const { outcome } = await operate({ op: "authorise", key, orderId, amountMinor, currency, method: "card" });
      return outcome === "authorised";
    },
    async capture(orderId, amountMinor) {
      const key = `${orderId}/capture`;
      await operate({ op: "capture", key, orderId, authoriseKey: authoriseKey(orderId), amountMinor });
    },
    async void(orderId) {
      await operate({ op: "void", key: `${orderId}/void`, orderId, authoriseKey: authoriseKey(orderId) });
    },
    close: () => agent.destroy(),
  };
}
