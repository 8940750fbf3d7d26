/**
 * Imported before a test file: tap may not watch every promise. To say under which test an error was thrown that nobody
 * awaits, tap has the engine report the begin and end of each promise, which is more than half of the processor time
 * where turns of actors are tested. Without it such an error ends the program with its stack, and the file has failed.
 */
import asyncHooks, { type AsyncHook } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";

const idle: AsyncHook = { enable: () => idle, disable: () => idle };
asyncHooks.createHook = () => idle;
syncBuiltinESMExports();
