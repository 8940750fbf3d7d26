/** The native server keeps what gateways rely on. Its twin in virtual time passes the same suite. */

import * as uWS from "uWebSockets.js";
import t, { type Test } from "tap";
import WebSocket from "ws";
import { systemClock } from "../lib/clock.js";
import { gatewayContract } from "./contract/gateway.contract.js";
import { type HeardSocket, type NativeSubject, nativeContract } from "./contract/native.contract.js";
import { listenOn } from "./listen.js";

const clock = systemClock();
const LONG_MS = 30_000;

await t.test("R-SIM-2: the native server", (t) => nativeContract(t, open));
await t.test("R-SIM-2: a gateway on it", (t) => gatewayContract(t, open));

async function open(t: Test): Promise<NativeSubject> {
  const sockets = new Set<WebSocket>();
  const apps: { readonly app: uWS.TemplatedApp; stop(): void }[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.terminate();
    for (const { app, stop } of apps) {
      stop();
      app.close();
    }
  });
  return {
    clock,
    tooLargeBytes: 16_000_000,
    async open(build) {
      const app = uWS.App();
      build(app);
      const listening = await listenOn(app, 0, { host: "127.0.0.1" });
      let stopped = false;
      const stop = (): void => {
        if (!stopped) listening.stop();
        stopped = true;
      };
      apps.push({ app, stop });
      return {
        origin: `http://127.0.0.1:${listening.port}`,
        app: Object.assign(Object.create(app) as typeof app, {
          close() {
            stop();
            return app.close();
          },
        }),
      };
    },
    async fetch(url, init) {
      const response = await fetch(url, init);
      const reader = response.body?.getReader();
      const utf8 = new TextDecoder();
      const next = async (): Promise<string | null> => {
        const read = await reader?.read();
        return read === undefined || read.done ? null : utf8.decode(read.value, { stream: true });
      };
      return {
        status: response.status,
        header: (name) => response.headers.get(name),
        first: async () => (await next()) ?? "",
        async text() {
          let text = "";
          for (let part = await next(); part !== null; part = await next()) text += part;
          return text;
        },
      };
    },
    socket(url, protocols) {
      const ws = new WebSocket(url, [...protocols], { perMessageDeflate: false });
      sockets.add(ws);
      const heard: (string | Uint8Array)[] = [];
      let over: HeardSocket["over"] = null;
      ws.on("message", (data: Buffer, isBinary: boolean) => heard.push(isBinary ? new Uint8Array(data) : String(data)));
      ws.on("close", (code, reason) => {
        over = { code, reason: reason.toString() };
      });
      ws.on("error", () => {});
      return {
        heard,
        get isOpen() {
          return ws.readyState === WebSocket.OPEN;
        },
        get protocol() {
          return ws.protocol;
        },
        get over() {
          return over;
        },
        send: (data) => ws.send(data),
        close: (code, reason) => ws.close(code, reason),
        terminate: () => ws.terminate(),
      };
    },
    readAll(reads) {
      for (const socket of sockets) {
        if (reads) socket.resume();
        else socket.pause();
      }
    },
    async until(what, isSo) {
      const until = clock.monotonic() + LONG_MS;
      while (!isSo()) {
        if (clock.monotonic() > until) throw new Error(`never: ${what}`);
        await new Promise<void>((resolve) => clock.after(5, resolve));
      }
    },
    settle: (promise) => promise,
  };
}
