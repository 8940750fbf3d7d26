/** What a page shows while it waits, when there is nothing, and when something went wrong. */
import type { ComponentChildren } from "preact";
import { failureText } from "../words.js";
import { Button } from "./controls.js";
import { AlertIcon } from "./icons.js";

export function Empty({
  picture,
  title,
  children,
  action,
}: {
  readonly picture: ComponentChildren;
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly action?: ComponentChildren;
}) {
  return (
    <div class="empty-state">
      <div class="picture">{picture}</div>
      <h2>{title}</h2>
      {children !== undefined && <p>{children}</p>}
      {action}
    </div>
  );
}

export function Failure({ error, again }: { readonly error: unknown; readonly again: () => void }) {
  return (
    <div role="alert">
      <Empty
        picture={<AlertIcon />}
        title="That did not work"
        action={
          <Button kind="secondary" onClick={again}>
            Try again
          </Button>
        }
      >
        {failureText(error)}
      </Empty>
    </div>
  );
}

/** Grey shapes where the content will be, so that nothing jumps when it comes. */
export function Bones({ count = 3, height = 88 }: { readonly count?: number; readonly height?: number }) {
  return (
    <div class="stack" role="status">
      <span class="visually-hidden">Loading</span>
      {Array.from({ length: count }, (_, index) => (
        <div key={index} class="bone" style={{ height: `${height}px` }} aria-hidden="true" />
      ))}
    </div>
  );
}
