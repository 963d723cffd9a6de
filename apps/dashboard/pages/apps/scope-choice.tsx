import { SCOPE_MEANINGS, type Scope } from "../../../../src/scopes.ts";

/** Ticks, one for each thing that may be done. */
export function ScopeChoice({
  legend,
  offered,
  chosen,
  choose,
}: {
  readonly legend: string;
  readonly offered: readonly Scope[];
  readonly chosen: readonly Scope[];
  readonly choose: (scopes: readonly Scope[]) => void;
}) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {offered.map((scope) => (
        <label key={scope} className="tick">
          <input
            type="checkbox"
            checked={chosen.includes(scope)}
            onChange={({ target }) =>
              choose(
                offered.filter((one) => (one === scope ? target.checked : chosen.includes(one))),
              )
            }
          />
          {SCOPE_MEANINGS[scope]}
        </label>
      ))}
    </fieldset>
  );
}

/** Whether it decides in the person's place: never for what signed in by itself. */
export function TrustChoice({
  isTrusted,
  choose,
}: {
  readonly isTrusted: boolean;
  readonly choose: (isTrusted: boolean) => void;
}) {
  return (
    <label className="tick">
      <input
        type="checkbox"
        checked={isTrusted}
        onChange={({ target }) => choose(target.checked)}
      />
      <span>
        It may decide in my place: approve waiting memories and change the memory rules. Not for
        assistants.
      </span>
    </label>
  );
}
