/** Masked contact (R-COM-4): the port, its adapters, and the effect that rooms ask. */
import type { EffectRunner } from "../../actors/runtime/ports.js";
import { type ContactProvider, ContactRefused } from "./ports.js";

export { type HttpContactSettings, httpContactProvider } from "./http-provider.js";
export { type ContactPair, type ContactProvider, ContactRefused, ContactUnavailable } from "./ports.js";
export { type ContactSandbox, contactSandbox, sandboxNumber } from "./sandbox.js";

type Request =
  | { readonly step: "open"; readonly pairId: string; readonly customerId: string; readonly driverId: string }
  | { readonly step: "close"; readonly pairId: string };

/** Throws (and so is run again later) while the provider does not answer. */
export function contactEffect(provider: ContactProvider): EffectRunner {
  return async ({ input }) => {
    const request = input as unknown as Request;
    try {
      if (request.step === "close") {
        await provider.close(request.pairId);
        return { outcome: "closed" };
      }
      const { pairId, customerId, driverId } = request;
      const { number } = await provider.open({ pairId, customerId, driverId });
      return { outcome: "open", number };
    } catch (error) {
      if (error instanceof ContactRefused) return { outcome: "refused", reason: error.message };
      throw error;
    }
  };
}
