import { useState } from "react";
import { repairsOf, type Step } from "../../../doctor/step.ts";
import { ApiProblem, toProblem } from "../../api.ts";
import { Icon } from "../../shell/icon.tsx";
import { Card } from "../../shell/page.tsx";
import { CopyLine } from "../../states/copy-line.tsx";
import { Problem } from "../../states/states.tsx";

type Examined = "not yet" | "running" | "done" | ApiProblem;

/** Whether this server answers clients as they need it, as far as its own page can see. */
export function Examination() {
  const [state, setState] = useState<Examined>("not yet");
  const [steps, setSteps] = useState<readonly Step[]>([]);
  const examine = async () => {
    setState("running");
    setSteps([]);
    try {
      const { examineOwnServer } = await import("./examine-own-server.ts");
      await examineOwnServer((step) => setSteps((before) => [...before, step]));
      setState("done");
    } catch (error) {
      // Its script could not be loaded, for example.
      setState(toProblem(error));
    }
  };
  const isRunning = state === "running";
  return (
    <Card title="Is anything wrong with this server?">
      <p>
        This walks the way of a client, as a stranger and as far as a page can, and says what to
        change. It leaves nothing behind.
      </p>
      <p>
        <button type="button" aria-disabled={isRunning} onClick={() => isRunning || void examine()}>
          {state === "not yet" || isRunning ? "Examine this server" : "Examine it again"}
        </button>
      </p>
      {steps.length === 0 ? null : (
        <ul className="findings" aria-label="What was found">
          {steps.map((step) => (
            <Finding key={step.name} step={step} />
          ))}
        </ul>
      )}
      {state instanceof ApiProblem ? (
        <Problem problem={state} retry={() => void examine()} />
      ) : (
        <div role="status" data-examined={state}>
          <Verdict state={state} repairs={repairsOf(steps)} />
        </div>
      )}
      <details className="trouble">
        <summary>What a page cannot see</summary>
        <p>
          A browser comes under its own name, from your network, and through whatever lets you in.
          Whether a firewall or “Block AI bots” turns Claude or ChatGPT away, whether other networks
          know the name and accept the certificate, whether programs may register, and what happens
          after signing in, a program on a computer finds out:
        </p>
        <CopyLine text={`cofio doctor ${location.origin}`} label="the command" />
      </details>
    </Card>
  );
}

function Finding({ step: { name, found, faults } }: { readonly step: Step }) {
  const isRight = faults.length === 0;
  return (
    <li className="finding" data-right={isRight}>
      <Icon name={isRight ? "check" : "alert"} />
      <span>
        <strong>{name}</strong>
        <span className="sr-only">{isRight ? ": right" : ": wrong"}</span>
        {isRight ? (
          <span className="finding-words">{found}</span>
        ) : (
          faults.map(({ what }) => (
            <span key={what} className="finding-words">
              {what}
            </span>
          ))
        )}
      </span>
    </li>
  );
}

function Verdict({
  state,
  repairs,
}: {
  readonly state: Exclude<Examined, ApiProblem>;
  readonly repairs: readonly string[];
}) {
  switch (state) {
    case "not yet":
      return null;
    case "running":
      return <p>Asking …</p>;
    case "done":
      return repairs.length === 0 ? (
        <p>
          <strong>Nothing is wrong as far as a page sees.</strong>
        </p>
      ) : (
        <>
          <p>
            <strong>What to do:</strong>
          </p>
          <ol>
            {repairs.map((repair) => (
              <li key={repair}>{repair}</li>
            ))}
          </ol>
        </>
      );
  }
}
