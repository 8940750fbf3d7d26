/**
 * What people saw and said in rooms. Owns the comparison of what a room shows now with what it has shown: lines must
 * not change, go, or leave a hole. Invariants: rooms and lines are bounded; what does not fit is left out whole.
 */
import type { RoomHistory, RoomLine } from "./history.js";

const MOST_ROOMS = 5_000;
const MOST_LINES = 400;

interface Notes {
  readonly roomId: string;
  readonly stream: string;
  readonly lines: Map<number, string>;
  readonly said: (RoomLine & { readonly receivedAt: number })[];
}

export class RoomNotes {
  readonly #rooms = new Map<string, Notes>();

  /** What is shown now, oldest first. Returns what is wrong with it, or null. */
  shown(roomId: string, stream: string, lines: readonly RoomLine[]): string | null {
    const notes = this.#of(roomId, stream);
    if (notes === null || lines.length > MOST_LINES) return null;
    let problem: string | null = null;
    for (const [index, { offset, text }] of lines.entries()) {
      const before = index === 0 ? offset - 1 : lines[index - 1]!.offset;
      if (offset !== before + 1) problem ??= `line ${offset} comes after line ${before}`;
      const known = notes.lines.get(offset);
      if (known !== undefined && known !== text) problem ??= `line ${offset} was "${known}" and is "${text}"`;
      notes.lines.set(offset, text);
    }
    const last = lines.at(-1)?.offset ?? 0;
    for (const offset of notes.lines.keys()) if (offset > last) problem ??= `line ${offset} was shown and has gone`;
    return problem;
  }

  said(roomId: string, stream: string, text: string, offset: number, receivedAt: number): void {
    const notes = this.#of(roomId, stream);
    if (notes !== null && notes.said.length < MOST_LINES) notes.said.push({ offset, text, receivedAt });
  }

  histories(): readonly RoomHistory[] {
    return [...this.#rooms.values()].map(({ roomId, stream, lines, said }) => ({
      roomId,
      stream,
      lines: [...lines].map(([offset, text]) => ({ offset, text })).sort((a, b) => a.offset - b.offset),
      said,
    }));
  }

  #of(roomId: string, stream: string): Notes | null {
    const key = `${roomId} ${stream}`;
    const known = this.#rooms.get(key);
    if (known !== undefined) return known;
    if (this.#rooms.size >= MOST_ROOMS) return null;
    const notes: Notes = { roomId, stream, lines: new Map(), said: [] };
    this.#rooms.set(key, notes);
    return notes;
  }
}
