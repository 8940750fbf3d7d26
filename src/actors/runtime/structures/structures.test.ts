import t from "tap";
import { randomInteger, seededRandom } from "../../../lib/random.js";
import { Deque } from "./deque.js";
import { TimeHeap } from "./heap.js";
import { IdTable } from "./id-table.js";

t.test("R-ENG-5: the heap gives the earliest first, and equal times in the order they came", (t) => {
  const random = seededRandom(3);
  const heap = new TimeHeap<{ at: number; order: number }>();
  const all: { at: number; order: number }[] = [];
  for (let order = 0; order < 2_000; order++) {
    const one = { at: randomInteger(random, 100), order };
    all.push(one);
    heap.push(one.at, one);
  }
  t.equal(heap.popDue(-1), undefined, "nothing is due yet");
  const out: unknown[] = [];
  for (let one = heap.popDue(1_000); one !== undefined; one = heap.popDue(1_000)) out.push(one);
  all.sort((a, b) => a.at - b.at || a.order - b.order);
  t.same(out, all);
  t.equal(heap.nextAt, Number.POSITIVE_INFINITY);
  t.end();
});

t.test("R-ENG-2: the mailbox's queue behaves like a list", (t) => {
  const random = seededRandom(5);
  const deque = new Deque<number>();
  let list: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    const dice = random.next();
    if (dice < 0.52) {
      deque.push(i);
      list.push(i);
    } else if (dice < 0.99) {
      if (deque.shift() !== list.shift()) t.fail("another item");
    } else if (dice < 0.998) {
      deque.unshiftAll([i, i + 1]);
      list = [i, i + 1, ...list];
    } else if (dice < 0.9985) {
      t.same(deque.drain(), list);
      list = [];
    }
    if (deque.length !== list.length || deque.peek() !== list[0]) t.fail("another length or head");
  }
  t.same([...deque], list);
  t.end();
});

t.test("R-ENG-2: the table of what is under way behaves like a map", (t) => {
  const random = seededRandom(7);
  const table = new IdTable<string>(4);
  const map = new Map<number, string>();
  let lastId = 2 ** 31 - 5_000;
  let most = 0;
  for (let i = 0; i < 20_000; i++) {
    const dice = random.next();
    // It fills, and then is nearly emptied, over and over; some stay for long.
    if (dice < (i % 4_000 < 2_000 ? 0.6 : 0.4)) {
      // Far apart now and then, so that many want the same place.
      lastId += dice < 0.1 ? 64 * (1 + randomInteger(random, 4)) : 1;
      table.set(lastId, `value ${lastId}`);
      map.set(lastId, `value ${lastId}`);
    } else {
      const known = [...map.keys()];
      const id = dice < 0.95 && known.length > 0 ? known[randomInteger(random, known.length)]! : lastId + 1;
      if (table.delete(id) !== map.delete(id)) t.fail("another was there");
    }
    most = Math.max(most, map.size);
    const some = lastId - randomInteger(random, 300);
    if (table.get(some) !== map.get(some) || table.size !== map.size) t.fail("another value or size");
    if (i % 500 === 0) t.same(table.values(), [...map.values()]);
  }
  t.ok(most > 256, "it grew more than once");
  for (const id of map.keys()) table.delete(id);
  t.same([table.size, table.values()], [0, []]);
  t.end();
});
