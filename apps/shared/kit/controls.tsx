/** What people touch: buttons, fields, switches, steppers, segments. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { MinusIcon, PlusIcon } from "./icons.js";

type Kind = "primary" | "secondary" | "quiet" | "plain" | "good" | "danger";

export interface ButtonProps {
  readonly kind?: Kind;
  readonly size?: "large" | "little";
  readonly block?: boolean;
  /** Work is under way: it cannot be pressed again, and says so. */
  readonly busy?: boolean;
  readonly disabled?: boolean;
  readonly type?: "button" | "submit";
  readonly label?: string;
  readonly onClick?: (event: MouseEvent) => void;
  readonly children: ComponentChildren;
}

export function Button({ kind = "primary", size, block, busy, disabled, type, label, onClick, children }: ButtonProps) {
  const classes = ["button", kind, size ?? "", block === true ? "block" : ""].filter((part) => part !== "").join(" ");
  return (
    <button
      type={type ?? "button"}
      class={classes}
      disabled={disabled === true || busy === true}
      aria-busy={busy === true}
      {...(label === undefined ? {} : { "aria-label": label })}
      {...(onClick === undefined ? {} : { onClick })}
    >
      {busy === true && <span class="spinner" aria-hidden="true" />}
      {children}
    </button>
  );
}

export function IconButton({
  label,
  onClick,
  pressed,
  children,
}: {
  readonly label: string;
  readonly onClick: () => void;
  readonly pressed?: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      onClick={onClick}
      {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
    >
      {children}
    </button>
  );
}

export interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: "text" | "email" | "tel" | "password" | "number" | "search" | "time" | "datetime-local";
  readonly name?: string;
  readonly autocomplete?: string;
  readonly placeholder?: string;
  readonly hint?: string;
  readonly problem?: string | null;
  readonly required?: boolean;
  readonly multiline?: boolean;
  readonly inputMode?: "numeric" | "decimal" | "text" | "tel";
  readonly maxLength?: number;
  readonly minLength?: number;
  /** The id of a `datalist` with what others wrote here. */
  readonly list?: string;
}

export function Field(props: FieldProps) {
  const id = useId();
  const { label, value, onInput, hint, problem } = props;
  const described = problem != null ? `${id}-problem` : hint !== undefined ? `${id}-hint` : undefined;
  const shared = {
    id,
    class: "input",
    // What people write has the direction of its own script.
    dir: "auto" as const,
    value,
    name: props.name ?? id,
    autocomplete: props.autocomplete ?? "off",
    ...(props.placeholder === undefined ? {} : { placeholder: props.placeholder }),
    ...(props.required === undefined ? {} : { required: props.required }),
    ...(props.maxLength === undefined ? {} : { maxLength: props.maxLength }),
    ...(props.minLength === undefined ? {} : { minLength: props.minLength }),
    "aria-invalid": problem != null,
    ...(described === undefined ? {} : { "aria-describedby": described }),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {props.multiline === true ? (
        <textarea {...shared} onInput={(event) => onInput(event.currentTarget.value)} />
      ) : (
        <input
          {...shared}
          type={(props.type ?? "text") as "text"}
          {...(props.list === undefined ? {} : { list: props.list })}
          {...(props.inputMode === undefined ? {} : { inputMode: props.inputMode })}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
      {problem != null ? (
        <span class="problem" id={`${id}-problem`} role="alert">
          {problem}
        </span>
      ) : (
        hint !== undefined && (
          <span class="hint" id={`${id}-hint`}>
            {hint}
          </span>
        )
      )}
    </div>
  );
}

export function Switch({
  label,
  on,
  onChange,
  disabled,
}: {
  readonly label: ComponentChildren;
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
  readonly disabled?: boolean;
}) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        aria-checked={on}
        checked={on}
        disabled={disabled === true}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}

export function Stepper({
  label,
  value,
  onChange,
  min = 0,
  max = 99,
  step = 1,
  unit,
}: {
  readonly label: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly unit?: string;
}) {
  return (
    <fieldset class="stepper" style={{ border: 0, margin: 0, padding: 0 }}>
      <legend class="visually-hidden">{label}</legend>
      <button
        type="button"
        class="icon-button"
        aria-label={`Less: ${label}`}
        disabled={value <= min}
        onClick={() => onChange(Math.max(min, value - step))}
      >
        <MinusIcon />
      </button>
      <output>
        {value}
        {unit === undefined ? "" : ` ${unit}`}
      </output>
      <button
        type="button"
        class="icon-button"
        aria-label={`More: ${label}`}
        disabled={value >= max}
        onClick={() => onChange(Math.min(max, value + step))}
      >
        <PlusIcon />
      </button>
    </fieldset>
  );
}

export function Segments<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is drawn as a block with a border of its own.
    <div class="segments" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
