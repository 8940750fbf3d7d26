/**
 * A word to all: what one thread of one node says, every thread of every node hears soon. For what happens seldom and
 * changes what others may do or show: an account banned, a menu changed, an announcement. It is a hint, not a record: a
 * listener that was cut off hears `missed` once it listens again, and reads then what the truth says.
 */
import type { Cancel } from "./clock.js";
import type { Json } from "./json.js";

export interface NoticeListener {
  /** In the order in which one publisher said it. Must not throw; one that does is not called back for it. */
  notice(value: Json): void;
  /**
   * From here on everything is heard; before, something may have been missed. Called when listening begins, and whenever
   * it begins again. Whoever keeps something by notices reads it here.
   */
  missed(): void;
}

export interface Notices {
  /**
   * Resolves when all who listen now will hear it, the own listeners included. Rejects when that is not certain: say it
   * again then. Throws RangeError for a topic or a value that cannot be said.
   */
  publish(topic: string, value: Json): Promise<void>;
  /** Topics are words with dots: `accounts.revoked`. Any number may listen to one. */
  listen(topic: string, listener: NoticeListener): Cancel;
  close(): Promise<void>;
}

/** Of a notice as text, topic included: an id and some words, never a document. */
export const MAX_NOTICE_BYTES = 7_000;
const TOPIC = /^[a-z][a-z0-9.-]{0,63}$/;

/** The text of a notice. Throws RangeError when it is none. */
export function writeNotice(topic: string, value: Json): string {
  if (!TOPIC.test(topic)) throw new RangeError(`no topic of a notice: ${topic.slice(0, 80)}`);
  const text = JSON.stringify([topic, value]);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MAX_NOTICE_BYTES) throw new RangeError(`a notice of ${bytes} bytes: the most is ${MAX_NOTICE_BYTES}`);
  return text;
}

/** Who listens to what in this thread. Shared by all implementations, so that all treat their listeners alike. */
export class NoticeBoard {
  readonly #listeners = new Map<string, Set<NoticeListener>>();
  readonly #onThrown: (error: unknown) => void;

  constructor(onThrown: (error: unknown) => void) {
    this.#onThrown = onThrown;
  }

  add(topic: string, listener: NoticeListener): Cancel {
    // A listener of its own, so that the same one may listen twice and stop once.
    const own: NoticeListener = { notice: (value) => listener.notice(value), missed: () => listener.missed() };
    let ofTopic = this.#listeners.get(topic);
    if (ofTopic === undefined) {
      ofTopic = new Set();
      this.#listeners.set(topic, ofTopic);
    }
    ofTopic.add(own);
    return () => {
      ofTopic.delete(own);
      if (ofTopic.size === 0 && this.#listeners.get(topic) === ofTopic) this.#listeners.delete(topic);
    };
  }

  /** What is not a notice's text is passed over: another release may say what this one does not know. */
  hear(text: string): void {
    let said: unknown;
    try {
      said = JSON.parse(text);
    } catch {
      return;
    }
    if (!Array.isArray(said) || said.length !== 2 || typeof said[0] !== "string") return;
    const [topic, value] = said as [string, Json];
    for (const listener of [...(this.#listeners.get(topic) ?? [])]) this.#call(() => listener.notice(value));
  }

  missed(): void {
    for (const ofTopic of [...this.#listeners.values()]) {
      for (const listener of [...ofTopic]) this.#call(() => listener.missed());
    }
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#onThrown(error);
    }
  }
}
