/** The gateway's one door. */
export { createTokens, generateTokenKey, type Principal, type TokenKey, type Tokens } from "./auth/tokens.js";
export {
  createGateway,
  type Gateway,
  type GatewayAuth,
  type GatewayOptions,
} from "./gateway.js";
export { DEFAULT_TIER_RATES, type TierRates } from "./limits/tiers.js";
export { freePort, type ListenOptions } from "./listen.js";
export type {
  NativeApp,
  NativeHandler,
  NativeRequest,
  NativeResponse,
  NativeSocket,
  NativeSocketBehavior,
} from "./native.js";
export type { GatewayClient, MirrorCopy, OwnerWatch } from "./ports.js";
export { DEFAULT_GATEWAY_SETTINGS, type GatewaySettings } from "./settings.js";
export type { GatewayStats } from "./stats.js";
