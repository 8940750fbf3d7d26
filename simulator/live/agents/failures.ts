/** What a client failed with, in the words of the error catalogue. */
import { SwiftEatsError } from "../../../sdk/node.js";

/** The code of whatever a client failed with. */
export function codeOf(error: unknown): string {
  return error instanceof SwiftEatsError ? error.code : "internal";
}

export function isTemporary(error: unknown): boolean {
  return error instanceof SwiftEatsError && error.temporary;
}
