import { NoticeBoard, type Notices, writeNotice } from "../../lib/notices.js";

export interface MemoryNotices {
  /** Of one more thread. */
  open(): Notices;
  /** As if every line were cut: what is said until `join` is heard by nobody. */
  cut(): void;
  join(): void;
}

/** Notices among the threads that one process plays. Each hears in a turn of its own. */
export function createMemoryNotices(): MemoryNotices {
  const boards = new Set<NoticeBoard>();
  let joined = true;
  return {
    open() {
      const board = new NoticeBoard(() => undefined);
      boards.add(board);
      return {
        async publish(topic, value) {
          const text = writeNotice(topic, value);
          if (!joined) throw new Error("the line is cut");
          for (const each of boards) queueMicrotask(() => boards.has(each) && each.hear(text));
        },
        listen(topic, listener) {
          let listens = true;
          const cancel = board.add(topic, listener);
          queueMicrotask(() => listens && joined && listener.missed());
          return () => {
            listens = false;
            cancel();
          };
        },
        async close() {
          boards.delete(board);
        },
      };
    },
    cut() {
      joined = false;
    },
    join() {
      joined = true;
      for (const board of boards) board.missed();
    },
  };
}
