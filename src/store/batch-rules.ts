/**
 * What every store demands of a flush before it touches a row, so that the memory twin and Postgres refuse the same
 * things in the same words. Owns the judgement of a batch's shape; does not own anything that needs stored data.
 */
import type { ActorWrite, FlushBatch } from "../actors/runtime/ports.js";

/** Longest text, in UTF-8 bytes, that may take part in a unique key: a B-tree entry of Postgres holds 2,700 bytes. */
export const MAX_KEY_BYTES = 1_000;

/** An index query never returns more rows than this. */
export const MAX_INDEX_ROWS = 1_000;

/** A load returns at most this many remembered commands of an actor. */
export const MAX_LOADED_COMMANDS = 256;

/** Fails the whole batch: the committer itself is at fault, and no row was written. */
export class BatchFault extends RangeError {
  override readonly name = "BatchFault";
}

export interface JudgedBatch {
  /** By position: why the actor's rows can never be stored, or null. */
  readonly defects: readonly (string | null)[];
  /** Shards of actors for which the batch carries no fence. Nothing unfenced is ever written. */
  readonly unfencedShards: readonly number[];
  /** True when one actor claims what another actor of the same batch releases: their order then matters. */
  readonly claimsMeetReleases: boolean;
}

/** Judges the shape of a batch. Throws `BatchFault` for unordered fences or an actor that appears twice. */
export function judgeBatch(batch: FlushBatch): JudgedBatch {
  const fenced = new Set<number>();
  let previous = -1;
  for (const { shard, epoch } of batch.fences) {
    if (!Number.isSafeInteger(shard) || !Number.isSafeInteger(epoch)) {
      throw new BatchFault(`A fence must be integers, not shard ${shard}, epoch ${epoch}.`);
    }
    if (shard <= previous) throw new BatchFault(`Fences must ascend by shard: ${shard} follows ${previous}.`);
    previous = shard;
    fenced.add(shard);
  }
  const seen = new Set<string>();
  const unfenced = new Set<number>();
  const released = new Map<string, number>();
  let claims = false;
  const defects = batch.actors.map((write, index) => {
    const address = `${write.kind}/${write.key}`;
    if (seen.has(address)) throw new BatchFault(`The actor ${address} appears twice in one batch.`);
    seen.add(address);
    if (!fenced.has(write.shard)) unfenced.add(write.shard);
    if (write.claims.length > 0) claims = true;
    for (const { claim, value } of write.releases) released.set(`${claim}\0${value}`, index);
    return defectOf(write);
  });
  const claimsMeetReleases =
    claims &&
    released.size > 0 &&
    batch.actors.some((write, index) =>
      write.claims.some(({ claim, value }) => {
        const releaser = released.get(`${claim}\0${value}`);
        return releaser !== undefined && releaser !== index;
      }),
    );
  return { defects, unfencedShards: [...unfenced].sort((a, b) => a - b), claimsMeetReleases };
}

/** Why the rows of this actor can never be stored; null when they can. */
export function defectOf(write: ActorWrite): string | null {
  if (!isCount(write.expectedSeq, 0)) return `expectedSeq ${write.expectedSeq} is not a count`;
  if (!isCount(write.seq, write.expectedSeq + 1)) return `seq ${write.seq} does not rise above ${write.expectedSeq}`;
  if (!isCount(write.version, 0)) return `version ${write.version} is not a count`;
  return (
    keyDefect("kind", write.kind) ??
    keyDefect("key", write.key) ??
    listDefect(
      "command",
      write.commands,
      (row) => row.id,
      (row) => keyDefect("command id", row.id) ?? textDefect("body hash", row.bodyHash),
    ) ??
    listDefect(
      "tell",
      write.tells,
      (row) => String(row.number),
      (row) =>
        countDefect("tell number", row.number) ??
        keyDefect("receiver kind", row.to.kind) ??
        keyDefect("receiver key", row.to.key) ??
        textDefect("tell name", row.name),
    ) ??
    listDefect(
      "timer",
      write.timersSet,
      (row) => row.name,
      (row) => keyDefect("timer name", row.name) ?? timeDefect("timer", row.at) ?? textDefect("timer command", row.run),
    ) ??
    listDefect(
      "cancelled timer",
      write.timersCancelled,
      (name) => name,
      (name) => keyDefect("timer name", name),
    ) ??
    listDefect(
      "event",
      write.events,
      (row) => String(row.offset),
      (row) =>
        countDefect("event offset", row.offset) ?? textDefect("event type", row.type) ?? timeDefect("event", row.at),
    ) ??
    listDefect(
      "push",
      write.pushes,
      (row) => `${row.offset} ${row.channel}`,
      (row) =>
        keyDefect("channel", row.channel) ??
        countDefect("channel offset", row.offset) ??
        textDefect("push type", row.type) ??
        timeDefect("push", row.at),
    ) ??
    listDefect(
      "trim",
      write.trims,
      (row) => row.channel,
      (row) =>
        keyDefect("channel", row.channel) ??
        (isCount(row.offset, 0) ? null : `trim offset ${row.offset} is not a count`),
    ) ??
    listDefect("claim", write.claims, claimText, claimDefect) ??
    listDefect("release", write.releases, claimText, claimDefect) ??
    indexDefect(write.index)
  );
}

const claimText = (row: { claim: string; value: string }): string => `${row.claim}\0${row.value}`;

const claimDefect = (row: { claim: string; value: string }): string | null =>
  keyDefect("claim", row.claim) ?? keyDefect("claimed value", row.value);

function indexDefect(entry: ActorWrite["index"]): string | null {
  if (entry === undefined || entry === null) return null;
  return (
    keyDefect("index scope", entry.scope) ??
    keyDefect("index owner", entry.owner) ??
    keyDefect("index counterparty", entry.counterparty) ??
    textDefect("index status", entry.status) ??
    timeDefect("index entry", entry.at)
  );
}

function listDefect<T>(
  what: string,
  rows: readonly T[],
  identity: (row: T) => string,
  defect: (row: T) => string | null,
): string | null {
  for (const row of rows) {
    const found = defect(row);
    if (found !== null) return found;
  }
  if (rows.length > 1 && new Set(rows.map(identity)).size !== rows.length) return `a ${what} appears twice`;
  return null;
}

const isCount = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;

const countDefect = (what: string, value: number): string | null =>
  isCount(value, 1) ? null : `${what} ${value} is not a whole number from 1`;

const timeDefect = (what: string, at: number): string | null =>
  Number.isFinite(at) ? null : `the time of a ${what} is ${at}`;

function keyDefect(what: string, text: string): string | null {
  if (text.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(text) > MAX_KEY_BYTES) {
    return `${what} is longer than ${MAX_KEY_BYTES} bytes`;
  }
  return textDefect(what, text);
}

/** NUL, or any surrogate: the second look tells a lone one from an honest pair. */
const SUSPECT = /[\0\ud800-\udfff]/;
const UNSTORABLE = /[\0\ud800-\udfff]/u;

function textDefect(what: string, text: string): string | null {
  if (typeof text !== "string") return `${what} is not a text`;
  return !isStorable(text) ? `${what} holds a character that cannot be stored` : null;
}

/** Whether a store can hold this text at all. What it cannot hold it cannot find either. */
export const isStorable = (text: string): boolean => !(SUSPECT.test(text) && UNSTORABLE.test(text));

/** The text with what no store can hold replaced, for notes to a person. */
export const storableText = (text: string): string => Buffer.from(text).toString().replaceAll("\0", "\uFFFD");
