/** What the parts of a gateway share. One per gateway thread. */

import type { Buckets, Pace } from "../lib/buckets.js";
import type { Clock } from "../lib/clock.js";
import type { Gathering } from "../lib/gather.js";
import type { Log } from "../lib/log.js";
import type { Random } from "../lib/random.js";
import type { AnnouncementService } from "../services/announcements/mod.js";
import type { Tokens } from "./auth/tokens.js";
import type { CommandDesk } from "./commands.js";
import type { LastBroadcast } from "./fanout/broadcast.js";
import type { LocationGates } from "./fanout/location-gate.js";
import type { AddressReader } from "./http/address.js";
import type { AtOnce } from "./limits/at-once.js";
import type { TierLimits } from "./limits/tiers.js";
import type { GatewayClient } from "./ports.js";
import type { GatewaySettings } from "./settings.js";
import type { GatewayStats } from "./stats.js";

export type GatewayPhase = "serving" | "draining" | "closed";

export interface GatewayContext {
  readonly id: string;
  readonly client: GatewayClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Runs something once everything that has come in this turn of the event loop was handled. */
  readonly endOfTurn: (run: () => void) => void;
  readonly settings: GatewaySettings;
  readonly stats: GatewayStats;
  readonly tokens: Tokens;
  readonly desk: CommandDesk;
  readonly tiers: TierLimits;
  /** Of those without a token. */
  readonly addressOf: AddressReader;
  /** Of each account, and of each address without one. */
  readonly searches: AtOnce;
  /** Of the frames of one socket. */
  readonly framesPace: Pace;
  /** Batches of fixes per driver, sockets and HTTP together. */
  readonly gpsLimits: Buckets;
  /** Of all drivers of this thread: one message to an actor's thread costs nearly as much as twenty. */
  readonly gpsPieces: Gathering;
  readonly gates: LocationGates;
  readonly lastBroadcast: LastBroadcast;
  /** Null: this gateway tells none. */
  readonly announcements: AnnouncementService | null;
  phase: GatewayPhase;
}
