/** The customer's line to the node. */
import type { Client } from "../../../../sdk/mod.js";
import { createHttp } from "../../../../sdk/mod.js";
import { token } from "../../../shared/account/session.js";
import { deviceId, nodeUrl, openClient } from "../../../shared/line/node.js";

let client: Client | null = null;

/** The socket, once somebody is signed in. Two tabs of one browser are two devices: people compare menus in tabs. */
export function server(): Client {
  client ??= openClient({
    tokenProvider: token,
    deviceId: deviceId("customer", "tab"),
    commandsByHttpAfterMs: 8_000,
  });
  return client;
}

/** What anyone may read needs no socket and no account. */
export const open = createHttp({ url: nodeUrl });
