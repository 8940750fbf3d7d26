/**
 * Is it what the contract says? One compiled schema per frame op and per command body: strict, first problem only, no
 * unknown properties, every string and array bounded. It owns the schemas of client frames; bodies of commands are in
 * `commands.ts`. Schemas are compiled on first use, those that every trip needs by `compileValidators`, so that a page
 * which never validates pays nothing.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { COMMANDS, type CommandType } from "./commands.js";
import { type ClientFrame, MAX_BATCH, OP } from "./frames.js";
import { Fix, GpsBatch } from "./orders.js";
import { Id, Millis, TEXT_PATTERN, Text, type TSchema, Type } from "./schemas.js";

/** What is wrong with a request, for the client's developer: a JSON pointer and a sentence. */
export interface Problem {
  readonly path: string;
  readonly problem: string;
}

/** Request ids are the client's own, echoed back. */
const RequestId = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Token = Type.String({ minLength: 1, maxLength: 2048 });
const ChannelName = Type.String({ minLength: 1, maxLength: 130 });
/** Visible ASCII, so that it means the same in a header, a log and a hash. */
export const IdempotencyKey = Type.String({ pattern: "^[\\x21-\\x7e]{1,128}$", minLength: 1, maxLength: 128 });
const Literal = <T extends number>(op: T) => Type.Literal(op);
/** A command's body has its own schema: here it only has to be an object. */
const AnyBody = Type.Object({}, { additionalProperties: true });

/** The shapes of each client frame; SUB and CMD have a short and a long form. */
export const CLIENT_FRAME_SCHEMAS: Readonly<Record<number, readonly TSchema[]>> = {
  [OP.hello]: [Type.Tuple([Literal(OP.hello), Token, Id, Text(64)])],
  [OP.sub]: [
    Type.Tuple([Literal(OP.sub), RequestId, ChannelName]),
    Type.Tuple([Literal(OP.sub), RequestId, ChannelName, Offset, Offset]),
  ],
  [OP.unsub]: [Type.Tuple([Literal(OP.unsub), RequestId, ChannelName])],
  [OP.cmd]: [
    Type.Tuple([Literal(OP.cmd), RequestId, IdempotencyKey, Type.String({ minLength: 1, maxLength: 64 }), AnyBody]),
    Type.Tuple([
      Literal(OP.cmd),
      RequestId,
      IdempotencyKey,
      Type.String({ minLength: 1, maxLength: 64 }),
      AnyBody,
      Millis,
    ]),
  ],
  [OP.ack]: [Type.Tuple([Literal(OP.ack), ChannelName, Offset, Offset])],
  [OP.gps]: [
    Type.Tuple([
      Literal(OP.gps),
      Id,
      GpsBatch.properties.seq0,
      GpsBatch.properties.baseTs,
      Type.Array(Fix, { minItems: 1, maxItems: 60 }),
    ]),
  ],
  [OP.refresh]: [Type.Tuple([Literal(OP.refresh), RequestId, Token])],
  [OP.pong]: [Type.Tuple([Literal(OP.pong), Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })])],
};

let ajv: Ajv | null = null;
function compile(schema: TSchema): ValidateFunction {
  // The first problem ends the check, so that a bad frame costs no more than a good one.
  // That each schema is one, a test says (`contract.test.ts`), and not every start again.
  const options = { strict: true, allErrors: false, ownProperties: true, verbose: true };
  ajv ??= new Ajv({ ...options, meta: false, validateSchema: false });
  return ajv.compile(schema);
}

const frameValidators = new Map<TSchema, ValidateFunction>();
const bodyValidators = new Map<string, ValidateFunction>();

function validatorOf(schema: TSchema): ValidateFunction {
  let validator = frameValidators.get(schema);
  if (validator === undefined) {
    validator = compile(schema);
    frameValidators.set(schema, validator);
  }
  return validator;
}

const MAX_LISTED_LENGTH = 160;

/** One of several kinds of a value, as far as it tells which kind is meant. */
interface Kind {
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, { readonly const?: unknown }>>;
}

const oneOf = (allowed: readonly unknown[]): string => {
  const listed = allowed.map(String).join(", ");
  return `must be one of: ${listed.length > MAX_LISTED_LENGTH ? `${listed.slice(0, MAX_LISTED_LENGTH)} …` : listed}`;
};

/** The field that has another constant in each kind. */
function tagOf(kinds: readonly Kind[]): string | undefined {
  const [first = {}] = kinds;
  return Object.keys(first.properties ?? {}).find((name) =>
    kinds.every((kind) => kind.properties !== undefined && kind.properties[name]?.const !== undefined),
  );
}

/**
 * A value that may be of several kinds brings an error for each. Which kind was meant is told by its tag, and the error
 * of that one counts; a tag that none has, or one of several constants, is answered with those that would do.
 */
