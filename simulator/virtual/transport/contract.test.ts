/** The twin of the native server keeps what gateways rely on of the native one. */
import t, { type Test } from "tap";
import { gatewayContract } from "../../../src/gateway/contract/gateway.contract.js";
import { type HeardSocket, type NativeSubject, nativeContract } from "../../../src/gateway/contract/native.contract.js";
import { createScheduler } from "../time/scheduler.js";
import { createStreams } from "../time/streams.js";
import { createTrace } from "../trace/trace.js";
import { createTransport, type Device, type VirtualAnswer } from "./mod.js";

const START_AT = 1_800_000_000_000;
const LONG_MS = 60_000;

await t.test("R-SIM-2: the twin of the native server", (t) => nativeContract(t, open));
await t.test("R-SIM-2: a gateway on it", (t) => gatewayContract(t, open));

async function open(t: Test): Promise<NativeSubject> {
  const seed = t.name.length;
  const scheduler = createScheduler(seed, START_AT);
  const trace = createTrace({ now: () => scheduler.now });
  const transport = createTransport({ scheduler, streams: createStreams(seed), trace, faults: { happened() {} } });
  const process = { node: "n1", life: "n1-1", clock: scheduler.process("n1-1") };
  const device: Device = transport.device("phone", scheduler.process("phone"));
  return {
    clock: process.clock,
    tooLargeBytes: 1_000_000,
    async open(build) {
      const origin = "http://n1.example";
      const app = transport.open(process, origin);
      build(app);
      return { origin, app };
    },
    async fetch(url, init) {
      const answer = (await device.fetch(url, init)) as VirtualAnswer;
      const reader = answer.body?.getReader();
      const next = async (): Promise<string | null> => {
        const read = await reader?.read();
        return read === undefined || read.done ? null : Buffer.from(read.value ?? []).toString();
      };
      return {
        status: answer.status,
        header: (name) => answer.headers.get(name) ?? null,
        first: async () => (await next()) ?? "",
        async text() {
          let text = "";
          for (let part = await next(); part !== null; part = await next()) text += part;
          return text;
        },
      };
    },
    socket(url, protocols) {
      const socket = new device.WebSocket(url, [...protocols]);
      const heard: (string | Uint8Array)[] = [];
      let isOpen = false;
      let over: HeardSocket["over"] = null;
      socket.onopen = () => {
        isOpen = true;
      };
      socket.onmessage = ({ data }) => void heard.push(data as string | Uint8Array);
      socket.onclose = ({ code, reason }) => {
        isOpen = false;
        over = { code, reason };
      };
      return {
        heard,
        get isOpen() {
          return isOpen;
        },
        get protocol() {
          return socket.protocol;
        },
        get over() {
          return over;
        },
        send: (data) => socket.send(data),
        close: (code, reason) => socket.close(code, reason),
        terminate: () => socket.terminate?.(),
      };
    },
    readAll: (reads) => device.read(reads ? Number.POSITIVE_INFINITY : 0),
    async until(what, isSo) {
      if (!(await scheduler.until(isSo, scheduler.now + LONG_MS))) throw new Error(`never: ${what}`);
    },
    async settle(promise) {
      let settled = false;
      const done = (): void => {
        settled = true;
      };
      promise.then(done, done);
      if (!(await scheduler.until(() => settled, scheduler.now + LONG_MS))) throw new Error("it never settles");
      return promise;
    },
  };
}
