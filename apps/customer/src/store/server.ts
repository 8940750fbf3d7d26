/** The customer's line to the node. */
import { effect } from "@preact/signals";
import type { Client } from "../../../../sdk/mod.js";
import { createHttp } from "../../../../sdk/mod.js";
import { token } from "../../../shared/account/session.js";
import { newsAt } from "../../../shared/line/news.js";
import { deviceId, nodeUrl, openClient } from "../../../shared/line/node.js";
import { place } from "./place.js";

let client: Client | null = null;

/** The socket, once somebody is signed in. Two tabs of one browser are two devices: people compare menus in tabs. */
export function server(): Client {
  if (client !== null) return client;
  client = openClient({
    tokenProvider: token,
    deviceId: deviceId("customer", "tab"),
    commandsByHttpAfterMs: 8_000,
  });
  effect(() => {
    if (place.value !== null) newsAt(place.value);
  });
  return client;
}

/** What anyone may read needs no socket and no account. */
export const open = createHttp({ url: nodeUrl });