function tellingProblem(errors: readonly ErrorObject[], error: ErrorObject): Problem {
  if (error.keyword === "enum") {
    return { path: error.instancePath, problem: oneOf(error.schema as readonly unknown[]) };
  }
  if (error.keyword === "const") return { path: error.instancePath, problem: oneOf([error.schema]) };
  if (error.keyword === "pattern" && error.schema === TEXT_PATTERN) {
    return { path: error.instancePath, problem: "must hold neither a NUL nor half of a surrogate pair" };
  }
  if (error.keyword !== "anyOf") {
    const extra = error.params as { additionalProperty?: unknown; missingProperty?: unknown };
    const name = extra.additionalProperty ?? extra.missingProperty;
    if (typeof name !== "string") return { path: error.instancePath, problem: error.message ?? error.keyword };
    const problem = error.keyword === "required" ? "is missing" : "is no field of this";
    return { path: `${error.instancePath}/${name.slice(0, 64)}`, problem };
  }
  const kinds = error.schema as readonly Kind[];
  if (kinds.every((kind) => kind.const !== undefined)) {
    return { path: error.instancePath, problem: oneOf(kinds.map((kind) => kind.const)) };
  }
  const tag = tagOf(kinds);
  const value = error.data as Readonly<Record<string, unknown>> | null;
  const isTagged = tag !== undefined && typeof value === "object" && value !== null && Object.hasOwn(value, tag);
  const meant = isTagged ? kinds.findIndex((kind) => kind.properties?.[tag]?.const === value[tag]) : 0;
  if (isTagged && meant < 0) {
    return {
      path: `${error.instancePath}/${tag}`,
      problem: oneOf(kinds.map((kind) => kind.properties?.[tag]?.const)),
    };
  }
  const inner = errors.filter((each) => each.schemaPath.startsWith(`${error.schemaPath}/${meant}/`)).at(-1);
  return inner === undefined
    ? { path: error.instancePath, problem: error.message ?? error.keyword }
    : tellingProblem(errors, inner);
}

function problemOf(validator: ValidateFunction): Problem {
  const errors = validator.errors ?? [];
  const error = errors.at(-1);
  if (error === undefined) return { path: "", problem: "does not match its schema" };
  const { path, problem } = tellingProblem(errors, error);
  return { path: path.slice(0, 200), problem };
}

export type ValidFrame =
  | { readonly ok: true; readonly frame: ClientFrame }
  | { readonly ok: false; readonly problem: Problem; readonly requestId: number };

/** Checks one frame (not a batch) from a client. `requestId` of a bad frame is what it claimed, or 0. */
export function validateClientFrame(value: unknown): ValidFrame {
  if (!Array.isArray(value)) return bad("", "must be an array");
  const op: unknown = value[0];
  const schemas = typeof op === "number" ? CLIENT_FRAME_SCHEMAS[op] : undefined;
  if (schemas === undefined) return bad("/0", "is no op that a client may send");
  let schema = schemas[0]!;
  if (schemas.length > 1 && value.length > 3 + (op === OP.cmd ? 2 : 0)) schema = schemas[1]!;
  const validator = validatorOf(schema);
  if (validator(value)) return { ok: true, frame: value as unknown as ClientFrame };
  const claimed: unknown = op === OP.sub || op === OP.unsub || op === OP.cmd || op === OP.refresh ? value[1] : 0;
  return {
    ok: false,
    problem: problemOf(validator),
    requestId: Number.isSafeInteger(claimed) && (claimed as number) >= 0 ? (claimed as number) : 0,
  };
}

function bad(path: string, problem: string): ValidFrame {
  return { ok: false, problem: { path, problem }, requestId: 0 };
}

/** The frames of a message: one, or those of a batch. Null when it is neither, or a batch of none or too many. */
export function framesOf(value: unknown): readonly unknown[] | null {
  if (!Array.isArray(value)) return null;
  if (value[0] !== OP.batch) return [value];
  if (value.length < 2 || value.length > MAX_BATCH + 1) return null;
  return value.slice(1);
}

export function isCommandType(type: string): type is CommandType {
  return Object.hasOwn(COMMANDS, type);
}

/** Null when the body is what the command takes. */
export function validateCommandBody(type: CommandType, body: unknown): Problem | null {
  let validator = bodyValidators.get(type);
  if (validator === undefined) {
    validator = compile(COMMANDS[type].body);
    bodyValidators.set(type, validator);
  }
  return validator(body) ? null : problemOf(validator);
}

/** For bodies that are no command's: GPS by HTTP, token requests. */
export function validateSchema(schema: TSchema, value: unknown): Problem | null {
  const validator = validatorOf(schema);
  return validator(value) ? null : problemOf(validator);
}

/** Whose first sender should not wait. The others are larger and seldom, and every start would pay for them. */
const COMPILED_AT_START = /^(?:order|driver)\./;

/** Compiles now what every connection and every trip needs; the rest on first use. */
export function compileValidators(): void {
  for (const schemas of Object.values(CLIENT_FRAME_SCHEMAS)) for (const schema of schemas) validatorOf(schema);
  for (const type of Object.keys(COMMANDS)) {
    if (isCommandType(type) && COMPILED_AT_START.test(type)) validateCommandBody(type, null);
  }
  validatorOf(GpsBatch);
}
