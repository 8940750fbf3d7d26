/** The provider's books over HTTP, for reconciliation. */
import { endpointOf } from "../../lib/endpoint.js";
import { PaymentUnavailable, type ProviderLedger, type ProviderMovement } from "./ports.js";

const PATIENCE_MS = 10_000;

export function httpProviderLedger(url: string): ProviderLedger {
  const { base, headers } = endpointOf(url);
  async function ask<R>(path: string, body?: object): Promise<R> {
    try {
      const response = await fetch(`${base}${path}`, {
        signal: AbortSignal.timeout(PATIENCE_MS),
        ...(body === undefined
          ? { headers }
          : {
              method: "POST",
              headers: { ...headers, "content-type": "application/json" },
              body: JSON.stringify(body),
            }),
      });
      return (await response.json()) as R;
    } catch (error) {
      throw new PaymentUnavailable(`The payment provider's books do not answer: ${String(error)}`);
    }
  }
  /** The list of that name, each of it of the right shape: sums are made of it. */
  async function list<T>(name: string, isOne: (one: unknown) => one is T, path: string, body?: object): Promise<T[]> {
    const answer = await ask<Readonly<Record<string, unknown>> | null>(path, body);
    const found = answer?.[name];
    if (Array.isArray(found) && found.every(isOne)) return found;
    const beginning = JSON.stringify(answer).slice(0, 100);
    throw new PaymentUnavailable(`The payment provider's books answer no ${name}: ${beginning}`);
  }
  return {
    movements: ({ from, to }, after, limit) =>
      list("movements", isMovement, `/ledger?from=${from}&to=${to}&after=${after}&limit=${limit}`),
    movementsOf: async (keys) => (keys.length === 0 ? [] : list("movements", isMovement, "/ledger/keys", { keys })),
    held: () => list("held", isHeld, "/ledger/held"),
  };
}

type Unknown<T> = { readonly [Name in keyof T]?: unknown } | null;
type Held = Awaited<ReturnType<ProviderLedger["held"]>>[number];

const isText = (value: unknown): value is string => typeof value === "string";
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isMovement(one: unknown): one is ProviderMovement {
  const { key, orderId, kind, currency, amountMinor, at, number } = (one as Unknown<ProviderMovement>) ?? {};
  const isKind = kind === "capture" || kind === "refund";
  return (
    [key, orderId, currency].every(isText) && isKind && [amountMinor, number].every(isWhole) && Number.isFinite(at)
  );
}

function isHeld(one: unknown): one is Held {
  const { currency, count, amountMinor } = (one as Unknown<Held>) ?? {};
  return isText(currency) && isWhole(count) && isWhole(amountMinor);
}
