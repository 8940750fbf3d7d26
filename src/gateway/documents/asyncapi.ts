/**
 * The WebSocket as an AsyncAPI 3 document, made from the tables that serve it: frames, commands, channels, close codes.
 * The application that it describes is the node: it receives what clients send.
 */
import type { Json, JsonObject } from "../../lib/json.js";
import {
  ACKNOWLEDGED_CHANNELS,
  CHANNEL_MESSAGES,
  CHANNELS,
  CLIENT_FRAME_SCHEMAS,
  CLOSE,
  COMMAND_REPLIES,
  COMMANDS,
  type CommandType,
  IdempotencyKey,
  MAX_BATCH,
  MAX_FRAME_BYTES,
  mayReconnect,
  OP,
  SERVER_FRAME_SCHEMAS,
  SUBPROTOCOL_JSON,
  SUBPROTOCOL_MSGPACK,
  type TSchema,
  Type,
} from "../../protocol/mod.js";
import { FRAME_ACCESS } from "../auth/access.js";
import type { GatewaySettings } from "../settings.js";
import { DocumentSchemas } from "./schemas.js";

type FrameName = Exclude<keyof typeof OP, "batch">;

/** One sentence for each frame. */
const FRAMES: Readonly<Record<FrameName, string>> = {
  hello: "First and once: who is there. The token never travels in an address.",
  sub: "Listen to a channel; with epoch and offset, from there on.",
  unsub: "Listen no longer.",
  cmd: "Do something. The same key gets the same answer.",
  ack: "Everything on a reliable channel up to this offset has arrived.",
  gps: "Positions of the driver: [deltaMs, lat, lng, accuracyMeters, speedMetersPerSecond, bearingDegrees], -1 for unknown.",
  refresh: "A new token of the same principal, before the old one ends.",
  pong: "The answer to PING.",
  welcome: "The answer to HELLO: connection, clock, how often to expect a sign of life, limits.",
  reply: "The answer to a request with this id.",
  err: "The refusal of a request with this id: code, whether to try again, after how many milliseconds.",
  event: "News on a reliable channel, numbered without holes.",
  state: "The newest value of one key of a channel: the greater version wins.",
  subbed: "The channel is open; if not recovered, a snapshot follows and replaces everything.",
  ping: "A sign of life is asked for.",
  gpsAck: "Every fix of this start of the app up to this number has arrived.",
  goaway: "Come back after a random time between the two.",
  tokenExpiring: "The token ends in so many milliseconds.",
};

const REF = (path: string): JsonObject => ({ $ref: `#/${path}` });
const isFromClient = (op: number): boolean => op < OP.welcome;

export function asyncApiDocument(settings: Pick<GatewaySettings, "version" | "socketPath">): JsonObject {
  const schemas = new DocumentSchemas("draft-07");
  const messages: Record<string, Json> = {};
  const operations: Record<string, Json> = {};
  const frames = Object.entries(OP).filter(([name]) => name !== "batch") as [FrameName, number][];
  for (const [name, op] of frames) {
    const shapes = (isFromClient(op) ? CLIENT_FRAME_SCHEMAS[op] : SERVER_FRAME_SCHEMAS[op]) ?? [];
    messages[name] = {
      name,
      title: `${op} ${name}`,
      summary: FRAMES[name],
      payload: shapes.length === 1 ? schemas.of(shapes[0]!) : { anyOf: shapes.map((each) => schemas.of(each)) },
      ...(FRAME_ACCESS[op] === undefined ? {} : { "x-roles": FRAME_ACCESS[op] }),
    } as JsonObject;
    operations[name] = {
      action: isFromClient(op) ? "receive" : "send",
      channel: REF("channels/socket"),
      summary: FRAMES[name],
      messages: [REF(`channels/socket/messages/${name}`)],
      ...(isRequest(op) ? { reply: repliesIn("socket") } : {}),
    } as JsonObject;
  }
  const channels: Record<string, Json> = {
    socket: {
      address: settings.socketPath,
      title: "The socket",
      description:
        `Frames are arrays whose first element says which. Subprotocol \`${SUBPROTOCOL_MSGPACK}\` writes them as ` +
        `MessagePack, \`${SUBPROTOCOL_JSON}\` as JSON. \`[0, frame, …]\` is a batch of at most ${MAX_BATCH}; a message ` +
        `is at most ${MAX_FRAME_BYTES} bytes.`,
      messages: Object.fromEntries(frames.map(([name]) => [name, REF(`components/messages/${name}`)])),
      bindings: { ws: { method: "GET", bindingVersion: "0.1.0" } },
      "x-close-codes": Object.entries(CLOSE).map(([name, code]) => ({ code, name, reconnect: mayReconnect(code) })),
    },
    commands: commandChannel(settings.socketPath, messages, operations, schemas),
  };
  for (const family of Object.keys(CHANNELS) as (keyof typeof CHANNELS)[]) {
    channels[family] = newsChannel(family, messages, operations, schemas);
  }
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Swift Eats: the socket",
      version: settings.version,
      license: { name: "MIT" },
      description: "Commands and live news over one WebSocket. The same commands go by HTTP: see `/openapi.json`.",
    },
    defaultContentType: "application/json",
    servers: {
      node: { host: "{host}", protocol: "ws", variables: { host: { description: "Where the node listens." } } },
    },
    channels,
    operations,
    components: { messages, schemas: schemas.components() },
  } as JsonObject;
}

