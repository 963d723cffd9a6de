import { HANDSHAKE_STEPS, type HandshakeStep } from "../../../../src/handshake.ts";
import { Icon } from "../../shell/icon.tsx";
import { Link } from "../../shell/router.tsx";
import { Answer } from "../../states/answer.tsx";
import { Loading } from "../../states/states.tsx";
import { arrivalIn, type Arrival } from "./arrival.ts";
import { Checks } from "./checks.tsx";
import { Preference } from "./preference.tsx";
import { useHandshake, useIsLate } from "./use-handshake.ts";

/** Each step of an app that connects, as it takes it; and where one does not come, what to check. */
export function HandshakeCard() {
  const { watch, handshake, startOver } = useHandshake();
  return (
    <section className="card handshake" aria-labelledby="handshake">
      <div className="card-head">
        <h2 id="handshake">Watch it connect</h2>
      </div>
      <Answer query={watch} loading={<Loading lines={2} />}>
        {() => (
          <Watched
            arrival={arrivalIn(handshake ?? { steps: [] })}
            startOver={startOver.isPending ? null : () => startOver.mutate()}
          />
        )}
      </Answer>
    </section>
  );
}

function Watched({
  arrival,
  startOver,
}: {
  readonly arrival: Arrival;
  /** Null: under way. */
  readonly startOver: (() => void) | null;
}) {
  const { client, last, next, inUse } = arrival;
  const isLate = useIsLate(`${next ?? ""} ${client ?? ""}`) && next !== null;
  return (
    <div data-handshake={last ?? "none"}>
      <div role="status">
        <p className={next === null ? "handshake-done" : undefined}>
          <Said arrival={arrival} />
        </p>
        {inUse.map((name) => (
          <p key={name} className="hint">
            <bdi>{name}</bdi> is connected too, and uses your memory.
          </p>
        ))}
        {isLate ? <p className="hint">No step for a minute. What to check is below.</p> : null}
      </div>
      {next === null ? (
        <>
          <p>
            What it may do, and what it did, is in <Link to="/apps">Connected apps</Link>. Paste
            this into its instructions, so that it uses your memory unasked:
          </p>
          <Preference label="the sentence for its instructions" />
        </>
      ) : null}
      <ol className="steps">
        {HANDSHAKE_STEPS.map((step) => (
          <Step key={step} step={step} arrival={arrival} isLate={isLate} />
        ))}
      </ol>
      {isLate ? <Checks missing={next} /> : null}
      {last === null ? null : (
        <div className="actions">
          <button type="button" disabled={startOver === null} onClick={() => startOver?.()}>
            {next === null ? "Connect another" : "Start over"}
          </button>
        </div>
      )}
    </div>
  );
}

/** Where it stands, and what comes next. */
function Said({ arrival: { client, last } }: { readonly arrival: Arrival }) {
  const it = <bdi>{client}</bdi>;
  switch (last) {
    case null:
      return "Waiting for an app. When you add the address to one, its steps appear here.";
    case "metadata_read":
      return "An app has found this server. Next it introduces itself.";
    case "registered":
      return "An app has introduced itself. Next your browser opens a page that asks you.";
    case "consent_shown":
      return <>{it} waits for your answer, on the page that asks you.</>;
    case "authorised":
      return <>You allowed {it}. Now it fetches its key.</>;
    case "token_issued":
      return <>{it} has its key. Next it comes in with it.</>;
    case "reached":
      return <>{it} has come in. Ask it “How many memories do you have about me?”.</>;
    case "first_call":
      return <>{it} is connected.</>;
  }
}

const NAMES: Readonly<Record<HandshakeStep, string>> = {
  metadata_read: "It finds this server",
  registered: "It introduces itself",
  consent_shown: "You are asked",
  authorised: "You allow it",
  token_issued: "It fetches its key",
  reached: "It comes in",
  first_call: "It uses your memory",
};

type StepStanding = "done" | "passed" | "waiting" | "late" | "to_come";

const STANDING_WORDS: Readonly<Record<StepStanding, string>> = {
  done: "done",
  // Answered elsewhere in Cloudflare's network, or left out by an app that has been here before.
  passed: "not seen, or not needed",
  waiting: "waiting",
  late: "nothing yet",
  to_come: "to come",
};

function Step({
  step,
  arrival,
  isLate,
}: {
  readonly step: HandshakeStep;
  readonly arrival: Arrival;
  readonly isLate: boolean;
}) {
  const standing = standingOf(step, arrival, isLate);
  return (
    <li
      className="step"
      data-standing={standing}
      aria-current={step === arrival.next ? "step" : undefined}
    >
      <span className="step-mark">
        {standing === "done" || standing === "passed" ? <Icon name="check" size={16} /> : null}
        {standing === "late" ? <Icon name="alert" size={16} /> : null}
      </span>
      <span className="step-name">{NAMES[step]}</span>
      <small>{STANDING_WORDS[standing]}</small>
    </li>
  );
}

function standingOf(
  step: HandshakeStep,
  { last, next, seen }: Arrival,
  isLate: boolean,
): StepStanding {
  if (step === next) return isLate ? "late" : "waiting";
  const isTaken = last !== null && HANDSHAKE_STEPS.indexOf(step) <= HANDSHAKE_STEPS.indexOf(last);
  if (!isTaken) return "to_come";
  return seen.has(step) ? "done" : "passed";
}
