/** The peers of each scenario. */
import type { Peers, PositionsPeer } from "./ports.js";

const EXPRESS_PROGRAM = new URL("./express-socketio/program.js", import.meta.url);
const expressSocketIo = {
  name: "express + socket.io",
  what: "Express 5, Socket.IO 4 (WebSocket only, uncompressed, Redis adapter), pg with prepared statements, Redis",
  program: EXPRESS_PROGRAM,
};
const positions: readonly PositionsPeer[] = [
  { ...expressSocketIo, adapter: new URL("./express-socketio/positions.js", import.meta.url) },
  {
    name: "colyseus",
    what: "Colyseus 0.16: a room for each order, messages of numbered types, no synchronised state",
    program: new URL("./colyseus/program.js", import.meta.url),
    adapter: new URL("./colyseus/positions.js", import.meta.url),
  },
];

export const peers: Peers = {
  gps: positions,
  fanout: positions,
  connect: positions,
  orders: [{ ...expressSocketIo, adapter: new URL("./express-socketio/orders.js", import.meta.url) }],
  menu: [expressSocketIo],
  poll: [expressSocketIo],
  mailbox: [
    {
      name: "nact",
      what: "nact 7: counters and a sprayer in one thread; asks in the same thread",
      program: new URL("./actors/nact.js", import.meta.url),
      nodeOptions: ["--expose-gc"],
    },
    {
      name: "xstate",
      what: "XState 5: transition actors of one system in one thread, its production build; asks in the same thread",
      program: new URL("./actors/xstate.js", import.meta.url),
      nodeOptions: ["--expose-gc"],
    },
  ],
  storm: [
    {
      name: "socket.io recovery",
      what: "Socket.IO with connection state recovery; every event numbered and committed in PostgreSQL before it is said",
      program: new URL("./socketio-recovery/program.js", import.meta.url),
      adapter: new URL("./socketio-recovery/storm.js", import.meta.url),
    },
  ],
};
