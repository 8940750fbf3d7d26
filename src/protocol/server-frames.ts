/** Frames that a node sends, as schemas. See `replies.ts` for what their bodies hold. */
import { ERRORS } from "./errors.js";
import { OP } from "./frames.js";
import { Count, Id, Millis, Strict, type TSchema, Type } from "./schemas.js";

const Number53 = Count(Number.MAX_SAFE_INTEGER);
const Channel = Type.String({ minLength: 1, maxLength: 130 });
const ErrorCodeName = Type.Enum(Object.keys(ERRORS));
/** Whatever JSON can say. */
const AnyJson = Type.Unknown();
const AnyObject = Type.Object({}, { additionalProperties: true });

export const LimitsReply = Strict({ maxFrameBytes: Number53, maxSubscriptions: Number53, commandsPerMinute: Number53 });

/** The shapes of each frame from a node; ERR has a short and a long form. */
export const SERVER_FRAME_SCHEMAS: Readonly<Record<number, readonly TSchema[]>> = {
  [OP.welcome]: [
    Type.Tuple([Type.Literal(OP.welcome), Id, Millis, Number53, Type.Number({ minimum: 0 }), LimitsReply]),
  ],
  [OP.reply]: [Type.Tuple([Type.Literal(OP.reply), Number53, AnyJson])],
  [OP.err]: [
    Type.Tuple([Type.Literal(OP.err), Number53, ErrorCodeName, Type.Boolean(), Number53]),
    Type.Tuple([Type.Literal(OP.err), Number53, ErrorCodeName, Type.Boolean(), Number53, AnyObject]),
  ],
  [OP.event]: [Type.Tuple([Type.Literal(OP.event), Channel, Number53, Type.String(), Millis, AnyJson])],
  [OP.state]: [
    Type.Tuple([
      Type.Literal(OP.state),
      Channel,
      Type.String(),
      Type.Tuple([Number53, Number53]),
      Millis,
      Type.Number({ minimum: 0 }),
      AnyJson,
    ]),
  ],
  [OP.subbed]: [Type.Tuple([Type.Literal(OP.subbed), Channel, Number53, Number53, Type.Boolean()])],
  [OP.ping]: [Type.Tuple([Type.Literal(OP.ping), Type.Number()])],
  [OP.gpsAck]: [Type.Tuple([Type.Literal(OP.gpsAck), Id, Number53])],
  [OP.goaway]: [Type.Tuple([Type.Literal(OP.goaway), Number53, Number53, Number53])],
  [OP.tokenExpiring]: [Type.Tuple([Type.Literal(OP.tokenExpiring), Type.Number({ minimum: 0 })])],
};
