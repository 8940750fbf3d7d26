/** The script of a thread that decides for zones. It knows nothing but the question. */
import { type DecisionAnswer, solveQuestion } from "../actors/domain/mod.js";

export default function solve(question: Uint8Array): DecisionAnswer {
  return solveQuestion(question);
}
