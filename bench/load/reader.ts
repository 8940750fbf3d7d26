/**
 * A process of readers: requests at fixed times over keep-alive connections, one at a time on each. A request that finds
 * no free connection waits for one, and its wait counts (open loop). Started by `readers.ts`.
 */
import { connect, type Socket } from "node:net";
import { type Cancel, systemClock } from "../../src/lib/clock.js";
import type { Address } from "../harness/program-messages.js";
import { encoded, newHistogram, quantiles, record } from "../lib/histogram.js";
import type { FromReader, ReadPlan, ToReader } from "./reader-messages.js";

const clock = systemClock();
const say = (message: FromReader): void => void process.send?.(message);
const TICK_MS = 2;
const GIVE_UP_MS = 5_000;
const END_OF_HEAD = Buffer.from("\r\n\r\n");
const LENGTH = Buffer.from("Content-Length: ");
const OK = Buffer.from("HTTP/1.1 200");
/** What all lines of this process are read into, one after the other. */
const READ_INTO = Buffer.allocUnsafeSlow(65_536);

interface Line {
  readonly socket: Socket;
  held: Buffer | null;
  /** When the request on it was due; NaN when it is free. */
  dueAt: number;
}

let plan: ReadPlan | null = null;
let requests: readonly Buffer[] = [];
let cursor = 0;
let lines: Line[] = [];
let free: Line[] = [];
let waiting: number[] = [];
let waitingFrom = 0;
let latency = newHistogram();
let lag = newHistogram();
let asked = 0;
let answered = 0;
let refused = 0;
/** Until then a line that was answered asks again at once; 0: when it is due. */
let againUntil = 0;

function ask(line: Line, dueAt: number): void {
  line.dueAt = dueAt;
  asked++;
  line.socket.write(requests[cursor++ % requests.length]!);
}

/** The length of the first answer in `bytes`, or 0 while it is not whole. */
function answerLength(bytes: Buffer): number {
  const headEnd = bytes.indexOf(END_OF_HEAD);
  if (headEnd < 0) return 0;
  const at = bytes.indexOf(LENGTH);
  let length = 0;
  if (at >= 0 && at < headEnd)
    for (let i = at + LENGTH.length; bytes[i]! >= 48 && bytes[i]! <= 57; i++) length = length * 10 + bytes[i]! - 48;
  const whole = headEnd + END_OF_HEAD.length + length;
  return bytes.length >= whole ? whole : 0;
}

/** `chunk` is overwritten by the next read, whatever line that is of. */
function heard(line: Line, chunk: Buffer): void {
  const bytes = line.held === null ? chunk : Buffer.concat([line.held, chunk]);
  const length = answerLength(bytes);
  if (length === 0 || Number.isNaN(line.dueAt)) {
    line.held = Buffer.from(bytes);
    return;
  }
  line.held = null;
  answered++;
  if (bytes.compare(OK, 0, OK.length, 0, OK.length) !== 0) refused++;
  const now = clock.monotonic();
  record(latency, now - line.dueAt);
  const dueAt = waiting[waitingFrom];
  if (now < againUntil) ask(line, now);
  else if (dueAt !== undefined) {
    waitingFrom++;
    ask(line, dueAt);
  } else {
    line.dueAt = Number.NaN;
    free.push(line);
  }
}

function open({ host, port }: Address, pathPrefix: string): void {
  const { connections, headers = "", localAddresses } = plan!;
  requests = plan!.requests.map(({ path, token }) => {
    const who = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
    return Buffer.from(`GET ${pathPrefix}${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n${who}${headers}\r\n`);
  });
  lines = [];
  free = [];
  for (let i = 0; i < connections; i++) {
    const socket = connect({
      host,
      port,
      noDelay: true,
      ...(localAddresses === undefined ? {} : { localAddress: localAddresses[i % localAddresses.length]! }),
      onread: {
        buffer: READ_INTO,
        callback(count, buffer) {
          heard(line, (buffer as Buffer).subarray(0, count));
          return true;
        },
      },
    });
    const line: Line = { socket, held: null, dueAt: Number.NaN };
    lines.push(line);
    socket.on("connect", () => {
      free.push(line);
      if (free.length === connections) say({ t: "opened" });
    });
    socket.on("error", () => undefined);
    // A line that ends is missed: its request stays unanswered.
    socket.on("close", () => {
      free = free.filter((each) => each !== line);
    });
  }
}

function go(perSecond: number | null, seconds: number): void {
  [latency, lag] = [newHistogram(), newHistogram()];
  [asked, answered, refused] = [0, 0, 0];
  waiting = [];
  waitingFrom = 0;
  const start = clock.monotonic();
  againUntil = perSecond === null ? start + seconds * 1000 : 0;
  const count = Math.round((perSecond ?? 0) * seconds);
  const spacing = 1000 / (perSecond ?? 1);
  let next = 0;
  if (perSecond === null) for (const line of free.splice(0)) ask(line, start);
  const pump: Cancel = clock.every(TICK_MS, () => {
    const now = clock.monotonic();
    for (; next < count; next++) {
      const dueAt = start + next * spacing;
      if (dueAt > now) break;
      record(lag, now - dueAt);
      const line = free.pop();
      if (line === undefined) waiting.push(dueAt);
      else ask(line, dueAt);
    }
    const isAnswered = now >= againUntil && next >= count && answered >= Math.max(count, asked);
    if (!isAnswered && now < start + seconds * 1000 + GIVE_UP_MS) return;
    pump();
    for (const { socket } of lines) socket.destroy();
    say({
      t: "done",
      figures: {
        latencyMs: quantiles(latency),
        latency: encoded(latency),
        lag: encoded(lag),
        answered,
        refused,
        unanswered: Math.max(count, asked) - answered,
      },
    });
  });
}

process.on("message", (message: ToReader) => {
  switch (message.t) {
    case "plan":
      plan = message.plan;
      cursor = plan.offset;
      return;
    case "open":
      open(message.address, message.pathPrefix);
      return;
    case "go":
      go(message.perSecond, message.seconds);
      return;
  }
});
process.on("disconnect", () => process.exit(0));
say({ t: "ready" });
