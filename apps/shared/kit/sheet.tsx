/** A sheet over the page: the browser's own dialog, which keeps the focus inside and closes with Escape. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { IconButton } from "./controls.js";
import { keepFocus } from "./focus.js";
import { CloseIcon } from "./icons.js";
import { sheets, Toasts } from "./toasts.js";

export function Sheet({
  title,
  onClose,
  foot,
  children,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly foot?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    if (element === null || element.open) return;
    // The browser gives the focus back to where it was only while the dialog is in the page, which it is not any more then.
    const giveBack = keepFocus();
    element.showModal();
    sheets.value = [...sheets.peek(), heading];
    return () => {
      sheets.value = sheets.peek().filter((open) => open !== heading);
      element.close();
      giveBack();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, which the browser tells by `cancel`.
    <dialog
      ref={dialog}
      class="sheet"
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // A touch beside the sheet arrives at the dialog itself.
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="sheet-head">
        <h2 id={heading}>{title}</h2>
        <IconButton label="Close" onClick={onClose}>
          <CloseIcon />
        </IconButton>
      </div>
      <div class="sheet-body">{children}</div>
      {foot !== undefined && <div class="sheet-foot">{foot}</div>}
      <Toasts sheet={heading} />
    </dialog>
  );
}