function isRequest(op: number): boolean {
  return op === OP.sub || op === OP.unsub || op === OP.cmd || op === OP.refresh;
}

function repliesIn(channel: string): JsonObject {
  return {
    channel: REF(`channels/${channel}`),
    messages: [REF(`channels/${channel}/messages/reply`), REF(`channels/${channel}/messages/err`)],
  };
}

/** CMD once more, command by command: what its body and its REPLY hold. */
function commandChannel(
  address: string,
  messages: Record<string, Json>,
  operations: Record<string, Json>,
  schemas: DocumentSchemas,
): JsonObject {
  const { cmd, reply } = { cmd: Type.Literal(OP.cmd), reply: Type.Literal(OP.reply) };
  const requestId = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
  const own: Record<string, Json> = {};
  for (const type of Object.keys(COMMANDS) as CommandType[]) {
    const { summary, reply: body } = COMMAND_REPLIES[type];
    messages[type] = {
      name: type,
      title: `cmd ${type}`,
      summary,
      "x-roles": COMMANDS[type].roles,
      payload: schemas.of(
        Type.Tuple([cmd, requestId, IdempotencyKey, Type.Literal(type), COMMANDS[type].body as TSchema]),
      ),
    } as JsonObject;
    messages[`${type}.reply`] = {
      name: `${type}.reply`,
      title: `reply to ${type}`,
      payload: schemas.of(Type.Tuple([reply, requestId, body as TSchema])),
    } as JsonObject;
    own[type] = REF(`components/messages/${type}`);
    own[`${type}.reply`] = REF(`components/messages/${type}.reply`);
    operations[type] = {
      action: "receive",
      channel: REF("channels/commands"),
      summary,
      messages: [REF(`channels/commands/messages/${type}`)],
      reply: { channel: REF("channels/commands"), messages: [REF(`channels/commands/messages/${type}.reply`)] },
    };
  }
  return {
    address,
    title: "Commands",
    description: "CMD frames by the command's name, with their REPLY. A last element after the body is `notAfter`.",
    messages: own,
  } as JsonObject;
}

function newsOf(family: keyof typeof CHANNELS): string {
  if (CHANNELS[family].delivery === "latest") return "Only the newest of each key.";
  return ACKNOWLEDGED_CHANNELS.includes(family) ? "Numbered, acknowledged, repeated." : "Numbered, repeated.";
}

/** A key in angle brackets stands for many. */
const isLiteral = (key: string): boolean => !key.startsWith("<");

/** EVENT and STATE of one family of channels, as it is heard after SUB. */
function newsChannel(
  family: keyof typeof CHANNELS,
  messages: Record<string, Json>,
  operations: Record<string, Json>,
  schemas: DocumentSchemas,
): JsonObject {
  const { delivery, roles } = CHANNELS[family];
  const { events, states } = CHANNEL_MESSAGES[family];
  const number = Type.Number();
  const own: Record<string, Json> = {};
  const add = (name: string, title: string, payload: TSchema): void => {
    const key = `${family}.${name}`;
    messages[key] = { name: key, title, payload: schemas.of(payload) } as JsonObject;
    own[key] = REF(`components/messages/${key}`);
  };
  for (const [key, body] of Object.entries(states) as [string, TSchema][]) {
    const version = Type.Tuple([number, number]);
    const tuple = [
      Type.Literal(OP.state),
      Type.String(),
      isLiteral(key) ? Type.Literal(key) : Type.String(),
      version,
      number,
      number,
      body,
    ];
    add(key, `state ${key}`, Type.Tuple(tuple));
  }
  for (const [type, body] of Object.entries(events) as [string, TSchema][]) {
    const tuple = [Type.Literal(OP.event), Type.String(), number, Type.Literal(type), number, body];
    add(type, `event ${type}`, Type.Tuple(tuple));
  }
  operations[`${family}.news`] = {
    action: "send",
    channel: REF(`channels/${family}`),
    summary: newsOf(family),
    messages: Object.keys(own).map((key) => REF(`channels/${family}/messages/${key}`)),
  } as JsonObject;
  return {
    address: `${family}:{id}`,
    title: `Channel ${family}`,
    description:
      delivery === "reliable"
        ? "Reliable: after a SUB with epoch and offset come the events since then, or a snapshot."
        : "Latest wins: a slow reader gets the newest value of each key, not all of them.",
    parameters: { id: { description: `Whose channel it is, as in SUB's \`${family}:<id>\`.` } },
    messages: own,
    "x-roles": roles,
    "x-delivery": delivery,
  } as JsonObject;
}
