/**
 * The bugs that are planted in the engine, its nodes and their gateways, each in compiled code that is otherwise the
 * product's. Data only: nothing here is ever part of a product.
 */
import { type Bug, patch } from "./bug.js";
import { ACKNOWLEDGE_BEFORE_COMMIT, FORGET_ANSWERS } from "./patch.js";

const RUNTIME = "src/actors/runtime";
const EXECUTOR = `${RUNTIME}/activation/executor.js`;
const HOST = `${RUNTIME}/host/host.js`;
const MEMORY_STORE = "src/store/memory/actor-store.js";

const PENDING = ACKNOWLEDGE_BEFORE_COMMIT.find;
const KNOWN = FORGET_ANSWERS.find;
/** Nor does the database see that it was done. */
const STORE_FORGETS = patch(MEMORY_STORE, "if (row?.commands.has(id))", "if (false)");

export const ENGINE_BUGS: readonly Bug[] = [
  {
    name: "no fencing: the database takes the rows of a stale epoch",
    patches: [patch(MEMORY_STORE, "tables.shards.get(shard)?.epoch !== epoch", "false")],
    by: ["rule-04"],
    within: 20,
    shownFrom: 3,
    shownWithin: 6,
  },
  {
    name: "an answer leaves before the commit",
    patches: [ACKNOWLEDGE_BEFORE_COMMIT],
    by: ["rule-01", "rule-02", "rule-04", "rule-15"],
    within: 20,
    shownFrom: 20,
    shownWithin: 6,
  },
  {
    name: "a view is shown before the commit",
    patches: [
      patch(
        EXECUTOR,
        PENDING,
        `if (dirty && recorded?.said) { this.#gate.open(actor, { source: "timer" }, { ...recorded, tells: null, timers: null }, null, at); } ${PENDING}`,
      ),
    ],
    by: ["rule-01", "rule-03", "rule-04", "rule-15"],
    within: 20,
    shownFrom: 3,
    shownWithin: 6,
  },
  {
    name: "no de-duplication of commands",
    patches: [
      patch(
        EXECUTOR,
        KNOWN,
        `const known = delivery.source === "ask" ? undefined : actor.remembered?.get(delivery.id);`,
      ),
      STORE_FORGETS,
    ],
    by: ["rule-02"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "a message between actors acts twice",
    patches: [
      patch(
        EXECUTOR,
        KNOWN,
        `const known = delivery.source === "tell" ? undefined : actor.remembered?.get(delivery.id);`,
      ),
      STORE_FORGETS,
    ],
    by: ["rule-02", "messages-once"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "messages of a shard are not sent after a handoff",
    patches: [patch(HOST, "await this.#outbox.scan(served);", "")],
    by: ["messages-once", "rule-14", "rule-10", "liveness"],
    within: 20,
    shownFrom: 3,
    shownWithin: 6,
  },
  {
    name: "timers of a shard are lost on handoff",
    patches: [patch(HOST, "this.#timers.gain(served, given);", "")],
    by: ["rule-14", "liveness"],
    within: 20,
    shownFrom: 4,
    shownWithin: 6,
  },
  {
    name: "a shard is taken without raising its epoch",
    patches: [
      patch(
        "src/store/memory/ownership.js",
        "shards.set(shard, { epoch: expectedEpoch + 1, node: by.node });",
        "shards.set(shard, { epoch: Math.max(1, expectedEpoch), node: by.node });",
      ),
      patch(
        "src/store/memory/ownership.js",
        "taken.set(shard, expectedEpoch + 1);",
        "taken.set(shard, Math.max(1, expectedEpoch));",
      ),
    ],
    by: ["rule-04"],
    within: 20,
    shownFrom: 2,
    shownWithin: 6,
  },
  {
    name: "a lost answer of the database is taken for a yes",
    patches: [
      patch(
        `${RUNTIME}/committer/committer.js`,
        "const committed = error instanceof OutcomeUnknown ? await this.#settleUnknown(batch) : [];",
        "const committed = batch.actors.map(() => true);",
      ),
    ],
    by: ["rule-01", "rule-02", "rule-04", "rule-15", "messages-once"],
    within: 20,
    shownFrom: 2,
    shownWithin: 6,
  },
  {
    name: "a resumed channel skips one event",
    patches: [
      patch(`${RUNTIME}/channels/channels.js`, "event.offset > resume.offset", "event.offset > resume.offset + 1"),
    ],
    by: ["rule-15", "liveness"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "the gateway names the wrong offset to start from",
    patches: [
      patch(
        "src/gateway/ws/subscribe.js",
        "[OP.subbed, channel, start.epoch, start.top, start.recovered]",
        "[OP.subbed, channel, start.epoch, start.top + (start.recovered ? 0 : 1), start.recovered]",
      ),
    ],
    by: ["rule-15"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "an app keeps its old place when it gets a snapshot",
    patches: [patch("sdk/channels.js", "if (!isVersioned(name)) channel.offset = top;", "")],
    by: ["rule-15"],
    within: 20,
    shownFrom: 2,
    shownWithin: 6,
  },
  {
    name: "events are deleted before the stream has them",
    patches: [
      patch(
        "src/cluster/relay.js",
        "lane.events.push(event); buffered++;",
        "lane.events.push(event); buffered++; lane.undeleted++; stored.push(event);",
      ),
      patch(
        "src/cluster/relay.js",
        "lane.undeleted++; stored.push(event); if (lane.events.length > 0)",
        "if (lane.events.length > 0)",
      ),
    ],
    by: ["rule-11"],
    within: 20,
    shownFrom: 3,
    shownWithin: 6,
  },
  {
    name: "events of an actor overtake each other",
    patches: [
      patch(
        "src/cluster/relay.js",
        "await stream.publish(event);",
        "await Promise.all([...lane.events].reverse().map((one) => stream.publish(one)));",
      ),
    ],
    by: ["rule-11"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "the location gate is left open",
    patches: [
      patch(
        "src/gateway/fanout/location-gate.js",
        `this.#setGrant(gate, tracking.view.status === "picked_up" ? tracking.grant : null);`,
        `if (tracking.view.status === "picked_up") this.#setGrant(gate, tracking.grant);`,
      ),
      patch("src/gateway/fanout/location-gate.js", `if (view.status !== "picked_up") this.#setGrant(gate, null);`, ""),
    ],
    by: ["rule-12"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "an old position waits for a slow reader and is shown after the end",
    patches: [
      patch(
        "src/gateway/ws/subscribe.js",
        "clearPosition: () => outbox.clear(positionSlot),",
        "clearPosition: () => { },",
      ),
    ],
    by: ["rule-12"],
    within: 60,
    shownFrom: 5,
    shownWithin: 6,
    focus: ["client_stuck_reader"],
  },
  {
    name: "a slow reader is never cut off",
    patches: [patch("src/gateway/ws/outbox.js", "this.#isBehind(this.#terms.reliableBacklogBytes)", "false")],
    by: ["rule-16"],
    within: 20,
    shownFrom: 3,
    shownWithin: 6,
    focus: ["client_stuck_reader"],
  },
  {
    name: "a mailbox takes whatever comes",
    patches: [
      patch(EXECUTOR, "waiting >= this.#settings.mailboxLimit || this.queued >= this.#settings.maxQueued", "false"),
    ],
    by: ["rule-16"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
    focus: ["mailbox_flood"],
  },
  {
    name: "an ask that finds no room is forgotten",
    patches: [patch(`${RUNTIME}/client-impl/asks.js`, "resolve(overload()); return;", "return;")],
    by: ["every-ask-is-answered"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
    focus: ["mailbox_flood"],
  },
  {
    name: "a node speaks after its lease",
    patches: [
      patch(`${RUNTIME}/gate/gate.js`, "const mayEmit = this.#ownership.mayEmit();", "const mayEmit = true;"),
      patch(HOST, "if (to !== this.#options.self && !this.#options.ownership.mayEmit())", "if (false)"),
    ],
    by: ["rule-04", "rule-12", "rule-15"],
    within: 40,
    shownFrom: 2,
    shownWithin: 6,
  },
  {
    name: "a node that slept speaks for shards that have gone",
    patches: [patch(`${RUNTIME}/gate/gate.js`, "this.#ownership.epochOf(actor.shard) !== actor.epoch", "false")],
    by: ["rule-04-no-word-after-owning"],
    within: 40,
    shownFrom: 6,
    shownWithin: 6,
    focus: ["node_pause_beyond_lease", "mailbox_flood"],
  },
  {
    name: "a node's deadline is set an hour too late",
    patches: [
      patch("src/cluster/coordinator/lease.js", "keeper.extend(deadline, 0);", "keeper.extend(deadline, 3_600_000);"),
    ],
    by: ["rule-04", "rule-12", "rule-15"],
    within: 40,
    shownFrom: 2,
    shownWithin: 6,
  },
];
