/**
 * Messages as they go through a port: the two that go by thousands a second, asks and their answers, laid flat into one
 * array for the whole batch. A structured clone writes and reads every name of every object; places have none.
 */
import type { Mutable } from "../../../lib/mutable.js";
import type { LinkMessage } from "../link.js";

type Ask = Extract<LinkMessage, { t: "ask" }>;
type Reply = Extract<LinkMessage, { t: "reply" }>;

/** What begins each message of a parcel; how many places follow is up to its kind. */
const WHOLE = 0;
const ASK = 1;
const REPLY = 2;
/** Asks and answers that may wait. */
const PATIENT = 4;
/**
 * An ask of the same name to the same kind as the last whole one, of an actor by itself, remembered by nobody: what
 * thousands of drivers say of where they are. Only whose it is and what it says follow.
 */
const ALIKE = 8;

export type Packed = readonly unknown[];

export function pack(messages: readonly LinkMessage[]): Packed {
  const packed: unknown[] = [];
  let whole: Ask | null = null;
  for (const message of messages) {
    if (message.t === "ask") {
      const { id, to, name, input, commandId, bodyHash, caller, notAfter, mayWait } = message;
      const kind = mayWait === true ? ASK | PATIENT : ASK;
      if (whole !== null && isAlike(message, whole)) {
        packed.push(kind | ALIKE, id, to.key, input);
        continue;
      }
      whole = message;
      packed.push(kind, id, to.kind, to.key, name, input);
      packed.push(commandId, bodyHash, caller.id, caller.role, notAfter);
    } else if (message.t === "reply") {
      packed.push(message.mayWait === true ? REPLY | PATIENT : REPLY, message.id, message.value);
    } else packed.push(WHOLE, message);
  }
  return packed;
}

function isAlike({ to, name, caller, commandId, bodyHash, notAfter }: Ask, whole: Ask): boolean {
  return (
    name === whole.name &&
    to.kind === whole.to.kind &&
    caller.role === whole.caller.role &&
    caller.id === to.key &&
    commandId === "" &&
    bodyHash === "" &&
    notAfter === null
  );
}

export function unpack(packed: Packed): LinkMessage[] {
  const messages: LinkMessage[] = [];
  let at = 0;
  let whole: Ask | null = null;
  while (at < packed.length) {
    const kind = packed[at] as number;
    const mayWait = (kind & PATIENT) !== 0;
    if ((kind & ALIKE) !== 0) {
      if (whole === null) throw new TypeError("A parcel begins with an ask like none before it.");
      messages.push(alikeAt(packed, at, mayWait, whole));
      at += 4;
    } else if ((kind & ASK) !== 0) {
      whole = askAt(packed, at, mayWait);
      messages.push(whole);
      at += 11;
    } else if ((kind & REPLY) !== 0) {
      const reply: Mutable<Reply> = { t: "reply", id: packed[at + 1] as number, value: packed[at + 2] };
      if (mayWait) reply.mayWait = true;
      messages.push(reply);
      at += 3;
    } else {
      messages.push(packed[at + 1] as LinkMessage);
      at += 2;
    }
  }
  return messages;
}

function askAt(packed: Packed, at: number, mayWait: boolean): Ask {
  const ask: Mutable<Ask> = {
    t: "ask",
    id: packed[at + 1] as number,
    to: { kind: packed[at + 2] as string, key: packed[at + 3] as string },
    name: packed[at + 4] as string,
    input: packed[at + 5],
    commandId: packed[at + 6] as string,
    bodyHash: packed[at + 7] as string,
    caller: { id: packed[at + 8] as string, role: packed[at + 9] as string },
    notAfter: packed[at + 10] as number | null,
  };
  if (mayWait) ask.mayWait = true;
  return ask;
}

/** With the texts of the one before: their hashes are known. */
function alikeAt(packed: Packed, at: number, mayWait: boolean, whole: Ask): Ask {
  const key = packed[at + 2] as string;
  const ask: Mutable<Ask> = {
    t: "ask",
    id: packed[at + 1] as number,
    to: { kind: whole.to.kind, key },
    name: whole.name,
    input: packed[at + 3],
    commandId: "",
    bodyHash: "",
    caller: { id: key, role: whole.caller.role },
    notAfter: null,
  };
  if (mayWait) ask.mayWait = true;
  return ask;
}
