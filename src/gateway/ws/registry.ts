/**
 * All sockets of this gateway, and who they belong to. Owns the bounds per gateway and per account, and that one device
 * has one socket: the newer one wins.
 */
import type { CLOSE } from "../../protocol/mod.js";
import type { GatewayContext } from "../context.js";
import { count } from "../stats.js";
import type { Connection, OpenState } from "./connection.js";

export class Registry {
  readonly connections = new Set<Connection>();
  /** By role and id, then device. */
  readonly #byAccount = new Map<string, Map<string, Connection>>();
  readonly #context: GatewayContext;
  opening = 0;

  constructor(context: GatewayContext) {
    this.#context = context;
  }

  add(connection: Connection): void {
    this.connections.add(connection);
    this.opening++;
    this.#count();
  }

  /** Null when the account has as many sockets as it may. Otherwise the socket that this one replaces, or undefined. */
  open(connection: Connection, state: OpenState): Connection | undefined | null {
    const account = accountOf(state);
    let devices = this.#byAccount.get(account);
    const replaced = devices?.get(state.deviceId);
    if (replaced === undefined && (devices?.size ?? 0) >= this.#context.settings.maxConnectionsPerUser) return null;
    if (devices === undefined) {
      devices = new Map();
      this.#byAccount.set(account, devices);
    }
    devices.set(state.deviceId, connection);
    connection.state = state;
    this.opening--;
    this.#count();
    return replaced;
  }

  /** Called once per socket, from its close handler. */
  remove(connection: Connection): void {
    const { state } = connection;
    connection.state = { phase: "closed" };
    connection.outbox.close();
    this.connections.delete(connection);
    if (state.phase === "opening") this.opening--;
    if (state.phase === "open") {
      this.#context.stats.subscriptions -= state.subscriptions.size;
      for (const subscription of state.subscriptions.values()) subscription.close();
      state.subscriptions.clear();
      const account = accountOf(state);
      const devices = this.#byAccount.get(account);
      if (devices?.get(state.deviceId) === connection) {
        devices.delete(state.deviceId);
        if (devices.size === 0) this.#byAccount.delete(account);
      }
    }
    this.#count();
  }

  /** Says goodbye with one of `CLOSE`. The native close handler, and with it `remove`, runs within. */
  close(connection: Connection, code: (typeof CLOSE)[keyof typeof CLOSE], reason: string): void {
    if (connection.state.phase === "closed") return;
    count(this.#context.stats.closes, code);
    connection.ws.end(code, reason.slice(0, 120));
  }

  #count(): void {
    this.#context.stats.connections = this.connections.size;
    this.#context.stats.opening = this.opening;
  }
}

function accountOf(state: OpenState): string {
  return `${state.principal.role}/${state.principal.id}`;
}
