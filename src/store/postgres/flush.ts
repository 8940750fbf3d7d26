/**
 * A flush as one call of `flush_actors_v1`, or of `flush_few_v1` where there is little to write. Owns the way of a batch
 * into parameters and of the answer into a `FlushResult`, and finding the one actor whose row no table takes. Does not
 * own the rules (`batch-rules.ts`, the SQL functions) nor the connection.
 */

import {
  type ActorWrite,
  type FlushBatch,
  type FlushResult,
  OutcomeUnknown,
  StoreUnavailable,
  type WriteFailure,
} from "../../actors/runtime/ports.js";
import { judgeBatch } from "../batch-rules.js";
import { type ArrayElement, ArrayWriter, RESULT_TYPES } from "./binary.js";
import { isConflict, isDataError, isLongWay } from "./connection.js";
import { FLUSH_V1_PARAMETERS, type FlushParameter } from "./flush-parameters.js";
import type pg from "./pg.js";

type FlushFunction = "flush_actors_v1" | "flush_few_v1";
const callOf = (name: FlushFunction): string =>
  `SELECT ${name}($1, $2, $3, ${FLUSH_V1_PARAMETERS.map((_, i) => `$${i + 4}`).join(", ")}) AS answer`;
const FLUSH_SQL = { flush_actors_v1: callOf("flush_actors_v1"), flush_few_v1: callOf("flush_few_v1") };
/** With four actors, row by row is no cheaper any more; many rows of one are the same (docs/decisions/flush-in-one-call.md). */
const FEW_ACTORS = 2;
const FEW_ROWS = 4;

/** A deadlock or a double flush is tried again this often before the caller hears of it. */
const MAX_ATTEMPTS = 4;

interface Share {
  readonly batch: FlushBatch;
  /** Positions in the batch, ascending. */
  readonly positions: readonly number[];
  readonly delivered: FlushBatch["delivered"];
  readonly inOrder: boolean;
}

/** Writes the batch through `send`, which runs one call on a connection. One round trip unless a row cannot be stored. */
export async function flushBatch(
  batch: FlushBatch,
  send: <T>(call: (client: pg.ClientBase) => Promise<T>) => Promise<T>,
): Promise<FlushResult> {
  const judged = judgeBatch(batch);
  const unfenced = new Set(judged.unfencedShards);
  const positions: number[] = [];
  const invalid: { index: number; failure: WriteFailure }[] = [];
  batch.actors.forEach((write, index) => {
    if (unfenced.has(write.shard)) return;
    const defect = judged.defects[index] ?? null;
    if (defect === null) positions.push(index);
    else invalid.push({ index, failure: { reason: "invalid", detail: defect } });
  });
  const result = await flushShare(
    { batch, positions, delivered: batch.delivered, inOrder: judged.claimsMeetReleases },
    send,
  );
  const stale = new Set([...result.staleShards, ...unfenced]);
  return {
    staleShards: [...stale].sort((a, b) => a - b),
    failures: [...result.failures, ...invalid.filter(({ index }) => !stale.has(batch.actors[index]!.shard))].sort(
      (a, b) => a.index - b.index,
    ),
  };
}

async function flushShare(
  share: Share,
  send: <T>(call: (client: pg.ClientBase) => Promise<T>) => Promise<T>,
): Promise<FlushResult> {
  // Before there is a connection: what waits for one is ready to be sent.
  const parameters = parametersOf(share);
  let name: FlushFunction = isFew(share) ? "flush_few_v1" : "flush_actors_v1";
  for (let attempt = 1; ; attempt++) {
    try {
      return await send((client) => callFlush(client, name, share, parameters));
    } catch (error) {
      if (isLongWay(error)) {
        name = "flush_actors_v1";
        continue;
      }
      if (isConflict(error)) {
        if (attempt < MAX_ATTEMPTS) continue;
        throw new StoreUnavailable(`The flush met another one ${MAX_ATTEMPTS} times.`, { cause: error });
      }
      if (!isDataError(error)) throw error;
      return await isolate(share, error as pg.DatabaseError, send);
    }
  }
}

