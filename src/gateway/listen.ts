/** Getting a port from the native server, alone or shared with other gateways. */

import * as uWS from "uWebSockets.js";
import { type AddressInfo, createServer } from "node:net";

export interface ListenOptions {
  /** Several gateways may listen on the same port. Default false: a port in use is an error. */
  readonly share?: boolean;
  /** The address to listen on. Default: every address of the machine. */
  readonly host?: string;
}

export interface Listening {
  readonly port: number;
  stop(): void;
}

/**
 * 0 picks a free port. Rejects when the port cannot be had.
 *
 * The native server's own "alone" leaves out SO_REUSEADDR, and then the connections of a killed node keep its successor
 * from the port for a minute. So the port is asked for first, and then always taken in the way that may be shared.
 */
export async function listenOn(
  app: uWS.TemplatedApp,
  port: number,
  { share = false, host = "" }: ListenOptions,
): Promise<Listening> {
  return open(app, host, share && port !== 0 ? port : await freePort(host, port));
}

/** A port that nobody listens on: `wanted`, or any when that is 0. Rejects when somebody listens on the wanted one. */
export function freePort(host: string, wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (cause: NodeJS.ErrnoException) => {
      reject(cause.code === "EADDRINUSE" ? portInUse(wanted) : cause);
    });
    const bound = (): void => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    };
    if (host === "") probe.listen(wanted, bound);
    else probe.listen(wanted, host, bound);
  });
}

function portInUse(port: number): Error {
  return new Error(`Port ${port} is in use: choose another with --port`);
}

/** The native side's own name for it has no value at run time. */
const SHARED = 0;

/** The address comes first where there is one; the package's types lack the form with both address and options. */
type NativeListen = (...words: readonly (string | number | ((socket: uWS.us_listen_socket | false) => void))[]) => void;

function open(app: uWS.TemplatedApp, host: string, port: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const done = (socket: uWS.us_listen_socket | false): void => {
      if (socket === false) {
        reject(portInUse(port));
        return;
      }
      resolve({
        port: uWS.us_socket_local_port(socket as unknown as uWS.us_socket),
        stop: () => uWS.us_listen_socket_close(socket),
      });
    };
    const listen = app.listen.bind(app) as unknown as NativeListen;
    if (host === "") listen(port, SHARED, done);
    else listen(host, port, SHARED, done);
  });
}
