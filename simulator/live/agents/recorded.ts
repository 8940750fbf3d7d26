/**
 * Writes down every call of a client with its outcome, and how long it was without a connection.
 *
 * Owns: what counts as `ok`, `fail` and `unknown`. Does not own the client. Invariant: a call counts as `fail` only if
 * it is certain that nothing was done; when in doubt it is `unknown`.
 */
import type { Client, Http } from "../../../sdk/node.js";
import type { Clock } from "../../../src/lib/clock.js";
import type { OperationOutcome, Recorder } from "../../checkers/mod.js";
import { codeOf, isTemporary } from "./failures.js";

export interface RecordedAs {
  readonly principal: string;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** True: the phone loses its signal by itself, so its gaps say nothing about the nodes. */
  readonly radio: boolean;
}

/** The same client; what it is asked goes through the recorder. */
export function recorded(client: Client, as: RecordedAs): Client {
  if (!as.radio) recordGaps(client, as);
  const http: Http = instead(client.http, {
    placeOrder: (order, options) =>
      record(as, "order.place", options?.idempotencyKey ?? "", () => client.http.placeOrder(order, options)),
    command: (type, body, options) => record(as, type, subjectOf(body), () => client.http.command(type, body, options)),
  });
  return instead(client, {
    http,
    command: (type, body, options) => {
      const subject = type === "order.place" ? (options?.idempotencyKey ?? "") : subjectOf(body);
      return record(as, type, subject, () => client.command(type, body, options));
    },
  });
}

/** `whole` with some members replaced. The rest still runs on the original, private fields and all. */
function instead<T extends object>(whole: T, parts: Partial<T>): T {
  return new Proxy(whole, {
    get(target, name) {
      if (Object.hasOwn(parts, name)) return parts[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function record<T>(as: RecordedAs, type: string, subject: string, call: () => Promise<T>): Promise<T> {
  const { principal, recorder, clock } = as;
  const invokedAt = clock.now();
  const returned = (outcome: OperationOutcome, code: string): void =>
    recorder.operation({ principal, type, subject, invokedAt, returnedAt: clock.now(), outcome, code });
  try {
    const reply = await call();
    returned("ok", "");
    return reply;
  } catch (error) {
    returned(outcomeOf(error), codeOf(error));
    throw error;
  }
}

function outcomeOf(error: unknown): OperationOutcome {
  switch (codeOf(error)) {
    // What was sent before may still happen.
    case "closed":
    case "aborted":
      return "unknown";
    default:
      // A temporary refusal may follow attempts whose answers were lost.
      return isTemporary(error) ? "unknown" : "fail";
  }
}

function subjectOf(body: object): string {
  const { orderId, offerId, itemId } = body as { orderId?: string; offerId?: string; itemId?: string };
  return orderId ?? offerId ?? itemId ?? "";
}

function recordGaps(client: Client, { principal, recorder, clock }: RecordedAs): void {
  let lost: { readonly at: number; readonly from: string } | null = null;
  let address = client.address;
  let wasLive = false;
  client.onState((state) => {
    if (state.name === "live") {
      if (lost !== null) {
        recorder.gap({ principal, lostAt: lost.at, backAt: clock.now(), from: lost.from, to: client.address });
      }
      lost = null;
      address = client.address;
    } else if (wasLive && state.name !== "closed") lost = { at: clock.now(), from: address };
    wasLive = state.name === "live";
  });
}