/**
 * A row that the rules let pass and the database does not: halve until it stands alone. Every actor is still written
 * whole or not at all, and those before the bad one before those after it. Once the first half is done it is not true
 * any more that nothing was: what keeps the second from being written leaves the outcome of the whole unknown.
 */
async function isolate(
  share: Share,
  error: pg.DatabaseError,
  send: <T>(call: (client: pg.ClientBase) => Promise<T>) => Promise<T>,
): Promise<FlushResult> {
  const { positions } = share;
  if (positions.length === 0) throw new StoreUnavailable(`The database refuses: ${error.message}`, { cause: error });
  if (positions.length === 1) {
    const rest =
      share.delivered.length > 0
        ? await flushShare({ ...share, positions: [] }, send)
        : { staleShards: [], failures: [] };
    const failure: WriteFailure = { reason: "invalid", detail: `${error.message} (${error.code})` };
    return { staleShards: rest.staleShards, failures: [{ index: positions[0]!, failure }] };
  }
  const middle = positions.length >> 1;
  const first = await flushShare({ ...share, positions: positions.slice(0, middle), delivered: [] }, send);
  const second = await flushShare({ ...share, positions: positions.slice(middle) }, send).catch((cause: unknown) => {
    if (cause instanceof OutcomeUnknown) throw cause;
    throw new OutcomeUnknown(`A part of the flush was written, and then: ${String(cause)}`, { cause });
  });
  return {
    staleShards: [...new Set([...first.staleShards, ...second.staleShards])],
    failures: [...first.failures, ...second.failures],
  };
}

function isFew({ batch, positions, delivered }: Share): boolean {
  if (positions.length > FEW_ACTORS || delivered.length > FEW_ACTORS * FEW_ROWS) return false;
  return positions.every((position) => {
    const write = batch.actors[position]!;
    const { commands, tells, timersSet, timersCancelled, events, pushes, trims } = write;
    const lists = [commands, tells, timersSet, timersCancelled, events, pushes, trims];
    return write.claims.length + write.releases.length === 0 && lists.every(({ length }) => length <= FEW_ROWS);
  });
}

async function callFlush(
  client: pg.ClientBase,
  name: FlushFunction,
  share: Share,
  parameters: readonly Buffer[],
): Promise<FlushResult> {
  const { batch, positions } = share;
  const query: pg.QueryConfig = {
    name,
    text: FLUSH_SQL[name],
    values: [batch.flushId, batch.at, share.inOrder, ...parameters],
    types: RESULT_TYPES,
  };
  const { rows } = await client.query<{ answer: string | null }>(query);
  const { answer } = rows[0]!;
  if (answer === null) return { staleShards: [], failures: [] };
  const { stale, failures } = JSON.parse(answer) as { stale: number[]; failures: [number, string, ...string[]][] };
  return {
    staleShards: stale,
    failures: failures.map(([actor, reason, a, b]) => ({
      index: positions[actor - 1]!,
      failure: failureOf(reason, a ?? "", b ?? ""),
    })),
  };
}

function failureOf(reason: string, a: string, b: string): WriteFailure {
  switch (reason) {
    case "stale_seq":
      return { reason };
    case "duplicate_command":
      return { reason, commandId: a };
    case "claim_taken":
      return { reason, claim: a, value: b };
    default:
      throw new TypeError(`The flush function gives an unknown reason: ${reason}`);
  }
}

type Columns = Record<FlushParameter, ArrayElement[]>;

