/** The subjects of a cluster. Several clusters may share a NATS server: nothing of one is heard by another. */
import type { EndpointId } from "../../actors/runtime/link.js";

const MAX_NAME_BYTES = 200;

/**
 * One token of a subject, whatever the name: letters, digits, `-` and `_` stay, every other byte becomes `=` and two
 * hexadecimal digits, so that dots, spaces and wildcards of a name mean nothing to NATS and two names never meet.
 */
export function subjectToken(name: string): string {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES)
    throw new RangeError(`nats: the name "${name.slice(0, 40)}" must have 1 to ${MAX_NAME_BYTES} bytes`);
  let token = "";
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    token += /[A-Za-z0-9_-]/.test(char) ? char : `=${byte.toString(16).padStart(2, "0")}`;
  }
  return token;
}

export interface ClusterSubjects {
  /** Where every link announces itself to all. */
  readonly presence: string;
  readonly hints: string;
  /** Where members that cannot see the database speak to each other. */
  readonly testimony: string;
  /** Where one link instance hears; its successor under the same name has another. */
  inbox(endpoint: EndpointId, instance: string): string;
}

export function clusterSubjects(cluster: string): ClusterSubjects {
  const prefix = `swift-eats.${subjectToken(cluster)}`;
  return {
    presence: `${prefix}.presence`,
    hints: `${prefix}.hints`,
    testimony: `${prefix}.testimony`,
    inbox: (endpoint, instance) => `${prefix}.to.${subjectToken(endpoint)}.${subjectToken(instance)}`,
  };
}

/** The node of an endpoint: what stands before the first slash. */
export function nodeOf(endpoint: EndpointId): string {
  const slash = endpoint.indexOf("/");
  return slash < 0 ? endpoint : endpoint.slice(0, slash);
}
