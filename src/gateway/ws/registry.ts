/**
 * All sockets of this gateway, and who they belong to. Owns the bounds per gateway and per account, and that one device
 * has one socket: the newer one wins.
 */
import { type CLOSE, ROLES, type Role } from "../../protocol/mod.js";
import type { Principal } from "../auth/tokens.js";
import type { GatewayContext } from "../context.js";
import { count } from "../stats.js";
import type { Connection, OpenState } from "./connection.js";

type PeopleByRole = Readonly<Record<Role, Map<string, Connection>>>;

export class Registry {
  readonly connections = new Set<Connection>();
  /** By role and id: the newest socket of each person, the others follow it as `next`. They are few. */
  readonly #newest: PeopleByRole;
  readonly #context: GatewayContext;
  opening = 0;

  constructor(context: GatewayContext) {
    this.#context = context;
    this.#newest = Object.fromEntries(ROLES.map((role) => [role, new Map()])) as unknown as PeopleByRole;
  }

  add(connection: Connection): void {
    this.connections.add(connection);
    this.opening++;
    this.#count();
  }

  /** Null when the account has as many sockets as it may. Otherwise the socket that this one replaces, or undefined. */
  open(connection: Connection, state: OpenState): Connection | undefined | null {
    const { role, id } = state.principal;
    const newest = this.#newest[role];
    const others = newest.get(id) ?? null;
    let replaced: Connection | undefined;
    let count = 0;
    for (let each = others; each !== null; each = each.next) {
      count++;
      if (each.state.phase === "open" && each.state.deviceId === state.deviceId) replaced = each;
    }
    if (replaced === undefined && count >= this.#context.settings.maxConnectionsPerUser) return null;
    connection.next = others;
    newest.set(id, connection);
    connection.state = state;
    this.opening--;
    this.#count();
    return replaced;
  }

  /** Called once per socket, from its close handler. */
  remove(connection: Connection): void {
    const { state } = connection;
    connection.state = { phase: "closed" };
    connection.shut();
    this.connections.delete(connection);
    if (state.phase === "opening") this.opening--;
    if (state.phase === "open") {
      this.#context.stats.subscriptions -= state.subscriptions?.size ?? 0;
      for (const subscription of state.subscriptions?.values() ?? []) subscription.close();
      state.subscriptions = null;
      this.#takeOut(connection, state.principal);
    }
    this.#count();
  }

  /** Says goodbye with one of `CLOSE`. The native close handler, and with it `remove`, runs within. */
  close(connection: Connection, code: (typeof CLOSE)[keyof typeof CLOSE], reason: string): void {
    if (connection.state.phase === "closed") return;
    count(this.#context.stats.closes, code);
    connection.ws.end(code, reason.slice(0, 120));
  }

  #takeOut(connection: Connection, { role, id }: Principal): void {
    const newest = this.#newest[role];
    const first = newest.get(id);
    if (first === connection) {
      if (connection.next === null) newest.delete(id);
      else newest.set(id, connection.next);
    } else {
      for (let each = first ?? null; each !== null; each = each.next) {
        if (each.next === connection) each.next = connection.next;
      }
    }
    connection.next = null;
  }

  #count(): void {
    this.#context.stats.connections = this.connections.size;
    this.#context.stats.opening = this.opening;
  }
}
