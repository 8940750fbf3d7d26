/**
 * The yardstick of the menu load: nothing but the native HTTP server that a node stands on, answering the same bytes with
 * the same headers out of a map. It counts nothing and limits nothing. Started by `menu.ts`, it first reads the menus of
 * the node, as they are sent to a browser.
 */

import * as uWS from "uWebSockets.js";
import { get } from "node:http";
import { addressFor, type FromMenuBare, MENU_PATH, type ToMenuBare } from "./menu-messages.js";

const say = (message: FromMenuBare): void => void process.send?.(message);
const READ_AT_ONCE = 32;

interface Held {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

function read(url: string, number: number): Promise<Held> {
  return new Promise((resolve, reject) => {
    const options = { localAddress: addressFor(number), headers: { "accept-encoding": "br" } };
    get(url, options, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (chunk: Buffer) => parts.push(chunk));
      response.on("end", () => {
        const { etag, "content-encoding": coding } = response.headers;
        if (coding === "br" && etag !== undefined) resolve({ bytes: Buffer.concat(parts), etag });
        else reject(new Error(`${url} answered ${response.statusMessage}, ${String(coding)}`));
      });
    }).on("error", reject);
  });
}

async function serve({ url, ids }: ToMenuBare): Promise<void> {
  const menus = new Map<string, Held>();
  let next = 0;
  const reader = async (): Promise<void> => {
    for (let number = next++; number < ids.length; number = next++) {
      const id = ids[number]!;
      menus.set(id, await read(`${url}${MENU_PATH}${id}/menu`, number));
    }
  };
  await Promise.all(Array.from({ length: READ_AT_ONCE }, reader));
  let bytes = 0;
  for (const held of menus.values()) bytes += held.bytes.length;
  const app = uWS.App();
  app.get(`${MENU_PATH}:restaurantId/menu`, (res, req) => {
    const held = menus.get(req.getParameter(0) ?? "");
    if (held === undefined) {
      res.writeStatus("404 Not Found").end();
      return;
    }
    res.writeStatus("200 OK");
    res.writeHeader("x-content-type-options", "nosniff");
    res.writeHeader("referrer-policy", "no-referrer");
    res.writeHeader("x-frame-options", "DENY");
    res.writeHeader("content-type", "application/json");
    res.writeHeader("etag", held.etag);
    res.writeHeader("cache-control", "public, max-age=1");
    res.writeHeader("vary", "accept-encoding");
    res.writeHeader("content-encoding", "br");
    res.end(held.bytes);
  });
  app.listen("127.0.0.1", 0, (socket) => {
    if (!socket) throw new Error("The bare server found no port to listen on.");
    say({ t: "listening", port: uWS.us_socket_local_port(socket), bytesOfBody: Math.round(bytes / menus.size) });
  });
}

process.once("message", (message: ToMenuBare) => void serve(message));
process.on("disconnect", () => process.exit(0));
say({ t: "ready" });
