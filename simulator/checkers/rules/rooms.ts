/** RULES 2 and 15, of conversations: a line that was acknowledged stands in its room, once, and is the same for everybody. */
import type { EvidenceIndex, Rule, Violation } from "../evidence.js";
import type { RoomHistory } from "../history.js";

export const linesOnceForAll: Rule = {
  name: "rule-15-lines-once-for-all",
  check(index) {
    const found: Violation[] = [];
    const rooms = new Map<string, RoomHistory[]>();
    for (const room of index.history.rooms ?? []) {
      const list = rooms.get(room.roomId);
      if (list === undefined) rooms.set(room.roomId, [room]);
      else list.push(room);
    }
    for (const [roomId, people] of rooms) {
      const problem = problemOf(index, roomId, people);
      if (problem === null) continue;
      found.push({ rule: this.name, subject: roomId, summary: `${roomId}: ${problem}`, story: storyOf(people) });
    }
    return found;
  },
};

function problemOf(index: EvidenceIndex, roomId: string, people: readonly RoomHistory[]): string | null {
  const texts = new Map<number, string>();
  const offsets = new Map<string, number>();
  for (const { stream, lines, said } of people) {
    for (const { offset, text } of [...lines, ...said]) {
      const known = texts.get(offset);
      if (known !== undefined && known !== text)
        return `line ${offset} is "${known}" for one and "${text}" for ${stream}`;
      texts.set(offset, text);
      // Notices of the room's own have no text that tells one from another.
      if (text === "") continue;
      const before = offsets.get(text);
      if (before !== undefined && before !== offset) return `"${text}" stands there twice, as ${before} and ${offset}`;
      offsets.set(text, offset);
    }
  }
  if (index.commits === undefined) return null;
  const committed = new Set(
    (index.commitsByActor.get(`chat-room/${roomId}`) ?? []).flatMap(({ pushes }) => pushes.map(({ offset }) => offset)),
  );
  for (const [offset, text] of texts)
    if (!committed.has(offset)) return `line ${offset} ("${text}") was never committed`;
  return null;
}

function storyOf(people: readonly RoomHistory[]): readonly string[] {
  return people.flatMap(({ stream, lines, said }) => [
    ...said.map(
      ({ offset, text, receivedAt }) => `${stamp(receivedAt)} ${stream} hears that "${text}" is line ${offset}`,
    ),
    `${stream} has seen ${lines.map(({ offset, text }) => `${offset} "${text}"`).join(", ")}`,
  ]);
}

const stamp = (at: number): string => new Date(at).toISOString().slice(11, 23);
