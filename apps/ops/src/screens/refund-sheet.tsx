/** Money given back after a delivery: a part or all of what was paid. */
import { useSignal } from "@preact/signals";
import type { CommandBody, OrderView } from "../../../../sdk/mod.js";
import { amountOf, decimalText } from "../../../../src/lib/currency.js";
import { useAction, useOneWrite } from "../../../shared/actions.js";
import { formatMoney } from "../../../shared/format.js";
import { Button, Field, Segments } from "../../../shared/kit/controls.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { say } from "../../../shared/kit/toasts.js";
import { server } from "../store/city.js";

export function RefundSheet({ view, onClose }: { readonly view: OrderView; readonly onClose: () => void }) {
  const { currency, totalMinor } = view.totals;
  const leftMinor = totalMinor - (view.refundedMinor ?? 0);
  const amount = useSignal(decimalText(leftMinor, currency));
  const reason = useSignal("");
  const bearer = useSignal<"platform" | "restaurant">("platform");
  const amountMinor = amountOf(amount.value, currency) ?? 0;
  const wrong = amountMinor < 1 || amountMinor > leftMinor;
  const oneWrite = useOneWrite<CommandBody<"ops.refund">>();
  const refunding = useAction(async () => {
    const refund = { orderId: view.orderId, amountMinor, reason: reason.value.trim(), bearer: bearer.value };
    const { key, body } = oneWrite(JSON.stringify(refund), () => refund);
    await server().command("ops.refund", body, { idempotencyKey: key });
    say(`${formatMoney(amountMinor, currency)} are on their way back`);
    onClose();
  });
  return (
    <Sheet
      title="Refund"
      onClose={onClose}
      foot={
        <Button
          size="large"
          block
          busy={refunding.busy}
          disabled={wrong || reason.value.trim() === ""}
          onClick={() => void refunding.run()}
        >
          Give back {wrong ? "" : formatMoney(amountMinor, currency)}
        </Button>
      }
    >
      <div class="stack">
        <Field
          label={`Amount in ${currency}`}
          inputMode="decimal"
          value={amount.value}
          onInput={(value) => (amount.value = value)}
          problem={wrong ? `Between 0 and ${formatMoney(leftMinor, currency)}` : null}
        />
        <Segments
          label="Who pays for it"
          value={bearer.value}
          options={[
            { value: "platform", label: "We pay" },
            { value: "restaurant", label: "The restaurant pays" },
          ]}
          onChange={(next) => (bearer.value = next)}
        />
        <Field
          label="Reason"
          required
          maxLength={200}
          value={reason.value}
          onInput={(value) => (reason.value = value)}
        />
      </div>
    </Sheet>
  );
}
