/** Processes of readers, and what they read: documents of a node, fetched once so that others can answer the same bytes. */
import { type ChildProcess, fork } from "node:child_process";
import { Agent, get, type IncomingHttpHeaders } from "node:http";
import { fileURLToPath } from "node:url";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { ofThisScenario } from "../harness/children.js";
import type { Address } from "../harness/program-messages.js";
import { joined } from "../lib/histogram.js";
import type { FromReader, ReadPlan, RoundFigures, ToReader } from "./reader-messages.js";

const SCRIPT = fileURLToPath(new URL("./reader.js", import.meta.url));
const LAST_BYTES = 250;
const READ_AT_ONCE = 32;
/** So many addresses read in turn: few enough that their connections are kept, many enough that none asks too often. */
const READ_FROM = 256;
/** A node that has just started, on a machine that is busy, says now and then that it will know soon. */
const MAX_ATTEMPTS = 100;
const AGAIN_MS = 200;
/** What the server writes by itself. */
const WRITTEN_ALONE = new Set([
  "content-length",
  "date",
  "connection",
  "keep-alive",
  "transfer-encoding",
  "uwebsockets",
]);

/** A loopback address of its own for each client, as clients have: limits count by address. */
export const addressFor = (client: number): string =>
  `127.0.${1 + (Math.floor(client / LAST_BYTES) % LAST_BYTES)}.${1 + (client % LAST_BYTES)}`;

export interface Readers {
  /** Connects; what comes next is asked of this address. */
  open(address: Address, pathPrefix?: string): Promise<void>;
  /** Asks for so long and so often (null: as often as it is answered), all processes together; closes the connections. */
  read(perSecond: number | null, seconds: number): Promise<Omit<RoundFigures, "latencyMs">>;
  stop(): void;
}

/** `plan.connections` are those of all processes together. */
export async function startReaders(plan: Omit<ReadPlan, "offset">, processes: number): Promise<Readers> {
  const children: ChildProcess[] = [];
  const each = Math.ceil(plan.connections / processes);
  for (let i = 0; i < processes; i++) {
    const child = ofThisScenario(fork(SCRIPT, [], { serialization: "advanced" }));
    children.push(child);
    await heard(child, "ready");
    const offset = Math.floor((i * plan.requests.length) / processes);
    const localAddresses = plan.localAddresses?.slice(i * each, (i + 1) * each);
    child.send({
      t: "plan",
      plan: { ...plan, connections: each, offset, ...(localAddresses === undefined ? {} : { localAddresses }) },
    } satisfies ToReader);
  }
  const all = async (say: ToReader, answer: FromReader["t"]): Promise<readonly FromReader[]> => {
    const answers = children.map((child) => heard(child, answer));
    for (const child of children) child.send(say);
    return Promise.all(answers);
  };
  return {
    async open(address, pathPrefix = "") {
      await all({ t: "open", address, pathPrefix }, "opened");
    },
    async read(perSecond, seconds) {
      const each = perSecond === null ? null : perSecond / children.length;
      const done = await all({ t: "go", perSecond: each, seconds }, "done");
      const figures = done.flatMap((message) => (message.t === "done" ? [message.figures] : []));
      const sum = (of: (each: RoundFigures) => number): number => figures.reduce((total, one) => total + of(one), 0);
      return {
        latency: joined(figures.map(({ latency }) => latency)),
        lag: joined(figures.map(({ lag }) => lag)),
        answered: sum(({ answered }) => answered),
        refused: sum(({ refused }) => refused),
        unanswered: sum(({ unanswered }) => unanswered),
      };
    },
    stop() {
      for (const child of children) if (child.connected) child.disconnect();
    },
  };
}

function heard(child: ChildProcess, t: FromReader["t"]): Promise<FromReader> {
  return new Promise((resolve, reject) => {
    const listen = (message: FromReader): void => {
      if (message.t !== t) return;
      child.off("message", listen);
      child.off("exit", ended);
      resolve(message);
    };
    const ended = (): void => reject(new Error("A reader ended before its time."));
    child.on("message", listen);
    child.once("exit", ended);
  });
}

export interface Document {
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** Every path once, from many addresses. Rejects when one is refused for good, or again and again for now. */
export async function readDocuments(
  url: string,
  requests: ReadPlan["requests"],
  headers: Readonly<Record<string, string>>,
): Promise<Document[]> {
  const documents: Document[] = [];
  const agent = new Agent({ keepAlive: true });
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < requests.length; i = next++)
      documents[i] = await readOne(agent, url, requests[i]!, headers, i % READ_FROM);
  };
  try {
    await Promise.all(Array.from({ length: READ_AT_ONCE }, lane));
  } finally {
    agent.destroy();
  }
  return documents;
}

type Read = { readonly document: Document } | { readonly refusal: string; readonly temporary: boolean };

async function readOne(...asked: Parameters<typeof ask>): Promise<Document> {
  for (let attempt = 1; ; attempt++) {
    const read = await ask(...asked);
    if ("document" in read) return read.document;
    if (!read.temporary || attempt === MAX_ATTEMPTS) throw new Error(`${asked[2].path} answered ${read.refusal}`);
    await sleep(systemClock(), AGAIN_MS);
  }
}

function ask(
  agent: Agent,
  url: string,
  { path, token }: ReadPlan["requests"][number],
  headers: Readonly<Record<string, string>>,
  client: number,
): Promise<Read> {
  const more = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const options = { agent, localAddress: addressFor(client), headers: { ...headers, ...more } };
  return new Promise((resolve) => {
    get(url + path, options, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (chunk: Buffer) => parts.push(chunk));
      response.on("end", () => {
        const body = Buffer.concat(parts);
        if (response.statusMessage === "OK") {
          resolve({ document: { path, headers: kept(response.headers), body } });
          return;
        }
        const text = body.toString();
        resolve({ refusal: `${response.statusMessage}: ${text}`, temporary: text.includes('"temporary":true') });
      });
      // A kept connection may end just as it is used again.
    }).on("error", (cause) => resolve({ refusal: String(cause), temporary: true }));
  });
}

const kept = (headers: IncomingHttpHeaders): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || WRITTEN_ALONE.has(name) ? [] : [[name, String(value)] satisfies [string, string]],
  );
