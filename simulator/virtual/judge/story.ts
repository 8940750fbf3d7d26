/**
 * The shortest story of a violation: everything that was told about the entities in it, in order of time, from the clients
 * (the checkers' lines), the commits with their messages, and the faults of the machines that had a hand in it.
 *
 * A line is `time  who: what`. What says nothing about the subject is left out; what is left of a long story is its end,
 * where things go wrong, and its beginning.
 */
import type { Violation } from "../../checkers/mod.js";
import type { StoryLine, VirtualEvidence } from "../ports.js";

const MOST_LINES = 44;
const MOST_FAULTS = 12;
/** Faults before the first line that may have led to it. */
const BEFORE_MS = 15_000;
const MOST_TEXT = 170;

export const repeatCommand = (seed: number): string => `npm run simulate -- --seed ${seed}`;

interface Told {
  /** Of the day, as the checkers stamp it. */
  readonly stamp: string;
  readonly text: string;
}

export function createNarrator(found: VirtualEvidence): (violation: Violation) => readonly string[] {
  const { trace, evidence, sizes } = found;
  const offers = new Map<string, string>();
  const partners = new Map<string, Set<string>>();
  const join = (orderId: string, entity: string): void => {
    const known = partners.get(orderId);
    if (known === undefined) partners.set(orderId, new Set([entity]));
    else known.add(entity);
  };
  for (const { driverId, entries } of evidence.history.drivers) {
    for (const entry of entries) {
      if (entry.kind === "offer") offers.set(entry.offerId, entry.orderId);
      if (entry.kind === "offer") join(entry.orderId, `driver/${driverId}`);
      if (entry.kind === "trip") for (const orderId of entry.orderIds) join(orderId, `driver/${driverId}`);
    }
  }
  for (const order of evidence.database?.orders.values() ?? []) {
    join(order.orderId, `restaurant/${order.restaurantId}`);
    join(order.orderId, order.customerId);
  }
  const nodes = Array.from({ length: sizes.nodes }, (_, index) => `n${index + 1}`);

  /** Whose lines are all told, and whose are told as far as they speak of those. */
  function castOf({ subject, summary }: Violation): { readonly leads: Set<string>; readonly others: Set<string> } {
    const leads = new Set<string>();
    const others = new Set<string>();
    const orderIds = new Set<string>();
    const names = `${subject} ${summary}`.match(/[\w:./#-]+/g) ?? [];
    for (const name of names) {
      const key = name.replace(/^(order|driver|restaurant|dispatch-zone)[:/]/, "").replace(/#\d+$/, "");
      const orderId = offers.get(key) ?? key;
      if (name.startsWith("order/") || evidence.database?.orders.has(orderId) === true) orderIds.add(orderId);
      const [, kind] = /^(driver|restaurant|dispatch-zone)[:/]/.exec(name) ?? [];
      if (kind === undefined) continue;
      leads.add(`${kind}/${key}`);
      for (const device of devicesOf(`${kind}/${key}`)) others.add(device);
    }
    for (const orderId of orderIds) {
      leads.add(`order/${orderId}`);
      for (const partner of partners.get(orderId) ?? []) {
        others.add(partner);
        for (const device of devicesOf(partner)) others.add(device);
      }
    }
    if (leads.size === 0) leads.add(subject);
    return { leads, others };
  }

  /** Of nobody: nothing. */
  const linesOf = (entities: ReadonlySet<string>): readonly StoryLine[] =>
    entities.size === 0 ? [] : trace.story(...entities);

  return (violation) => {
    const { leads, others } = castOf(violation);
    const keys = [...leads].map((lead) => lead.slice(lead.indexOf("/") + 1));
    const own = linesOf(leads);
    const theirs = linesOf(others).filter(({ text }) => (isAbout(text, keys) && !isChatter(text)) || isFault(text));
    const acted = [...own, ...theirs].sort((a, b) => a.number - b.number);
    const lives = new Set(acted.flatMap(({ text }) => text.match(/\bn\d+(?=-\d+\b)/g) ?? []));
    const from = (acted[0]?.at ?? 0) - BEFORE_MS;
    const to = acted.at(-1)?.at ?? Number.POSITIVE_INFINITY;
    const faults = trace
      .story(...nodes, ...namesOfLives(found, lives), "world", "database", "network", "stream", "bank")
      .filter(({ at, of }) => at >= from && at <= to && (!/^n\d/.test(of) || lives.has(of.replace(/-\d+$/, ""))))
      .slice(-MOST_FAULTS);
    const told: Told[] = [...acted, ...faults].map(lineOf);
    for (const line of violation.story) {
      const [, stamp, text] = /^(\d\d:\d\d:\d\d\.\d\d\d) (.*)$/s.exec(line) ?? [];
      told.push({ stamp: stamp ?? "~", text: text ?? line });
    }
    const lines = told
      .map((line, place) => ({ ...line, place }))
      .sort((a, b) => (a.stamp === b.stamp ? a.place - b.place : a.stamp < b.stamp ? -1 : 1))
      .map(({ stamp, text }) => (stamp === "~" ? text : `${stamp}  ${text}`));
    return shortened([...new Set(lines)]);
  };
}

const lineOf = ({ at, of, text }: StoryLine): Told => ({
  stamp: new Date(at).toISOString().slice(11, 23),
  text: `${of}: ${text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text}`,
});

const isAbout = (text: string, keys: readonly string[]): boolean => keys.some((key) => text.includes(key));

const isFault = (text: string): boolean => /^[a-z]+(_[a-z]+)+ at /.test(text);

/** What apps and nodes say to each other all the time. */
const isChatter = (text: string): boolean => /^(says|hears) (PING|PONG|ACK|GPS|GPSACK|HELLO|WELCOME)\b/.test(text);

/** The apps of an account, whose lines the faults of clients touch: `r-1`, and the second app `r-1#2`. */
function devicesOf(entity: string): readonly string[] {
  const account = entity.slice(entity.indexOf("/") + 1);
  return [account, `${account}#2`];
}

/** `n2-3` for every life that committed something, of these nodes. */
function namesOfLives({ commits }: VirtualEvidence, nodes: ReadonlySet<string>): readonly string[] {
  return [...new Set(commits.flatMap(({ node, life }) => (nodes.has(node) ? [life] : [])))];
}

function shortened(lines: readonly string[]): readonly string[] {
  if (lines.length <= MOST_LINES) return lines;
  const head = Math.floor(MOST_LINES / 4);
  return [
    ...lines.slice(0, head),
    `… ${lines.length - MOST_LINES} more …`,
    ...lines.slice(lines.length - (MOST_LINES - head)),
  ];
}
