/**
 * The server side of one life of a node: what its gateway is built on in place of the native server.
 *
 * Owns: routes, accepting lines, starting exchanges and sockets. Invariants: nothing of it runs while its process is paused
 * or after it has died; a process that died leaves its lines to its machine: either they are reset, or they stay silent
 * until the machine is back.
 */
import type { NativeApp, NativeHandler, NativeSocketBehavior } from "../../../src/gateway/mod.js";
import type { ProcessView } from "../ports.js";
import type { Line } from "./line.js";
import { type RequestHead, VirtualRequest } from "./request.js";
import { type AnswerEnd, VirtualResponse } from "./response.js";
import { Routes } from "./routes.js";
import { ServerSocket, type SocketEnd } from "./server-socket.js";

/** What the client does with an accepted upgrade. */
export interface UpgradeEnd extends AnswerEnd, SocketEnd {
  switched(protocol: string): void;
}

export interface AskedSocket {
  receive(data: Uint8Array | string): void;
  receiveClose(code: number | null, reason: string): void;
}

export class Listener implements NativeApp {
  readonly process: ProcessView;
  readonly #routes = new Routes<NativeHandler>();
  readonly #sockets = new Routes<NativeSocketBehavior<unknown>>();
  readonly #lines = new Set<Line>();
  /** Cut when the app closes. */
  readonly #open = new Map<Line, { hangUp(): void }>();
  #state: "listening" | "closed" | "crashed" = "listening";
  #machineAnswers = true;
  readonly #waits: (device: string, bytes: number, message: number) => void;
  readonly #told: (device: string, way: "up" | "down", bytes: number, message: Uint8Array | string) => void;

  constructor(
    process: ProcessView,
    told: (device: string, way: "up" | "down", bytes: number, message: Uint8Array | string) => void,
    waits: (device: string, bytes: number, message: number) => void,
  ) {
    this.process = process;
    this.#told = told;
    this.#waits = waits;
  }

  get state(): "listening" | "closed" | "crashed" {
    return this.#state;
  }

  /** False while the machine itself is down, after a crash of all of it. */
  get machineAnswers(): boolean {
    return this.#machineAnswers;
  }

  get openLines(): number {
    return this.#lines.size;
  }

  // What the gateway calls

  ws<UserData>(pattern: string, behavior: NativeSocketBehavior<UserData>): unknown {
    this.#sockets.add("get", pattern, behavior as NativeSocketBehavior<unknown>);
    return this;
  }

  get(pattern: string, handler: NativeHandler): unknown {
    return this.#on("get", pattern, handler);
  }

  head(pattern: string, handler: NativeHandler): unknown {
    return this.#on("head", pattern, handler);
  }

  post(pattern: string, handler: NativeHandler): unknown {
    return this.#on("post", pattern, handler);
  }

  put(pattern: string, handler: NativeHandler): unknown {
    return this.#on("put", pattern, handler);
  }

  del(pattern: string, handler: NativeHandler): unknown {
    return this.#on("delete", pattern, handler);
  }

  options(pattern: string, handler: NativeHandler): unknown {
    return this.#on("options", pattern, handler);
  }

  any(pattern: string, handler: NativeHandler): unknown {
    return this.#on("*", pattern, handler);
  }

  close(): unknown {
    if (this.#state !== "listening") return this;
    this.#state = "closed";
    for (const open of [...this.#open.values()]) open.hangUp();
    for (const line of [...this.#lines]) line.serverLeaves();
    return this;
  }

  // What the network calls

  accept(line: Line): void {
    this.#lines.add(line);
    line.onOver(() => {
      this.#lines.delete(line);
      this.#open.delete(line);
    });
    line.accept(this.process, () => this.#machineAnswers);
  }

  /** `machineAnswers`: the program died; otherwise the whole machine did, and is silent until `machineIsBack`. */
  crash(machineAnswers: boolean): void {
    this.#state = "crashed";
    this.#machineAnswers = machineAnswers;
    for (const line of [...this.#lines]) {
      line.server = null;
      line.onRoom = null;
      line.down.seal();
      if (machineAnswers) line.reset();
    }
  }

  machineIsBack(): void {
    this.#machineAnswers = true;
  }

  /** A request has come. Returns where its body goes. Runs in the process. */
  request(line: Line, head: RequestHead, answer: AnswerEnd): VirtualResponse {
    return this.#serve(line, head, new VirtualResponse(line, head, answer, null));
  }

  /** A client asks for a socket. Returns where its messages go; null when it was refused, which has been answered. */
  upgrade(line: Line, head: RequestHead, client: UpgradeEnd): AskedSocket | null {
    const found = this.#sockets.find("get", head.path);
    const opened: { socket: ServerSocket<unknown> | null } = { socket: null };
    const switchProtocols =
      found === null
        ? null
        : (userData: unknown, protocol: string): void => {
            line.down.send(SWITCH_BYTES, () => client.switched(protocol));
            const tell = (bytes: number, message: Uint8Array | string): void =>
              this.#told(line.traits.device, "down", bytes, message);
            const waits = (waiting: number, message: number): void => this.#waits(line.traits.device, waiting, message);
            opened.socket = new ServerSocket(line, found.handler, client, userData, tell, waits);
            this.#open.set(line, opened.socket);
          };
    const response = new VirtualResponse(line, head, client, switchProtocols);
    if (found === null || found.handler.upgrade === undefined) {
      this.#serve(line, head, response);
      return null;
    }
    this.#open.set(line, response);
    const request = new VirtualRequest(head, found.parameters);
    found.handler.upgrade(response, request, this);
    request.end();
    if (opened.socket === null) response.returned();
    return opened.socket;
  }

  #serve(line: Line, head: RequestHead, response: VirtualResponse): VirtualResponse {
    this.#open.set(line, response);
    const found = this.#routes.find(head.method.toLowerCase(), head.path);
    if (found === null) {
      response.hangUp();
      return response;
    }
    const request = new VirtualRequest(head, found.parameters);
    found.handler(response, request);
    request.end();
    response.returned();
    return response;
  }

  #on(method: string, pattern: string, handler: NativeHandler): unknown {
    this.#routes.add(method, pattern, handler);
    return this;
  }
}

const SWITCH_BYTES = 160;
