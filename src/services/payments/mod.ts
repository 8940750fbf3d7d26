/** Payments: the port, the provider over HTTP, the sandbox, and the effect that orders ask. */

export { isSigned, signBody } from "../../lib/signature.js";
export { type MethodReader, paymentEffect, paymentKey } from "./effect.js";
export { defaultHttpProviderSettings, type HttpProviderSettings, httpPaymentProvider } from "./http-provider.js";
export { type InProcessProvider, inProcessProvider } from "./in-process.js";
export { createMethodService, type MethodService, methodReader } from "./methods.js";
export { type OrderTeller, paymentOperations } from "./operations.js";
export {
  type Authorise,
  type OnAuthorisation,
  type PaymentOutcome,
  type PaymentProvider,
  PaymentRefused,
  PaymentUnavailable,
  type ProviderLedger,
  type ProviderMovement,
  type Vault,
} from "./ports.js";
export { httpProviderLedger } from "./provider-ledger.js";
export {
  type Authorisation,
  DECLINING_METHOD,
  EXPIRED_METHOD,
  type LedgerEntry,
  type Operation,
  SILENT_METHOD,
  SLOW_METHOD,
} from "./sandbox/book.js";
export { authorisationsOf, readSandboxLedger } from "./sandbox/ledger.js";
export { heldOf, movementsOf } from "./sandbox/movements.js";
export { defaultSandboxSettings, type Sandbox, type SandboxSettings, startSandbox } from "./sandbox/server.js";
export { type SandboxProcess, startSandboxProcess } from "./sandbox/start.js";
export { tokenVault } from "./vault.js";
