/** The script of a thread that decides for zones. It knows nothing but the question. */
import { constants, setPriority } from "node:os";
import { type DecisionAnswer, solveQuestion } from "../actors/domain/decision.js";

// Thinking takes long beside everything else a core is wanted for: whoever serves drivers and customers goes first. On Linux
// this is the priority of the calling thread alone; elsewhere it would be the whole node's.
if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);

export default function solve(question: Uint8Array): DecisionAnswer {
  return solveQuestion(question);
}
