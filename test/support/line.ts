/**
 * The network between one device and a node, as a proxy that a test can cut, hold, or make like the networks of offices
 * and hotels: no upgrade to a socket, streams held back.
 *
 * Invariants: while it is cut or silent nothing passes in either direction, also on connections that were open before;
 * a silent line goes on where it was, a cut one has lost its connections; a deaf one no longer brings answers to the
 * sockets that were open before.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";

export type LineMode = "open" | "cut" | "silent" | "deaf";

interface Pair {
  readonly client: Duplex;
  readonly node: Duplex;
}

/** So many requests are remembered. */
const MOST_SEEN = 10_000;

export class Line {
  /** False: a request to upgrade is refused, as many proxies do. */
  upgrades = true;
  /** False: server-sent events never come through. */
  streams = true;
  /** What is asked for at a path like this breaks off. */
  losing: RegExp | null = null;
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Duplex>();
  readonly #pairs = new Set<Pair>();
  readonly #seen: string[] = [];
  readonly #own = new Map<string, string>();
  #mode: LineMode = "open";
  #waiting: (() => void)[] = [];

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((incoming, answer) => void this.#pass(incoming, answer));
    this.#server.on("connection", (socket) => {
      if (this.#mode === "cut") {
        socket.destroy();
        return;
      }
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("upgrade", (incoming: IncomingMessage, client: Duplex, head: Buffer) =>
      this.#upgrade(incoming, client, head),
    );
  }

  static async to(url: string): Promise<Line> {
    const line = new Line(new URL(url));
    await new Promise<void>((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Paths asked for so far, with `upgrade ` before those that wanted to be sockets. */
  get seen(): readonly string[] {
    return this.#seen;
  }

  /** A page of the test's own beside those of the node. */
  serve(path: string, html: string): void {
    this.#own.set(path, html);
  }

  set(mode: LineMode): void {
    this.#mode = mode;
    if (mode === "cut") for (const socket of this.#sockets) socket.destroy();
    for (const { client, node } of this.#pairs) {
      if (mode === "silent") {
        for (const end of [client, node]) end.unpipe().pause();
      } else if (mode === "deaf") {
        node.unpipe().pause();
      } else if (mode === "open") {
        client.pipe(node);
        node.pipe(client);
      }
    }
    if (mode === "silent") return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #remember(path: string): void {
    if (this.#seen.length < MOST_SEEN) this.#seen.push(path);
  }

  async #pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    this.#remember(incoming.url ?? "");
    if (this.#mode === "silent") await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.losing?.test(incoming.url ?? "") === true) {
      incoming.socket.destroy();
      return;
    }
    const own = this.#own.get(incoming.url ?? "");
    if (own !== undefined) {
      answer.setHeader("content-type", "text/html; charset=utf-8");
      answer.end(own);
      return;
    }
    const { hostname, port } = this.#target;
    const { method, url: path, headers } = incoming;
    const onward = request({ hostname, port, method, path, headers, agent: false }, (reply) => {
      if (!this.streams && reply.headers["content-type"]?.startsWith("text/event-stream") === true) {
        // Kept until it is whole, which it never is.
        reply.resume();
        return;
      }
      answer.writeHead(reply.statusCode ?? 502, reply.rawHeaders);
      // The device is not told how little came of what it waits for.
      answer.flushHeaders();
      reply.pipe(answer);
      reply.on("error", () => answer.destroy());
    });
    onward.on("error", () => answer.destroy());
    answer.on("close", () => onward.destroy());
    incoming.pipe(onward);
  }

  #upgrade(incoming: IncomingMessage, client: Duplex, head: Buffer): void {
    this.#remember(`upgrade ${incoming.url}`);
    if (!this.upgrades) {
      client.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const node = connect(Number(this.#target.port), this.#target.hostname);
    const pair: Pair = { client, node };
    this.#sockets.add(node);
    this.#pairs.add(pair);
    for (const [end, other] of [
      [client, node],
      [node, client],
    ] as const) {
      end.on("error", () => other.destroy());
      end.once("close", () => {
        this.#pairs.delete(pair);
        this.#sockets.delete(end);
        other.destroy();
      });
    }
    const headers = incoming.rawHeaders.map((part, index) => (index % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join("");
    node.write(`GET ${incoming.url} HTTP/1.1\r\n${headers}\r\n`);
    if (head.length > 0) node.write(head);
    if (this.#mode === "silent") return;
    client.pipe(node);
    node.pipe(client);
  }
}
