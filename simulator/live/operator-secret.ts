/** How the programs beside a node are given the operator's secret. */
import { Option } from "commander";

/** By the environment, under the name that the node itself knows: what stands on a command line, everybody can read. An empty one is none. */
export function operatorSecretOption(): Option {
  return new Option(
    "--operator-secret <secret>",
    "of that node; on a machine that others use, rather in the environment",
  ).env("OPERATOR_SECRET");
}
