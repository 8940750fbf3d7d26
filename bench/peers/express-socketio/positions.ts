/** Drivers, customers and silent lines, as the generators hold them by the thousand. */
import { openSocketIo } from "../lib/socket-io-client.js";
import type { PositionsAdapter } from "../ports.js";
import { customerOf } from "./seed.js";
import { tokenOf } from "./tokens.js";

export const positions: PositionsAdapter = {
  driver(address, { driverId }, heard) {
    const line = openSocketIo({
      ...address,
      auth: { token: tokenOf({ id: driverId, role: "driver" }) },
      recovery: null,
      onConnect: () => heard.ready(),
      onEvent: () => undefined,
      onClose: () => heard.closed(),
    });
    const acknowledged = (sequence: unknown): void => heard.acknowledged(Number(sequence));
    return {
      fix: (sequence, at, lat, lng) => line.emit("fix", { sequence, at, lat, lng }, acknowledged),
      close: () => line.close(),
    };
  },
  customer(address, { orderId }, heard) {
    const line = openSocketIo({
      ...address,
      auth: { token: tokenOf({ id: customerOf(orderId), role: "customer" }) },
      recovery: null,
      onConnect: () =>
        line.emit("follow", orderId, (answer) => {
          if ((answer as { readonly error?: string }).error === undefined) heard.ready();
          else line.close();
        }),
      onEvent(name, body) {
        if (name === "position") heard.position((body as { readonly at: number }).at);
      },
      onClose: () => heard.closed(),
    });
    return line;
  },
  idle(address, { index }, heard) {
    return openSocketIo({
      ...address,
      auth: { token: tokenOf({ id: `customer-${index}`, role: "customer" }) },
      recovery: null,
      onConnect: () => heard.ready(),
      onEvent: () => undefined,
      onClose: () => heard.closed(),
    });
  },
};
