import t from "tap";
import { randomInteger, seededRandom } from "../../../lib/random.js";
import { Deque } from "./deque.js";
import { TimeHeap } from "./heap.js";

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
