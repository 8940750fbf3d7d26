/** The mirror in Redis: the public door of this folder. */
export { createRedisMirror, MirrorUnavailable, type RedisMirror, type RedisMirrorOptions } from "./mirror.js";
