/** RULES 16: memory per connection, mailbox and queue is bounded, whatever a client does. */
import type { Rule } from "../evidence.js";

export const withinBounds: Rule = {
  name: "rule-16-within-bounds",
  check: (index) =>
    (index.samples ?? [])
      .filter(({ most, limit }) => most > limit)
      .map(({ what, where, most, limit }) => ({
        rule: "rule-16-within-bounds",
        subject: where,
        summary: `${what} of ${where} reached ${most}; its bound is ${limit}`,
        story: [`the most of ${what} at once: ${most}, allowed: ${limit}`],
      })),
};
