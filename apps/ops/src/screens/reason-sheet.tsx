/** Nothing is done to an order or a person without a reason: it is written into the audit. */
import { useSignal } from "@preact/signals";
import { Button, Field } from "../../../shared/kit/controls.js";
import { Sheet } from "../../../shared/kit/sheet.js";

export function ReasonSheet(props: {
  readonly title: string;
  readonly about: string;
  readonly button: string;
  readonly busy: boolean;
  readonly onDone: (reason: string) => void;
  readonly onClose: () => void;
}) {
  const reason = useSignal("");
  return (
    <Sheet title={props.title} onClose={props.onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          props.onDone(reason.value.trim());
        }}
      >
        <p class="soft">{props.about}</p>
        <Field
          label="Reason"
          multiline
          required
          maxLength={200}
          hint="Kept with your name, for good"
          value={reason.value}
          onInput={(value) => (reason.value = value)}
        />
        <Button type="submit" size="large" block busy={props.busy} disabled={reason.value.trim() === ""}>
          {props.button}
        </Button>
      </form>
    </Sheet>
  );
}
