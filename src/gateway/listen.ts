/** Getting a port from the native server, alone or shared with other gateways. */
import * as uWS from "uWebSockets.js";

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

/** 0 picks a free port. Rejects when the port cannot be had. */
export async function listenOn(
  app: uWS.TemplatedApp,
  port: number,
  { share = false, host = "" }: ListenOptions,
): Promise<Listening> {
  if (!share) return open(app, host, port, ALONE);
  if (port !== 0) return open(app, host, port, SHARED);
  // The native side shares a port only when it is named: a free one is found first, then named.
  const found = await open(app, host, 0, ALONE);
  found.stop();
  return open(app, host, found.port, SHARED);
}

/** The package's types name an enum that it does not export at run time; this is what it does export. */
const ALONE = (uWS as unknown as { readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number }).LIBUS_LISTEN_EXCLUSIVE_PORT;
const SHARED = 0;

/** The address comes first where there is one; the package's types lack the form with both address and options. */
type NativeListen = (...words: readonly (string | number | ((socket: uWS.us_listen_socket | false) => void))[]) => void;

function open(app: uWS.TemplatedApp, host: string, port: number, options: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const done = (socket: uWS.us_listen_socket | false): void => {
      if (socket === false) {
        reject(new Error(`Port ${port} is in use: choose another with --port`));
        return;
      }
      resolve({
        port: uWS.us_socket_local_port(socket as unknown as uWS.us_socket),
        stop: () => uWS.us_listen_socket_close(socket),
      });
    };
    const listen = app.listen.bind(app) as unknown as NativeListen;
    if (host === "") listen(port, options, done);
    else listen(host, port, options, done);
  });
}
