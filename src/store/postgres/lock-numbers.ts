/**
 * The numbers of the session advisory locks. Any constants will do, as long as every release uses the same.
 */

/** A lone node holds it alone; the members of a cluster share it. So the two exclude each other. */
export const LONE_NODE_LOCK = "7313904412";

/** Held by a member while it joins, to the end of the transaction: sessions are numbered one after the other. */
export const MEMBER_JOINS_LOCK = "7313904413";

/** The class of the members' locks; the second number is the member's own (`node_lease.lock_number`). */
export const MEMBER_LOCKS = "731390441";

/** Held while facts are booked, to the end of the transaction: one node at a time. */
export const LEDGER_LOCK = "7313904415";