function parametersOf(share: Share): Buffer[] {
  const { batch, positions } = share;
  const columns = Object.fromEntries(FLUSH_V1_PARAMETERS.map(([name]) => [name, [] as ArrayElement[]])) as Columns;
  const epochs = new Map<number, number>();
  for (const { shard, epoch } of batch.fences) {
    columns.fence_shard.push(shard);
    columns.fence_epoch.push(epoch);
    epochs.set(shard, epoch);
  }
  let bytes = 4096;
  positions.forEach((position, at) => {
    const write = batch.actors[position]!;
    bytes += 512 + write.state.byteLength + (write.cold?.byteLength ?? 0);
    addActor(columns, write, at + 1, epochs.get(write.shard)!);
  });
  for (const { from, number } of share.delivered) {
    columns.delivered_kind.push(from.kind);
    columns.delivered_key.push(from.key);
    columns.delivered_number.push(number);
  }
  const writer = new ArrayWriter(bytes);
  for (const [name, type] of FLUSH_V1_PARAMETERS) writer.array(type, columns[name]);
  return writer.take();
}

function addActor(columns: Columns, write: ActorWrite, actor: number, epoch: number): void {
  columns.actor_kind.push(write.kind);
  columns.actor_key.push(write.key);
  columns.actor_shard.push(write.shard);
  columns.actor_expected.push(write.expectedSeq);
  columns.actor_seq.push(write.seq);
  columns.actor_version.push(write.version);
  columns.actor_epoch.push(epoch);
  columns.actor_state.push(write.state);
  columns.actor_cold.push(write.cold ?? null);
  columns.actor_next_tell.push(write.tells.reduce((next, tell) => Math.max(next, tell.number + 1), 1));
  columns.actor_next_event.push(write.events.reduce((next, event) => Math.max(next, event.offset + 1), 1));
  for (const command of write.commands) {
    columns.command_actor.push(actor);
    columns.command_id.push(command.id);
    columns.command_hash.push(command.bodyHash);
    columns.command_outcome.push(command.outcome);
  }
  for (const tell of write.tells) {
    columns.tell_actor.push(actor);
    columns.tell_number.push(tell.number);
    columns.tell_to_kind.push(tell.to.kind);
    columns.tell_to_key.push(tell.to.key);
    columns.tell_name.push(tell.name);
    columns.tell_input.push(tell.input);
  }
  for (const name of write.timersCancelled) {
    columns.cancel_actor.push(actor);
    columns.cancel_name.push(name);
  }
  for (const timer of write.timersSet) {
    columns.timer_actor.push(actor);
    columns.timer_name.push(timer.name);
    columns.timer_at.push(timer.at);
    columns.timer_run.push(timer.run);
    columns.timer_input.push(timer.input);
  }
  for (const event of write.events) {
    columns.event_actor.push(actor);
    columns.event_offset.push(event.offset);
    columns.event_type.push(event.type);
    columns.event_at.push(event.at);
    columns.event_body.push(event.body);
  }
  addChannelRows(columns, write, actor);
  addClaimsAndIndex(columns, write, actor);
}

function addChannelRows(columns: Columns, write: ActorWrite, actor: number): void {
  for (const push of write.pushes) {
    columns.push_actor.push(actor);
    columns.push_channel.push(push.channel);
    columns.push_offset.push(push.offset);
    columns.push_type.push(push.type);
    columns.push_at.push(push.at);
    columns.push_body.push(push.body);
  }
  for (const trim of write.trims) {
    columns.trim_actor.push(actor);
    columns.trim_channel.push(trim.channel);
    columns.trim_offset.push(trim.offset);
  }
}

function addClaimsAndIndex(columns: Columns, write: ActorWrite, actor: number): void {
  for (const { claim, value } of write.claims) {
    columns.claim_actor.push(actor);
    columns.claim_name.push(claim);
    columns.claim_value.push(value);
  }
  for (const { claim, value } of write.releases) {
    columns.release_actor.push(actor);
    columns.release_name.push(claim);
    columns.release_value.push(value);
  }
  if (write.index === null) columns.unindex_actor.push(actor);
  else if (write.index !== undefined) {
    columns.index_actor.push(actor);
    columns.index_scope.push(write.index.scope);
    columns.index_owner.push(write.index.owner);
    columns.index_counterparty.push(write.index.counterparty);
    columns.index_status.push(write.index.status);
    columns.index_live.push(write.index.live);
    columns.index_at.push(write.index.at);
    columns.index_view.push(JSON.stringify(write.index.view ?? null));
  }
}
