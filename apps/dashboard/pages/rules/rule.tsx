/** The parts of a form of rules. */
import { useId, type ReactNode } from "react";
import type { RuleName } from "../../../../src/storage/rules.ts";
import { Card } from "../../shell/page.tsx";
import { Unsaved } from "../../shell/unsaved.tsx";
import type { RuleForm, Settings } from "./rule-form.ts";

/** Some rules that are saved together. */
export function Group({
  title,
  form,
  children,
}: {
  readonly title: string;
  readonly form: RuleForm;
  readonly children: ReactNode;
}) {
  return (
    <Card title={title}>
      <form
        noValidate
        aria-label={title}
        onSubmit={(event) => {
          event.preventDefault();
          form.save();
          event.currentTarget.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
        }}
      >
        {children}
        <div className="actions">
          <button className="primary" disabled={!form.isChanged || form.isSaving}>
            {form.isSaving ? "Saving …" : "Save"}
          </button>
          {form.isChanged ? (
            <button type="button" onClick={form.discard}>
              Discard
            </button>
          ) : null}
        </div>
      </form>
      <Unsaved isUnsaved={form.isChanged} />
    </Card>
  );
}

/** One rule: what it does, its control, who set it. @param usually the default, in words */
export function Rule({
  form,
  name,
  title,
  what,
  usually,
  effect,
  follows = [],
  children,
}: {
  readonly form: RuleForm;
  readonly name: RuleName;
  readonly title: string;
  readonly what: ReactNode;
  readonly usually: string;
  /** What it means for what is stored now, or would mean as it stands in the form: a sentence that goes on after a colon. Null: not known yet. */
  readonly effect: ReactNode;
  /** Others of the form that the effect hangs on. */
  readonly follows?: readonly RuleName[];
  readonly children: ReactNode;
}) {
  const problem = form.problem(name);
  const isDraft = [name, ...follows].some((one) => form.draft[one] !== undefined);
  const effectId = useId();
  return (
    <fieldset className="rule" data-rule={name} aria-describedby={effectId}>
      <legend>{title}</legend>
      <p className="rule-what">{what}</p>
      {children}
      <div role="alert">{problem === null ? null : <p className="alert">{problem}</p>}</div>
      <p id={effectId} className="rule-effect" role={isDraft ? "status" : undefined}>
        {effect === null || problem !== null ? null : (
          <>
            <b>{isDraft ? "With this" : "Now"}:</b> {effect}
          </>
        )}
      </p>
      <p className="rule-foot">
        {form.isOwn(name) ? (
          <>
            <span className="rule-own">Set by you</span>
            <button
              type="button"
              className="quiet"
              aria-label={`Back to the default: ${usually} (${title})`}
              onClick={() => form.reset(name)}
            >
              Back to the default: {usually}
            </button>
          </>
        ) : (
          <small>Default of this server: {usually}</small>
        )}
      </p>
    </fieldset>
  );
}

export function OneOfFew<Value extends string>({
  label,
  value,
  options,
  choose,
}: {
  /** Of all of them together, for screen readers. */
  readonly label: string;
  readonly value: Value;
  readonly options: readonly (readonly [value: Value, name: string, what: string])[];
  readonly choose: (value: Value) => void;
}) {
  const group = useId();
  return (
    <div role="radiogroup" aria-label={label} className="choice">
      {options.map(([option, name, what]) => (
        <label key={option} className="tick">
          <input
            type="radio"
            name={group}
            checked={value === option}
            onChange={() => choose(option)}
          />
          <span>
            {name}
            <small>{what}</small>
          </span>
        </label>
      ))}
    </div>
  );
}

/** @param value NaN: the field is empty, or holds no number */
export function NumberField({
  label,
  value,
  unit,
  isInvalid,
  set,
}: {
  readonly label: string;
  readonly value: number;
  readonly unit: string;
  readonly isInvalid: boolean;
  readonly set: (value: number) => void;
}) {
  return (
    <label className="number">
      <span className="sr-only">{label}</span>
      <input
        type="number"
        inputMode="numeric"
        min={1}
        value={Number.isNaN(value) ? "" : value}
        aria-invalid={isInvalid}
        onChange={(event) => set(event.target.valueAsNumber)}
      />
      <span aria-hidden="true">{unit}</span>
    </label>
  );
}

/** `User preferences` */
export function categoryName(category: keyof Settings["expire_after"]): string {
  const words = category.replaceAll("_", " ");
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
