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
  type Movements = { readonly movements: readonly ProviderMovement[] };
  return {
    movements: async ({ from, to }, after, limit) =>
      (await ask<Movements>(`/ledger?from=${from}&to=${to}&after=${after}&limit=${limit}`)).movements,
    movementsOf: async (keys) => (keys.length === 0 ? [] : (await ask<Movements>("/ledger/keys", { keys })).movements),
    held: async () => (await ask<{ readonly held: Awaited<ReturnType<ProviderLedger["held"]>> }>("/ledger/held")).held,
  };
}
