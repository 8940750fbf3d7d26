/** The script of a thread that decides for zones. It knows nothing but the question. */
import { type DecisionAnswer, type DecisionRequest, solveDecision } from "../actors/domain/mod.js";

export default function solve(request: DecisionRequest): DecisionAnswer {
  return solveDecision(request);
}
