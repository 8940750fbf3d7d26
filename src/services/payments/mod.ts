/** Payments: the port, the provider over HTTP, the sandbox, and the effect that orders ask. */
export { paymentEffect, paymentKey } from "./effect.js";
export { defaultHttpProviderSettings, type HttpProviderSettings, httpPaymentProvider } from "./http-provider.js";
export { type InProcessProvider, inProcessProvider } from "./in-process.js";
export {
  type Authorise,
  type OnAuthorisation,
  type PaymentOutcome,
  type PaymentProvider,
  PaymentRefused,
  PaymentUnavailable,
} from "./ports.js";
export { type Authorisation, DECLINING_METHOD, type LedgerEntry, type Operation } from "./sandbox/book.js";
export { authorisationsOf, readSandboxLedger } from "./sandbox/ledger.js";
export { defaultSandboxSettings, type Sandbox, type SandboxSettings, startSandbox } from "./sandbox/server.js";
export { type SandboxProcess, startSandboxProcess } from "./sandbox/start.js";
